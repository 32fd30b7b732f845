"""How a thing is listed on the page. The shapes are what `page/list.js` reads."""

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
        "refs": [ref for ref in refs or [] if ref],
        "details": [(name, value) for name, value in details or [] if value],
        "items": items or [],
    }
