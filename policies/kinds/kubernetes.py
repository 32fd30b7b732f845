"""Kubernetes objects as rules see them, in all API versions and from all sources in the stack."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pack.properties import Edit
from pack.resources import Resource
from pack.values import NotYetKnown, Unknown, dig, items, known
from pack.views import View

_TOKEN = re.compile(r"kubernetes:(?P<group>[^/:]+)/v[^:]+:(?P<kind>\w+)$")


@lru_cache(maxsize=1024)
def group_kind(token: str) -> tuple[str, str] | None:
    """Split `kubernetes:networking.k8s.io/v1:Ingress` into group and kind; the version does not matter to rules."""
    match = _TOKEN.match(token)
    return (match["group"], match["kind"]) if match else None


class KubernetesView(View):
    """An object with metadata and spec."""

    def __init__(self, seen: Resource) -> None:
        super().__init__(seen, {})

    @property
    def spec(self) -> Any:
        """Return the object's `spec`."""
        return dig(self.props, ["spec"])

    def annotation(self, key: str) -> Any:
        """Return one annotation's value.

        Raises:
            NotYetKnown: the annotations are unknown as a whole.
        """
        return self.annotations.get(key)

    @property
    def annotations(self) -> dict[str, Any]:
        """Return all annotations.

        Raises:
            NotYetKnown: they are unknown as a whole.
        """
        return _mapping(dig(self.props, ["metadata", "annotations"]))

    @property
    def labels(self) -> Any:
        """Return the object's labels."""
        return dig(self.props, ["metadata", "labels"])

    @property
    def namespace(self) -> Any:
        """Return the namespace: the object's, otherwise its provider's default, otherwise `default`."""
        own = dig(self.props, ["metadata", "namespace"])
        return own if isinstance(own, Unknown) else own or _provider_namespace(self.seen.provider) or "default"

    @property
    def object_name(self) -> Any:
        """Return the name in the cluster, if the program sets one."""
        return dig(self.props, ["metadata", "name"])

    called = ""
    """Its name in messages; by default its kind and name."""

    @property
    def title(self) -> str:
        """Return its name in messages."""
        return self.called or f"{(group_kind(self.type) or ('', self.type))[1]} {self.name}"

    def annotate(self, key: str, value: Any) -> Edit:
        """Change one annotation."""
        return Edit(("metadata", "annotations", key), value)

    def property_of(self, name: str) -> str:
        """Return the top-level property itself: an object's fields are nowhere else."""
        return name


def _provider_namespace(provider: Any) -> Any:
    given = None if provider is None else dig(provider.props, ["namespace"])
    return None if isinstance(given, Unknown) else given


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Unknown):
        raise NotYetKnown
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class ObjectKind:
    """Objects of some groups and kinds; their view may still reject an object."""

    name: str
    kinds: frozenset[tuple[str, str]]
    read: Callable[[Resource], Any]
    others: Mapping[str, Callable[[Resource], Any]]
    """Type tokens outside the Kubernetes API (a Helm release, an AWS resource) and how they are read."""

    def view(self, seen: Resource) -> Any:
        """Return the object as this kind's view, or `None` if it is of another kind."""
        if group_kind(seen.type) in self.kinds:
            return self.read(seen)
        other = self.others.get(seen.type)
        return other(seen) if other else None

    @property
    def types(self) -> list[str]:
        """The groups, kinds and type tokens, for the documentation."""
        return sorted(f"kubernetes:{group}/*:{kind}" for group, kind in self.kinds) + sorted(self.others)


def objects(
    name: str,
    kinds: list[tuple[str, str]],
    read: Callable[[Resource], Any] = KubernetesView,
    others: Mapping[str, Callable[[Resource], Any]] | None = None,
) -> ObjectKind:
    """Declare a kind by pairs of group (`core` for the nameless one) and kind."""
    return ObjectKind(name, frozenset(kinds), read, others or {})


def pod_spec(view: KubernetesView) -> Any:
    """Return the pod spec of a workload: a pod's own, a template's, or that of a cron job's template."""
    kind = (group_kind(view.type) or ("", ""))[1]
    path = {"Pod": ["spec"], "CronJob": ["spec", "jobTemplate", "spec", "template", "spec"]}
    return dig(view.props, path.get(kind, ["spec", "template", "spec"]))


def containers(spec: Any) -> list[Any]:
    """Return all known containers of a pod spec, including init containers."""
    lists = known(dig(spec, [kind]) for kind in ("containers", "initContainers"))
    return [container for one in lists for container in items(one)]


WORKLOAD_KINDS: Final = [
    ("core", "Pod"),
    ("core", "ReplicationController"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ReplicaSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
]
SERVICE_ACCOUNT: Final = objects("service account", [("core", "ServiceAccount")])
DISRUPTION_BUDGET: Final = objects("disruption budget", [("policy", "PodDisruptionBudget")])
