"""Target groups that several clusters share: of all targets only those that this cluster registered are its own.

Which ones they are is kept in a ConfigMap beside the binding, as the real controller keeps it.
"""

from collections.abc import Iterable

from sandbox.controller.endpoints import Target
from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.objects import Key, key
from sandbox.controller.model.stack import Json

_PREFIX = "aws-lbc-targets-"


class SharedTargets:
    """This cluster's targets in shared target groups."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._known: dict[Key, set[str]] = {}

    def ours(self, binding: Json, targets: Iterable[Target]) -> set[Target]:
        """Those that this cluster may deregister: all, where the target group is not shared."""
        if not binding["spec"].get("multiClusterTargetGroup"):
            return set(targets)
        known = self._load(binding)
        return {target for target in targets if f"{target.id}:{target.port}" in known}

    def remember(self, binding: Json, targets: Iterable[Target]) -> None:
        """Write down what this cluster registers, before it does."""
        if not binding["spec"].get("multiClusterTargetGroup"):
            return
        wanted = {f"{target.id}:{target.port}" for target in targets}
        where = key(binding)
        if where in self._known and self._known[where] == wanted:
            return
        namespace, name = where[0], f"{_PREFIX}{where[1]}"
        data = {"targets": ",".join(sorted(wanted))}
        body: Json = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": namespace, "name": name},
            "data": data,
        }
        try:
            self._kube.replace("ConfigMap", body)
        except KubeError as error:
            if not error.missing:
                raise
            self._kube.create("ConfigMap", namespace, body)
        self._known[where] = wanted

    def forget(self, binding: Json) -> None:
        """The binding is going."""
        where = key(binding)
        self._known.pop(where, None)
        if binding["spec"].get("multiClusterTargetGroup"):
            self._kube.delete("ConfigMap", where[0], f"{_PREFIX}{where[1]}")

    def _load(self, binding: Json) -> set[str]:
        where = key(binding)
        if where not in self._known:
            try:
                found = self._kube.get("ConfigMap", where[0], f"{_PREFIX}{where[1]}")
            except KubeError as error:
                if not error.missing:
                    raise
                return set()
            text = (found.get("data") or {}).get("targets", "")
            self._known[where] = {part for part in text.split(",") if part}
        return self._known[where]
