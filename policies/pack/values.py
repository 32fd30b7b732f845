"""Values as rules meet them: plain data, or not known yet.

During a preview any property may be unknown. The SDK raises as soon as such a property is *read* and then reports an
advisory of its own for every rule that did; rules here may pass an unknown value on, and only *deciding* by it raises
`NotYetKnown`, which ends the check of that resource without a verdict. The engine asks again in the update, before the
resource is made.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from pulumi_policy import proxy
from pulumi_policy.secret import Secret

# What the engine sends in an unknown value's place; `[secret]` is what `pulumi policy analyze` shows of a secret it
# cannot decrypt.
UNKNOWN_MARKS: Final = frozenset(
    [value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_")] + ["[secret]"]
)


class NotYetKnown(Exception):  # noqa: N818 - it is no error: there is no verdict yet
    """A rule would have to decide by a value that is unknown during preview."""


class Unknown:
    """A value not known yet: it may be handed on; whoever decides by it gets `NotYetKnown`."""

    def _undecided(self, *_: object) -> NoReturn:
        raise NotYetKnown

    __bool__ = __eq__ = __ne__ = __hash__ = __lt__ = __le__ = __gt__ = __ge__ = _undecided  # pyright: ignore[reportAssignmentType]
    __iter__ = __len__ = __getitem__ = __contains__ = __str__ = __float__ = __int__ = _undecided
    __getattr__ = _undecided

    def __format__(self, _spec: str) -> str:
        return "(not known yet)"


UNKNOWN: Final = Unknown()


class Partial(dict[str, Any]):
    """Data that says a part only, as a patch does: what is missing is not left out but stands elsewhere, `UNKNOWN`."""

    def get(self, key: str, default: Any = UNKNOWN) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return what is said, else `UNKNOWN`."""
        return super().get(key, default)


def partial(value: Any) -> Any:
    """Mark plain data as saying a part only."""
    if isinstance(value, dict):
        return Partial({key: partial(item) for key, item in value.items()})
    return [partial(item) for item in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Return a property as plain dicts, lists and scalars, with `UNKNOWN` for what is unknown and no secret marks."""
    if isinstance(value, Partial):
        return value
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_MARKS else value
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Mapping):
        target = _target(value)
        return {key: plain(item) for key, item in target.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in _target(value)]
    return value


def writable(value: Any) -> Any:
    """Return a copy that may be changed and sent back: as `plain`, but secrets stay marked and unknowns as sent."""
    if isinstance(value, Secret):
        return Secret(writable(value.value))
    if isinstance(value, Mapping):
        return {key: writable(item) for key, item in _target(value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [writable(item) for item in _target(value)]
    return value


def _target(value: Any) -> Any:
    """Look behind the SDK's proxies, which raise on unknowns and hide secret marks (`pulumi_policy.proxy`)."""
    return value if isinstance(value, dict | list | tuple) else value["__target"]


def dig(value: Any, path: Iterable[str]) -> Any:
    """Follow keys into plain data: the value there, `None` where something is missing, `UNKNOWN` where it may be."""
    for key in path:
        if isinstance(value, Unknown):
            return value
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any) -> list[Any]:
    """Return a list whatever the spelling: nothing is empty, one thing is a list of one.

    Raises:
        NotYetKnown: the whole list is unknown.
    """
    if isinstance(value, Unknown):
        raise NotYetKnown
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def known(values: Iterable[Any]) -> list[Any]:
    """Leave out what is unknown: for rules that can condemn one part without knowing another."""
    return [value for value in values if not isinstance(value, Unknown)]


def words(value: Any) -> list[str]:
    """Return the known items of a list as texts."""
    return [str(item) for item in known(items(value))]


def truth(value: Any) -> bool | None:
    """Read a switch: booleans and the strings `true` and `false` of annotations, flags and AWS attributes."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None if value is None else bool(value)


def count(value: Any) -> Any:
    """Read a number, which some providers take as text; `None` if it is none."""
    if isinstance(value, Unknown) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = str(value).strip()
    return int(text) if text.isdecimal() else None


def parsed(value: Any) -> Any:
    """Read JSON given as text or as data; `None` if it is no JSON (then the service that takes it refuses it)."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
