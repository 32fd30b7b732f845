"""How EKS's webhook gives a pod its identity: a projected token, and variables with its path. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.cluster.api import Object

PREFIX = "eks.amazonaws.com"
_EXPIRATION = 86400
_SHORTEST = 600


@dataclass(frozen=True)
class Injection:
    """What every container of a pod gets."""

    volume: str
    mount: str
    audience: str
    file: str
    """The token's name below `mount`."""
    variables: Mapping[str, str]
    seconds: int = _EXPIRATION


def expiration(annotations: Mapping[str, str]) -> int:
    """A token's lifetime in seconds, from annotations."""
    text = annotations.get(f"{PREFIX}/token-expiration", "")
    return max(int(text), _SHORTEST) if text.isdigit() else _EXPIRATION


def inject(pod: Object, given: Injection) -> list[dict[str, Any]]:
    """The JSON patch that gives a pod its identity; containers named in its annotation are left out."""
    annotations = pod["metadata"].get("annotations") or {}
    skipped = {s.strip() for s in annotations.get(f"{PREFIX}/skip-containers", "").split(",")}
    token = {"audience": given.audience, "expirationSeconds": given.seconds, "path": given.file}
    volume = {"name": given.volume, "projected": {"sources": [{"serviceAccountToken": token}]}}
    kept = [v for v in pod["spec"].get("volumes") or [] if v["name"] != given.volume]
    changes: list[dict[str, Any]] = [{"op": "add", "path": "/spec/volumes", "value": [*kept, volume]}]
    for kind in ("initContainers", "containers"):
        containers: list[Object] = pod["spec"].get(kind) or []
        if containers:
            value = [c if c["name"] in skipped else _with(c, given) for c in containers]
            changes.append({"op": "add", "path": f"/spec/{kind}", "value": value})
    return changes


def _with(container: Object, given: Injection) -> Object:
    """A container with the mount, and the variables that it does not set itself."""
    present = {v["name"] for v in container.get("env") or []}
    mounts: list[dict[str, Any]] = container.get("volumeMounts") or []
    if not any(m["name"] == given.volume for m in mounts):
        mounts = [*mounts, {"name": given.volume, "mountPath": given.mount, "readOnly": True}]
    added = [{"name": k, "value": v} for k, v in given.variables.items() if k not in present]
    return {**container, "env": [*(container.get("env") or []), *added], "volumeMounts": mounts}
