"""A plan for people: a tree in 80 columns, and its Markdown. Pure."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from sandbox.plan.result.changes import ADD, CHANGE, KEEP, REMOVE, REPLACE, Change, Difference

WIDTH = 80
MARKS = {ADD: "+", CHANGE: "~", REPLACE: "-/+", REMOVE: "-", KEEP: ""}
COLOURS = {ADD: "green", CHANGE: "yellow", REPLACE: "red", REMOVE: "red", KEEP: ""}
_COLUMN = 17
_STEP = 4

Line = tuple[str, str]
"""A line, and the action whose colour it has; empty for none."""


def tree(found: Difference) -> list[Line]:
    """Every load balancer that something happens to, with what happens."""
    lines = list[Line]()
    for change in found.changes:
        if change.action != KEEP:
            lines += [*_node(change, 0), ("", "")]
    return lines


def summary(found: Difference, refused: int = 0) -> str:
    """The last line: `Plan: 1 load balancer to add, 0 to change, 1 to replace, 0 to remove.`."""
    counted = found.summary
    if found.empty and not refused:
        return "No changes. Load balancers are as the manifests say."
    noun = "load balancer" if counted[ADD] == 1 else "load balancers"
    more = f" Refused: {refused}." if refused else ""
    words = f"{counted[ADD]} {noun} to add, {counted[CHANGE]} to change"
    return f"Plan: {words}, {counted[REPLACE]} to replace, {counted[REMOVE]} to remove.{more}"


def _node(change: Change, depth: int) -> Iterator[Line]:
    mark, indent = MARKS[change.action], " " * (_STEP * depth)
    head = f"{indent}{mark:<3} {change.title}"
    yield from ((line, change.action) for line in _wrapped(head, f"{indent}{' ' * (_STEP + 2)}"))
    below = f"{indent}{' ' * _STEP}"
    for reason in change.reasons:
        yield from ((line, REPLACE) for line in _wrapped(f"{below}must be replaced: {reason}", f"{below}  "))
    for warning in change.warnings:
        yield from ((line, REPLACE) for line in _wrapped(f"{below}! {warning}", f"{below}  "))
    for name, (before, after) in change.fields.items():
        for line in _field(name, before, after, change.action):
            yield from ((part, "") for part in _wrapped(f"{below}{line}", f"{below}{' ' * (_COLUMN + 1)}"))
    for child in change.children:
        if child.action != KEEP:
            yield from _node(child, depth + 1)


def _field(name: str, before: Sequence[str], after: Sequence[str], action: str) -> Iterator[str]:
    """The lines of one field: its values, or how they change."""
    if action in (ADD, REMOVE):
        shown = list(after if action == ADD else before)
    elif len(before) == len(after) == 1:
        shown = [f"{before[0]} -> {after[0]}"]
    else:
        shown = [f"- {v}" for v in before if v not in after] + [f"+ {v}" for v in after if v not in before]
        shown = shown or ["in another order"]
    for number, value in enumerate(shown):
        yield f"{name if number == 0 else '':<{_COLUMN}} {value}"


def _wrapped(line: str, indent: str) -> list[str]:
    """A line in 80 columns; a word that is longer stays whole, so that it can be copied."""
    if len(line) <= WIDTH:
        return [line]
    begins = line[: len(line) - len(line.lstrip())]
    found = textwrap.wrap(
        line.lstrip(), WIDTH, initial_indent=begins, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip
    return found or [line]


def plain(lines: Iterable[Line]) -> str:
    """The lines without colour."""
    return "\n".join(line for line, _ in lines)
