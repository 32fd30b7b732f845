"""Values in rules: plain data, or not known yet.

During a preview any property may be unknown. A rule may pass an unknown value on; only *deciding* by it raises
`NotYetKnown`, which ends the check of that resource without a verdict. The engine asks again in the update, before it
creates the resource. A rule that leaves unknown values out states this with `known`, `words` or `unknown`; then its
acceptance is not final.
"""

import json
from collections.abc import Iterable
from threading import local
from typing import Any, Final, NoReturn

from pack.secrets import alike


class NotYetKnown(Exception):  # noqa: N818 - it is no error: there is no verdict yet
    """A rule would have to decide by a value that is unknown during preview."""


class Later(NotYetKnown):
    """A rule would have to decide by a resource that the program may still declare."""


class Unknown:
    """A value that is not known yet: it may be passed on; deciding by it raises `NotYetKnown`."""

    def _undecided(self, *_: object) -> NoReturn:
        raise NotYetKnown

    __bool__ = __eq__ = __ne__ = __hash__ = __lt__ = __le__ = __gt__ = __ge__ = _undecided  # pyright: ignore[reportAssignmentType]
    __iter__ = __len__ = __getitem__ = __contains__ = __str__ = __float__ = __int__ = _undecided
    __getattr__ = _undecided

    def __format__(self, _spec: str) -> str:
        return "(not known yet)"


UNKNOWN: Final = Unknown()


class Partial(dict[str, Any]):
    """Data that is only a part, like a patch's: missing keys are set elsewhere, so they are `UNKNOWN`."""

    def get(self, key: str, default: Any = UNKNOWN) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the value, by default `UNKNOWN`."""
        return super().get(key, default)


def partial(value: Any) -> Any:
    """Mark plain data as a part."""
    if isinstance(value, dict):
        return Partial({key: partial(item) for key, item in value.items()})
    return [partial(item) for item in value] if isinstance(value, list) else value


def dig(value: Any, path: Iterable[str]) -> Any:
    """Follow keys into plain data: return the value, `None` if something is missing, `UNKNOWN` if it may exist."""
    for key in path:
        if isinstance(value, Unknown):
            return value
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any) -> list[Any]:
    """Return a list in any case: nothing becomes an empty list, one thing a list of one.

    Raises:
        NotYetKnown: the whole list is unknown.
    """
    if isinstance(value, Unknown):
        raise NotYetKnown
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


_judging = local()


def leave_out() -> None:
    """Note that a rule ignores an unknown value."""
    _judging.left_out = True


def left_out() -> bool:
    """Say whether anything was ignored since the last question."""
    noted: bool = getattr(_judging, "left_out", False)
    _judging.left_out = False
    return noted


def unknown(value: Any) -> bool:
    """Say whether a value is unknown; for rules that then ignore it."""
    if isinstance(value, Unknown):
        leave_out()
        return True
    return False


def known(values: Iterable[Any]) -> list[Any]:
    """Leave out unknown values; for rules that can refuse one part without knowing another."""
    return [value for value in values if not unknown(value)]


def words(value: Any) -> list[str]:
    """Return the known items of a list as texts."""
    return [str(item) for item in known(items(value))]


def truth(value: Any) -> bool | None:
    """Read a boolean, also as the strings `true` and `false` in annotations, flags and AWS attributes."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return None if value is None else bool(value)


def count(value: Any) -> Any:
    """Read a number, which some providers accept as text; `None` if it is not one."""
    if isinstance(value, Unknown) or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    text = str(value).strip()
    return alike(text, int(text)) if text.isdecimal() else None


def parsed(value: Any) -> Any:
    """Read JSON given as text or as data; `None` if it is invalid (then the service that gets it refuses it)."""
    if not isinstance(value, str):
        return value
    try:
        return alike(value, json.loads(value))
    except (ValueError, RecursionError):
        return None
