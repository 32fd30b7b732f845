"""IAM policy documents as rules ask about them.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from pack.values import UNKNOWN, Unknown, dig, items, words

# An action that only reads starts with one of these verbs, in every service.
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
    """One statement of a document, with single values as lists."""

    effect: Any
    actions: list[Any]
    not_actions: list[Any]
    resources: list[Any]
    not_resources: list[Any]
    principals: dict[Any, Any]
    """Identities by kind (`AWS`, `Service`, `Federated`); NotPrincipal counts as everybody."""
    conditions: Any
    """Triples of operator (`StringEquals`), key (`aws:ResourceTag/x`) and values; `UNKNOWN` if any of it is."""

    @property
    def allows(self) -> bool:
        """Whether it allows anything."""
        return self.effect == "Allow"

    def grants(self, action: str) -> bool:
        """Say whether it allows an action, by its name, by a wildcard, or by leaving it out of NotAction."""
        named = matches(action, words(self.actions))
        left_in = bool(self.not_actions) and not matches(action, words(self.not_actions))
        return self.allows and (named or left_in)

    @property
    def is_on_everything(self) -> bool:
        """Whether its resources are all resources, of the account or of a service."""
        return bool(self.not_resources) or any(_is_everything(resource) for resource in words(self.resources))

    @property
    def is_wide(self) -> bool:
        """Whether its resources are all resources, or all of a type: `*`, `secret:*`, `role/*`, every object."""
        return bool(self.not_resources) or any(_leaves_open(resource) for resource in words(self.resources))

    @property
    def asks_for_a_tag(self) -> bool:
        """Whether its conditions require a tag, with a value or without."""
        return any(
            _tag_of(key) is not None and (_demands(operator, values) or _must_be_there(operator, values))
            for operator, key, values in self.conditions
        )

    def is_bound_by(self, tag: str) -> bool:
        """Say whether it applies only to resources whose tag has exactly the given values."""
        return any(
            operator == "StringEquals" and "resourcetag/" in key.lower() and _tag_of(key) == tag.lower()
            for operator, key, _ in self.conditions
        )


def statements(document: Any) -> Iterator[Statement]:
    """Read a document's statements.

    Raises:
        NotYetKnown: the document, or its list of statements, is unknown.
    """
    for item in items(dig(document, ["Statement"])):
        principal = "*" if dig(item, ["NotPrincipal"]) is not None else dig(item, ["Principal"])
        yield Statement(
            dig(item, ["Effect"]),
            items(dig(item, ["Action"])),
            items(dig(item, ["NotAction"])),
            items(dig(item, ["Resource"])),
            items(dig(item, ["NotResource"])),
            principal if isinstance(principal, dict) else {"AWS": principal},
            _conditions(dig(item, ["Condition"])),
        )


# Conditions with these operators require something; their negations and IfExists are true if the key is missing.
_COMPARISONS: Final = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
_ARN_PARTS: Final = 6


def _tag_of(key: str) -> str | None:
    """Return the tag that a condition key is about; IAM ignores the case of condition keys."""
    kind, slash, tag = key.lower().partition("/")
    return tag if slash and kind.endswith((":resourcetag", ":requesttag")) else None


def _demands(operator: str, values: list[Any]) -> bool:
    comparison = operator.lower().removeprefix("foranyvalue:")
    return comparison in _COMPARISONS and not any(set(value) <= {"*"} for value in words(values))


def _must_be_there(operator: str, values: list[Any]) -> bool:
    return operator.lower() == "null" and [value.lower() for value in words(values)] == ["false"]


def _is_everything(resource: str) -> bool:
    """Say whether an ARN pattern leaves the resource open: `*`, `arn:*`, `arn:aws:ec2:*:*:*`, `arn:aws:s3:::*`."""
    parts = resource.split(":", _ARN_PARTS - 1)
    return set(parts[-1]) <= set("*?/") if len(parts) == _ARN_PARTS else "*" in parts[-1]


def _leaves_open(resource: str) -> bool:
    """Say whether an ARN pattern names only a type of resource; a bucket's name comes before the slash."""
    parts = resource.split(":", _ARN_PARTS - 1)
    if _is_everything(resource) or len(parts) < _ARN_PARTS or parts[2].lower() == "s3":
        return _is_everything(resource)
    return set(re.sub(r"^[A-Za-z-]+[/:]", "", parts[-1])) <= set("*?/")


def _conditions(block: Any) -> Any:
    tests: list[tuple[str, str, list[Any]]] = []
    for operator, keys in (block if isinstance(block, dict) else {}).items():
        if isinstance(keys, Unknown):
            return UNKNOWN
        for key, values in (keys if isinstance(keys, dict) else {}).items():
            tests.append((operator, key, [UNKNOWN] if isinstance(values, Unknown) else items(values)))
    return block if isinstance(block, Unknown) else tests


def is_write(action: str, reading_verbs: list[str]) -> bool:
    """Say whether an action (`service:Verb...`) changes something; with a wildcard instead of a verb it may."""
    return not action.rpartition(":")[2].lower().startswith(tuple(verb.lower() for verb in reading_verbs))


def is_pattern(action: str) -> bool:
    """Say whether an action pattern includes several actions."""
    return "*" in action or "?" in action


def matches(action: str, patterns: list[str]) -> bool:
    """Say whether an action matches one of `patterns`; IAM ignores the case of actions."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def granted(documents: Iterable[Any] | None, actions: Iterable[str]) -> Iterator[tuple[Statement, str]]:
    """Yield those of some actions that documents grant, each with its statement."""
    for document in documents or []:
        for statement in statements(document):
            yield from ((statement, action) for action in actions if statement.grants(action))


def allowed_actions(document: Any) -> Iterator[tuple[Statement, str]]:
    """Yield every action that a document grants, with its statement."""
    for statement in statements(document):
        if statement.allows:
            for action in words(statement.actions):
                yield statement, action
