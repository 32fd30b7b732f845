"""What a rule of readiness is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.kubernetes.kinds import Selection

Objects = Mapping[str, Sequence[Any]]
"""Objects by the role that they have for a rule."""

SELF: Final = "self"
"""The role of the object that is to be ready."""


def _no_relatives(_: Any) -> dict[str, Selection]:
    return {}


@dataclass(frozen=True)
class Rule:
    """What to look at, and what may be missing.

    Attributes:
        missing: From the objects by role to what is missing.
        related: From the object to the selections that it depends on, by role.
    """

    missing: Callable[[Objects], Sequence[str]]
    related: Callable[[Any], dict[str, Selection]] = _no_relatives


class FailedError(Exception):
    """It will never be ready: waiting on is pointless."""


class Settling(str):
    """A lack that may be as it should be: it counts no more once nothing has changed for a while.

    A Service whose workload is scaled to nothing has no endpoints, and never will have.
    """

    __slots__ = ()


def at(item: Any, *path: str) -> Any:
    """The value at a path of an object, or None."""
    for part in path:
        item = item.get(part) if isinstance(item, Mapping) else None
    return item


def condition(item: Any, name: str) -> Mapping[str, Any]:
    """A condition of an object's status, or an empty mapping."""
    return next((entry for entry in at(item, "status", "conditions") or () if entry.get("type") == name), {})


def labels_of(selector: Mapping[str, str] | None) -> str:
    """A selector's labels as a query."""
    return ",".join(f"{key}={value}" for key, value in sorted((selector or {}).items()))
