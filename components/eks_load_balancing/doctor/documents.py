"""Policy documents, read. Pure."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from eks_load_balancing.doctor.facts import Object


def listed(value: Any) -> list[Any]:
    """Return what a document says once or several times as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def statements(document: Object) -> Iterator[Object]:
    """Walk over a document's statements."""
    yield from listed(document.get("Statement"))


def names_action(statement: Object, action: str) -> bool:
    """Return whether a statement is about an action; case does not count, `*` and `?` do."""
    if "NotAction" in statement:
        return not any(_pattern(p).fullmatch(action) for p in listed(statement["NotAction"]))
    return any(_pattern(p).fullmatch(action) for p in listed(statement.get("Action")))


def grants(documents: Iterable[Object], action: str) -> bool:
    """Return whether some statement allows an action, on whatever and under whatever condition, and none forbids it.

    A denial counts if it is for everything and without a condition.
    """
    about = [s for d in documents for s in statements(d) if names_action(s, action)]
    denied = any(s["Effect"] == "Deny" and "*" in listed(s.get("Resource")) and not s.get("Condition") for s in about)
    return not denied and any(s["Effect"] == "Allow" for s in about)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
