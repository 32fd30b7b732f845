"""IAM policy documents as rules ask about them.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from rules.values import UNKNOWN, Unknown, dig, items, words

# An action that only reads starts with one of these verbs, in whichever service.
READING_VERBS: Final = (
    "Get",
    "List",
    "Describe",
    "BatchGet",
    "Lookup",
    "Search",
    "View",
    "Check",
    "Query",
    "Scan",
    "Estimate",
)


@dataclass(frozen=True)
class Statement:
    """One statement of a document, its singletons as lists."""

    effect: Any
    actions: list[Any]
    not_actions: list[Any]
    resources: list[Any]
    principals: dict[Any, Any]
    conditions: Any
    """Triples of operator (`StringEquals`), key (`aws:ResourceTag/x`) and values; `UNKNOWN` if any of it is."""

    @property
    def allows(self) -> bool:
        """Whether it grants anything."""
        return self.effect == "Allow"


def statements(document: Any) -> Iterator[Statement]:
    """Read a document's statements.

    Raises:
        NotYetKnown: the document, or its list of statements, is unknown.
    """
    for item in items(dig(document, ["Statement"])):
        principal = dig(item, ["Principal"])
        yield Statement(
            dig(item, ["Effect"]),
            items(dig(item, ["Action"])),
            items(dig(item, ["NotAction"])),
            items(dig(item, ["Resource"])),
            principal if isinstance(principal, dict) else {"AWS": principal},
            _conditions(dig(item, ["Condition"])),
        )


def _conditions(block: Any) -> Any:
    tests: list[tuple[str, str, list[Any]]] = []
    for operator, keys in (block if isinstance(block, dict) else {}).items():
        if isinstance(keys, Unknown):
            return UNKNOWN
        for key, values in (keys if isinstance(keys, dict) else {}).items():
            tests.append((operator, key, [UNKNOWN] if isinstance(values, Unknown) else items(values)))
    return block if isinstance(block, Unknown) else tests


def is_write(action: str, reading_verbs: list[str]) -> bool:
    """Say whether an action (`service:Verb...`) changes something; a wildcard may."""
    return not action.rpartition(":")[2].startswith(tuple(reading_verbs))


def matches(action: str, patterns: list[str]) -> bool:
    """Say whether an action is one of `patterns`; IAM ignores the case of actions."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def allowed_actions(document: Any) -> Iterator[tuple[Statement, str]]:
    """Walk over every action that a document grants, with its statement."""
    for statement in statements(document):
        if statement.allows:
            for action in words(statement.actions):
                yield statement, action
