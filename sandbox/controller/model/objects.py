"""Kubernetes objects as they come over the wire (JSON), and how the model reads them.

No client models: turning a watch event of a thousand pods into typed objects costs more than the decision it serves.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from sandbox.controller.model.stack import Json, ModelError

Key = tuple[str, str]


class Objects(Protocol):
    """Reading access to the cluster's objects (an informer's cache, or a dict in a test)."""

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """One object, None where there is none (`namespace` is empty for cluster-wide kinds)."""
        ...

    def list(self, kind: str, namespace: str | None = None) -> list[Json]:
        """All objects of a kind (in one namespace)."""
        ...


def key(obj: Json) -> Key:
    """Namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def name_of(obj: Json) -> str:
    """`namespace/name`, or the name alone."""
    return "/".join(part for part in key(obj) if part)


def annotations(obj: Json) -> Mapping[str, str]:
    """Annotations, empty where there are none."""
    return obj["metadata"].get("annotations") or {}


def finalizers(obj: Json) -> list[str]:
    """Finalizers, empty where there are none."""
    return obj["metadata"].get("finalizers") or []


def deleting(obj: Json) -> bool:
    """Whether its deletion has begun."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def service_port(service: Json, port: int | str) -> Json:
    """The Service's port of that number (int) or name (str).

    Raises:
        ModelError: it has none.
    """
    field = "port" if isinstance(port, int) else "name"
    for candidate in service["spec"].get("ports") or []:
        if candidate.get(field) == port:
            return candidate
    raise ModelError(f"unable to find port {port} on service {name_of(service)}")


def int_or_name(text: str | int) -> int | str:
    """What Kubernetes calls IntOrString: an int where the text is one."""
    try:
        return int(text)
    except ValueError:
        return text


def matches(selector: Json | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector matches; an absent one matches everything."""
    selector = selector or {}
    return all(labels.get(k) == v for k, v in (selector.get("matchLabels") or {}).items()) and all(
        _requirement(one, labels) for one in selector.get("matchExpressions") or []
    )


def _requirement(requirement: Json, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement["key"])
    match requirement["operator"]:
        case "In":
            return value in requirement["values"]
        case "NotIn":
            return value not in requirement["values"]
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case operator:
            raise ModelError(f"{operator!r} is not a valid label selector operator")


def exclusive(what: str, values: Iterable[Any]) -> Any:
    """The one value that all agree on, None where there is none.

    Raises:
        ModelError: they do not agree.
    """
    distinct = sorted({value for value in values if value is not None}, key=str)
    if len(distinct) > 1:
        raise ModelError(f"conflicting {what}: [{' '.join(map(str, distinct))}]")
    return distinct[0] if distinct else None
