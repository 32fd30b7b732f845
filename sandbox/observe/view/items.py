"""How a thing is listed on the page. The shapes are what `page/list.js` reads."""

from collections.abc import Iterable
from typing import Any, TypedDict

Json = dict[str, Any]


class Item(TypedDict):
    """One line of a list, with what is folded away under it."""

    id: str
    """Unique in its list, and the same for as long as the thing is."""
    title: str
    note: str
    """What matters of it now, in a few words."""
    mood: str
    """`good`, `wait`, `bad`, or empty where it has no health."""
    time: str
    """When it was, for what happened; empty for what is."""
    refs: list[str]
    """What it is known by elsewhere: addresses, host names, ARNs, names. Things that share one belong together."""
    details: list[tuple[str, str]]
    items: list["Item"]


def item(
    identity: str,
    title: str,
    note: str = "",
    mood: str = "",
    *,
    time: str = "",
    refs: list[str] | None = None,
    details: list[tuple[str, str]] | None = None,
    items: list[Item] | None = None,
) -> Item:
    """An item; details without a value are left out."""
    return {
        "id": identity,
        "title": title,
        "note": note,
        "mood": mood,
        "time": time,
        "refs": [ref for ref in refs or [] if ref],
        "details": [(name, value) for name, value in details or [] if value],
        "items": items or [],
    }


def broken_first(items: Iterable[Item]) -> list[Item]:
    """What is bad before what is not; else by title."""
    return sorted(items, key=lambda entry: (entry["mood"] != "bad", entry["title"]))
