"""AWS credentials stored in the cluster."""

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

from kinds.installs import CONTROLLER, RELEASE, ReleasedController
from kinds.kubernetes import WORKLOAD_KINDS, KubernetesView, containers, group_kind, objects, pod_spec
from pack.controls import guide
from pack.registry import CRITICAL, Messages, rule, texts
from pack.resources import Resource
from pack.secrets import alike
from pack.values import Unknown, dig, items, known, unknown, words

_FEEDS: Final = [("core", "Secret"), ("core", "ConfigMap")]
_IDENTITIES: Final = guide("security/iam", "Identities and Credentials for EKS pods")
# The prefix of the ids of access keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_KEY_ID: Final = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_FILE_ENTRIES: Final = ["aws_access_key_id", "aws_secret_access_key"]
_PLACEHOLDERS: Final = ("", "none", "null")


@rule(
    on=objects(
        "workload, or Secret or ConfigMap that feeds one",
        [*WORKLOAD_KINDS, *_FEEDS],
        others={RELEASE: CONTROLLER.view},
    ),
    instead="Give its service account a role: IRSA or EKS Pod Identity",
    severity=CRITICAL,
    controls=[_IDENTITIES],
    variables=texts(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "the variables that must not be there"),
    file_entries=texts(_FILE_ENTRIES, "the entries of a credentials file that must not be there"),
)
def workload_carries_no_static_aws_keys(workload: Any, *, variables: list[str], file_entries: list[str]) -> Messages:
    """No workload gets AWS access keys, by its environment or by a file, and no Secret or ConfigMap holds them.

    A static key outlives the pod, works from anywhere and is readable by all who may read the object.
    """
    if isinstance(workload, ReleasedController):
        given = workload.value("env")
        found = [name for name in variables if isinstance(given, dict) and name in given]
        found += ["envSecretName"] if workload.value("envSecretName") else []
    elif group_kind(workload.type) in _FEEDS:
        found = sorted({key for key, text in _entries(workload) if key in variables or _is_file(text, file_entries)})
    else:
        entries = [entry for one in known(containers(pod_spec(workload))) for entry in _environment(one)]
        found = sorted(
            {name for name in words([dig(entry, ["name"]) for entry in known(entries)]) if name in variables}
        )
    if found:
        yield f"{workload.title} sets {' and '.join(found)}"


def _environment(container: Any) -> list[Any]:
    entries = dig(container, ["env"])
    return [] if unknown(entries) else items(entries)


def _entries(holder: KubernetesView) -> Iterator[tuple[str, Any]]:
    """Yield the keys and texts in a Secret or ConfigMap."""
    encoded = (group_kind(holder.type) or ("", ""))[1] == "Secret"
    for place in ("data", "stringData", "binaryData"):
        held = dig(holder.props, [place])
        if isinstance(held, dict):
            for key, text in held.items():
                yield key, _decoded(text) if place == "binaryData" or (encoded and place == "data") else text
        else:
            unknown(held)


def _decoded(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return alike(text, base64.b64decode(text, validate=True).decode("utf-8", "replace"))
    except ValueError:  # no base64
        return None


def _is_file(text: Any, file_entries: list[str]) -> bool:
    """Say whether a text is a file with an access key."""
    if unknown(text) or not isinstance(text, str):
        return False
    return any(entry in text.lower() for entry in file_entries) or _KEY_ID.search(text) is not None


def _any_release(seen: Resource) -> KubernetesView | None:
    return KubernetesView(seen) if CONTROLLER.view(seen) is None else None


@rule(
    on=objects("Helm release of any chart but the controller's", [], others={RELEASE: _any_release}),
    instead="Leave the keys out and give the chart's service account a role: IRSA or EKS Pod Identity",
    severity=CRITICAL,
    controls=[_IDENTITIES],
    key_values=texts(
        [
            *("awsaccesskeyid", "awssecretaccesskey", "awsaccesskey", "awssecretkey"),
            *("accesskeyid", "secretaccesskey"),
        ],
        "names of chart values that hold keys, in small letters without separators",
    ),
    aws_values=texts(["accesskey", "secretkey"], "names that hold keys below a value that is about AWS or S3"),
)
def chart_carries_no_static_aws_keys(
    release: KubernetesView, *, key_values: list[str], aws_values: list[str]
) -> Messages:
    """No chart is given AWS access keys.

    A key in a chart's values is also in the release's Secret, in the stack's state, and often in a repository.
    """
    for path in _keys(dig(release.props, ["values"]), (), key_values, aws_values):
        yield f"{release.title} is given {'.'.join(path)}"


def _keys(value: Any, path: tuple[str, ...], names: list[str], below_aws: list[str]) -> Iterator[tuple[str, ...]]:
    """Walk over the paths of values that hold an access key."""
    if isinstance(value, dict):
        named = dig(value, ["name"])
        if isinstance(named, str) and _plain(named) in names and ("value" in value or "valueFrom" in value):
            yield (*path, named)
            return
        for key, item in value.items():
            yield from _keys(item, (*path, str(key)), names, below_aws)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _keys(item, (*path, str(index)), names, below_aws)
    elif path and not unknown(value) and isinstance(value, str) and value.strip().lower() not in _PLACEHOLDERS:
        parts = [_plain(part) for part in path]
        about_aws = any(part in ("aws", "s3") for part in parts[:-1])
        if parts[-1] in names or (about_aws and parts[-1] in below_aws) or _is_file(value, _FILE_ENTRIES):
            yield path
    elif path and isinstance(value, Unknown) and _plain(path[-1]) in names:
        yield path


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
