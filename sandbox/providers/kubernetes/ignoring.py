"""`ignoreChanges` under server-side apply: what is left to its other manager, and what is sent as it is. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.providers.kubernetes.changes import Path, parse_property_path


def without_ignored(item: Any, live: Any, manager: str, ignored: Sequence[str]) -> Any:
    """An object as it is to be applied when some of its fields are to be ignored.

    A field that another manager owns is left out; one that is ours is sent as it is, else apply would remove it.
    """
    for text in ignored:
        path = parse_property_path(text)
        ours = _owned(live, path, lambda entry: entry["manager"] == manager)
        if not ours and _owned(live, path, lambda _: True):
            item = _with(item, path, None)
        elif (value := _at(live, path)) is not None:
            item = _with(item, path, value)
    return item


def _owned(live: Any, path: Path, whose: Callable[[Any], bool]) -> bool:
    for entry in live["metadata"].get("managedFields") or ():
        fields = entry.get("fieldsV1") or {}
        for part in path:
            fields = fields.get(f"f:{part}") if isinstance(fields, Mapping) else None
        if fields is not None and whose(entry):
            return True
    return False


def _at(item: Any, path: Path) -> Any:
    for part in path:
        item = item.get(part) if isinstance(item, Mapping) and isinstance(part, str) else None
    return item


def _with(item: Any, path: Path, value: Any) -> Any:
    """A copy with a value at a path; None removes it. Paths through lists are left alone."""
    if not isinstance(item, Mapping) or not path:
        return item
    first, rest = path[0], path[1:]
    if rest:
        return {**item, first: _with(item[first], rest, value)} if first in item else item
    kept = {key: old for key, old in item.items() if key != first}
    return kept if value is None else {**kept, first: value}
