"""What differs between two plain objects, and what of it makes a new object necessary."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final, Literal

from sandbox.providers.common.values import Unknown
from sandbox.providers.kubernetes.kinds import Kind, of_object

Path = tuple[str | int, ...]
Edit = Literal["add", "update", "delete"]
_MISSING: Final = object()


@dataclass(frozen=True)
class Change:
    """One difference, at the deepest place where the two still had the same shape."""

    path: Path
    edit: Edit


def changes(old: Any, new: Any, path: Path = ()) -> Iterator[Change]:
    """The differences from `old` to `new`; what is not known yet counts as one.

    Example:
        >>> [c.path for c in changes({"spec": {"replicas": 2}}, {"spec": {"replicas": 3}})]
        [('spec', 'replicas')]
    """
    if new is _MISSING or old is _MISSING:
        yield Change(path, "delete" if new is _MISSING else "add")
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from changes(old.get(key, _MISSING), new.get(key, _MISSING), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index, (before, after) in enumerate(zip_longest(old, new, fillvalue=_MISSING)):
            yield from changes(before, after, (*path, index))
    elif isinstance(new, Unknown) or isinstance(old, bool) != isinstance(new, bool) or old != new:
        yield Change(path, "update")


def property_path(path: Path) -> str:
    """A path as Pulumi writes it.

    Example:
        >>> property_path(("metadata", "annotations", "a.b/c", 0))
        'metadata.annotations["a.b/c"][0]'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(sign in part for sign in '."[]'):
            text += '["' + part.replace('"', '\\"') + '"]'
        else:
            text += f".{part}" if text else part
    return text


def parse_property_path(text: str) -> Path:
    """The inverse of `property_path`, for the paths of `ignoreChanges`; `*` stands for any part."""
    parts: list[str | int] = []
    rest = text
    while rest:
        if rest.startswith('["'):
            quoted, _, rest = rest[2:].partition('"]')
            parts.append(quoted.replace('\\"', '"'))
        elif rest.startswith("["):
            index, _, rest = rest[1:].partition("]")
            parts.append(int(index) if index.isdigit() else index)
        else:
            rest = rest.removeprefix(".")
            end = min((at for at in (rest.find("."), rest.find("[")) if at >= 0), default=len(rest))
            parts.append(rest[:end])
            rest = rest[end:]
    return tuple(parts)


def covers(pattern: Path, path: Path) -> bool:
    """Whether a path is the pattern's or lies below it; `*` stands for any one part."""
    return len(pattern) <= len(path) and all(want in ("*", part) for want, part in zip(pattern, path, strict=False))


def touches(pattern: Path, path: Path) -> bool:
    """Whether a change at `path` changes what the pattern names: it lies below, or above and takes it along."""
    shorter = min(len(pattern), len(path))
    return covers(pattern[:shorter], path[:shorter])


_SELECTOR: Sequence[str] = ("spec.selector",)
_IMMUTABLE: Mapping[tuple[str, str], Sequence[str]] = {
    # What pulumi-kubernetes replaces an object for (its forceNewProperties), by group and kind.
    ("apps", "Deployment"): _SELECTOR,
    ("apps", "DaemonSet"): _SELECTOR,
    ("apps", "StatefulSet"): (
        *_SELECTOR,
        *("spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.serviceName", "spec.volumeClaimTemplates"),
    ),
    ("batch", "Job"): (*_SELECTOR, "spec.completions", "spec.parallelism", "spec.template"),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
    ("", "PersistentVolumeClaim"): (
        *_SELECTOR,
        *("spec.accessModes", "spec.storageClassName", "spec.volumeName"),
    ),
    ("", "PersistentVolume"): tuple(
        f"spec.{source}" for source in ("awsElasticBlockStore", "csi", "hostPath", "iscsi", "local", "nfs", "fc")
    ),
    ("", "ResourceQuota"): ("spec.scopes",),
    ("", "Service"): ("spec.clusterIP",),
    # A pod's image is mutable to the API server; pulumi-kubernetes makes a new pod all the same.
    ("", "Pod"): ("spec",),
}
_POD_MUTABLE = ("spec.activeDeadlineSeconds", "spec.tolerations")


def replacing(kind: Kind, old: Mapping[str, Any], *, mutable_data: bool = False) -> tuple[Path, ...]:
    """The paths whose change makes a new object necessary.

    Args:
        kind: The object's kind.
        old: The object as it was: an `immutable: true` counts as it was, not as it will be.
        mutable_data: The provider's `enableConfigMapMutable` or `enableSecretMutable`, whichever is this kind's.
    """
    paths = ["metadata.name", "metadata.namespace", "kind", *_IMMUTABLE.get((kind.group, kind.name), ())]
    if kind.group == "" and kind.name in ("ConfigMap", "Secret"):
        data = ("data", "binaryData") if kind.name == "ConfigMap" else ("data", "stringData")
        paths += ["type"] if kind.name == "Secret" else []
        paths += data if not mutable_data or old.get("immutable") is True else ()
    return tuple(parse_property_path(path) for path in paths)


def replaces(kind: Kind, change: Change, patterns: Sequence[Path]) -> bool:
    """Whether a change needs a new object."""
    if kind == Kind("", "v1", "Pod") and any(covers(parse_property_path(path), change.path) for path in _POD_MUTABLE):
        return False
    return any(touches(pattern, change.path) for pattern in patterns)


def moved_group(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether `apiVersion` names another group now: a version of the same group is the same object."""
    return of_object(old).group != of_object(new).group


def in_effect(found: Sequence[Change], now: Any, would_be: Any) -> bool:
    """Whether changed inputs change the object: `500m` in the place of `0.5` does not.

    Args:
        found: The changes of the inputs.
        now: The object as it is.
        would_be: The object as it would be with the new inputs (a dry run).
    """
    for change in found:
        before, after = _at(now, change.path), _at(would_be, change.path)
        # What the server never shows (a Secret's stringData) may well have changed.
        if before != after or before is _MISSING:
            return True
    return False


def _at(item: Any, path: Path) -> Any:
    for part in path:
        if isinstance(item, Mapping):
            item = item.get(part, _MISSING)
        elif isinstance(item, list) and isinstance(part, int) and part < len(item):
            item = item[part]
        else:
            return _MISSING
    return item


def drifted(inputs: Any, before: Any, now: Any) -> Any:
    """The program's inputs, with what the cluster has changed since they were applied.

    A value that the server wrote differently than the program did (`0.5` and `500m`, a webhook's correction) is no
    drift: only what differs between the two answers of the server is. What the program did not set is left out.

    Args:
        inputs: What the program set.
        before: The object as the server gave it when the inputs were applied; None if that is not known.
        now: The object as the server gives it.
    """
    match inputs, now:
        case Mapping(), Mapping():
            known = before if isinstance(before, Mapping) else {}
            kept = {}
            for key, value in inputs.items():
                if key in now:
                    kept[key] = drifted(value, known.get(key), now[key])
                elif key not in known:
                    kept[key] = value  # the server never showed it: a Secret's stringData
            return kept
        case list(), list() if isinstance(before, list) and len(before) == len(now) == len(inputs):
            return [drifted(*three) for three in zip(inputs, before, now, strict=True)]
        case _:
            return inputs if before == now or (before is None and inputs == now) else now
