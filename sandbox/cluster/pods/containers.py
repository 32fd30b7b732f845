"""A process pod's container: its environment and its arguments, as a kubelet would set them.

Pure functions of the pod and of the objects that it refers to. An unsupported kind of reference is an error in the
container's status; nothing is left out silently.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cluster.api import Object

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['([^']+)'\]$")


class ContainerConfigError(Exception):
    """A container that cannot be created; a kubelet reports CreateContainerConfigError."""


@dataclass(frozen=True)
class Mount:
    """A path in the container, and the folder or file on this machine that replaces it."""

    inside: str
    outside: Path


Lookup = Callable[[str, str], Object | None]
"""(`secrets` or `configmaps`, name) -> the object in the pod's namespace, or None."""


def field_value(pod: Object, path: str) -> str:
    """A downward API field of a pod.

    Raises:
        ContainerConfigError: an unknown field.
    """
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status", {})
    subscript = _SUBSCRIPT.match(path)
    if subscript:
        return (metadata.get(subscript[1]) or {}).get(subscript[2], "")
    values = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": status.get("hostIP", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": ",".join(a["ip"] for a in status.get("podIPs") or []),
    }
    if path not in values:
        raise ContainerConfigError(f"fieldRef {path} is not known to the sandbox")
    return values[path]


def object_data(kind: str, obj: Object) -> dict[str, bytes]:
    """The files or variables in a Secret or ConfigMap."""
    binary = obj.get("data") if kind == "secrets" else obj.get("binaryData")
    text = {} if kind == "secrets" else obj.get("data")
    return {
        **{k: v.encode() for k, v in (text or {}).items()},
        **{k: base64.b64decode(v) for k, v in (binary or {}).items()},
    }


def _from_object(kind: str, reference: dict[str, Any], lookup: Lookup) -> dict[str, bytes] | None:
    obj = lookup(kind, reference["name"])
    if obj is None:
        if reference.get("optional"):
            return None
        raise ContainerConfigError(f"{kind[:-1]} {reference['name']} not found")
    return object_data(kind, obj)


def _value_from(pod: Object, source: dict[str, Any], lookup: Lookup) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    for key, kind in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
        if key in source:
            reference = source[key]
            data = _from_object(kind, reference, lookup)
            if data is None or (reference["key"] not in data and reference.get("optional")):
                return None
            if reference["key"] not in data:
                raise ContainerConfigError(f"{kind[:-1]} {reference['name']} has no key {reference['key']}")
            return data[reference["key"]].decode()
    raise ContainerConfigError(f"env from {', '.join(source)} is not known to the sandbox")


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$(NAME)` with the variable's value and `$$` with a dollar; an unknown name stays as it is."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else environment.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def environment(pod: Object, container: Object, lookup: Lookup) -> dict[str, str]:
    """A container's variables.

    Raises:
        ContainerConfigError: one of them is missing.
    """
    made: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for key, kind in (("secretRef", "secrets"), ("configMapRef", "configmaps")):
            if key in source:
                data = _from_object(kind, source[key], lookup) or {}
                made |= {source.get("prefix", "") + k: v.decode() for k, v in data.items()}
    for variable in container.get("env") or []:
        if "valueFrom" in variable:
            value = _value_from(pod, variable["valueFrom"], lookup)
            if value is not None:
                made[variable["name"]] = value
        else:
            made[variable["name"]] = expand(variable.get("value") or "", made)
    return made


def outside(text: str, mounts: list[Mount]) -> str:
    """Replace the container's paths in a text, alone or after a `=`, with the paths on this machine."""
    head, sep, path = text.rpartition("=") if text.startswith("-") else ("", "", text)
    # The longest mount path first, because mounts can be nested.
    for mount in sorted(mounts, key=lambda m: -len(m.inside)):
        if path == mount.inside or path.startswith(mount.inside.rstrip("/") + "/"):
            return head + sep + str(mount.outside) + path[len(mount.inside.rstrip("/")) :]
    return text


def pre_stop_seconds(container: Object) -> int:
    """How long a container's preStop hook sleeps: the `sleep` action, or a command with `sleep N` in it."""
    hook = (container.get("lifecycle") or {}).get("preStop") or {}
    if "sleep" in hook:
        return int(hook["sleep"]["seconds"])
    command = " ".join((hook.get("exec") or {}).get("command") or [])
    found = re.search(r"\bsleep +([0-9]+)", command)
    return int(found[1]) if found else 0
