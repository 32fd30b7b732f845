"""A rule's verdict on a resource: what is wrong, or that it cannot tell yet. A rule that crashes refuses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from google.protobuf import struct_pb2

from pack.properties import edited, sent
from pack.registry import Finding, Rule
from pack.resources import Resource, Stack, objects_in, opened
from pack.secrets import without_secrets
from pack.values import Later, NotYetKnown, left_out

CRASHED: Final = "this rule crashed"
_LONGEST: Final = 240


@dataclass(frozen=True)
class Refusal:
    """What is wrong with a resource, in one line."""

    message: str
    crashed: bool = False


class Verdict:
    """A rule's verdict on one resource."""

    def __init__(self) -> None:
        self.found: list[str | Finding] = []
        self.crashes: list[str] = []
        self.refusals: list[Refusal] = []
        self.waits = False
        """It depends on values that are known only in the update."""
        self.later = False
        """It depends on resources that the program may still declare."""

    def note(self, undecided: NotYetKnown) -> None:
        """Record why there is no verdict yet."""
        self.later |= isinstance(undecided, Later)
        self.waits |= not isinstance(undecided, Later)

    def told(self, secrets: Callable[[], set[str]], rule: Rule) -> Self:
        """Put what was found into messages, without secrets."""
        if self.found or self.crashes:
            texts = secrets()
            self.refusals = [Refusal(_message(rule, one, texts)) for one in self.found]
            self.refusals += [Refusal(_crash(rule, one, texts), crashed=True) for one in self.crashes]
        return self


def one_line(text: str) -> str:
    """Make a message readable in one line, whatever it quotes: no line breaks or control characters, not too long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def judge(rule: Rule, seen: Resource, config: Mapping[str, Any]) -> Verdict:
    """Apply a rule to one resource: to each Kubernetes object in it."""
    verdict = Verdict()
    try:
        for one in objects_in(seen):
            _ask(rule, lambda one=one: (rule.on.view(one),), config, verdict)
    except NotYetKnown as undecided:
        verdict.note(undecided)
    return verdict.told(lambda: seen.vault.texts, rule)


def judge_stack(rule: Rule, stack: Stack, config: Mapping[str, Any]) -> Iterator[tuple[str, Verdict]]:
    """Apply a rule across the stack to each resource of its kind; the URN comes with each verdict."""
    for view in (one for one in stack.of(rule.on) if one.urn):  # resources of another stack are checked there
        verdict = Verdict()
        _ask(rule, lambda view=view: (view, stack), config, verdict)
        yield view.urn, verdict.told(lambda: {text for vault in stack.vaults for text in vault.texts}, rule)


def _ask(rule: Rule, look: Callable[[], tuple[Any, ...]], config: Mapping[str, Any], verdict: Verdict) -> None:
    left_out()
    found: list[str | Finding] = []
    try:
        view, *rest = look()
        if view is not None:
            for one in rule.check(view, *rest, **rule.configured(config)):
                found.append(one)  # noqa: PERF402 - what was found before a value that is not known yet counts
    except NotYetKnown as undecided:
        verdict.note(undecided)
    except Exception as error:  # noqa: BLE001 - else one rule's crash would stop every program, without its name
        verdict.crashes.append(f"{type(error).__name__}: {error}")
    verdict.found += found
    verdict.waits |= left_out() and not found


def _message(rule: Rule, found: str | Finding, secrets: set[str]) -> str:
    if isinstance(found, Finding):
        what, allowed_by = (one_line(without_secrets(text, secrets)) for text in (found.what, found.allowed_by))
        return f"{what}. {rule.instead}, or {allowed_by}"
    return f"{one_line(without_secrets(found, secrets))}. {rule.advice}"


def _crash(rule: Rule, error: str, secrets: set[str]) -> str:
    what = one_line(without_secrets(error, secrets))
    return f"{CRASHED} ({what}). Report it; until it is fixed, disable the rule {rule.name}"


def remedied(rule: Rule, message: Any, config: Mapping[str, Any], stack: Stack) -> struct_pb2.Struct | None:
    """Return a resource's fixed properties, or `None` if nothing should or can be changed.

    Objects in lists and patches are never changed.
    """
    try:
        return fixed(rule, message, config, stack)
    except Exception:  # noqa: BLE001 - what cannot be fixed is refused, and `judge` says why
        return None


def fixed(rule: Rule, message: Any, config: Mapping[str, Any], stack: Stack) -> struct_pb2.Struct | None:
    """Return a resource's changed properties.

    Raises:
        NotYetKnown: whether and how they change is not known yet.
    """
    if rule.remediation is None:
        return None
    settings, seen = rule.configured(config), opened(message)
    seen.stack = stack
    view = rule.on.view(seen)
    if view is None or not list(rule.check(view, **settings)):
        return None
    edits = list(rule.remediation(view, **settings))
    if not edits:
        return None
    properties = struct_pb2.Struct()
    properties.update(edited(sent(message.properties), edits))
    return properties
