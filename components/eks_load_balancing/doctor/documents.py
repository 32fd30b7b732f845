"""Reads policy documents. Pure."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from eks_load_balancing.doctor.facts import Object


def listed(value: Any) -> list[Any]:
    """Return a document's value, which may be one or several, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def statements(document: Object) -> Iterator[Object]:
    """Yield a document's statements."""
    yield from listed(document.get("Statement"))


def names_action(statement: Object, action: str) -> bool:
    """Return whether a statement names an action, whatever its case; `*` and `?` are wildcards."""
    if "NotAction" in statement:
        return not any(_pattern(p).fullmatch(action) for p in listed(statement["NotAction"]))
    return any(_pattern(p).fullmatch(action) for p in listed(statement.get("Action")))


def denies(document: Object, action: str) -> bool:
    """Return whether a document forbids an action for every resource and without a condition."""
    return any(
        s["Effect"] == "Deny"
        and names_action(s, action)
        and "*" in listed(s.get("Resource"))
        and not s.get("Condition")
        for s in statements(document)
    )


def grants(documents: Iterable[Object], action: str) -> bool:
    """Return whether a statement allows an action, for whatever resource and condition, and no document denies it."""
    documents = list(documents)
    allowed = any(s["Effect"] == "Allow" and names_action(s, action) for d in documents for s in statements(d))
    return allowed and not any(denies(document, action) for document in documents)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
