"""The list of all rules.

A rule is a short function under `@rule(...)`. Everything else is derived from it: the pack's policies, the profiles,
`docs/policies.md` and the tests' check for completeness.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pack.controls import Control
from pack.properties import Edit
from pack.resources import Stack
from pack.views import Kind, View


class Level(StrEnum):
    """What a violation does, in the engine's terms."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"
    DISABLED = "disabled"


class Severity(StrEnum):
    """How bad a violation is, in the engine's terms."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


ADVISORY, MANDATORY = Level.ADVISORY, Level.MANDATORY
LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL


@dataclass(frozen=True)
class Finding:
    """What is wrong, if only some of the rule's settings would allow it."""

    what: str
    allowed_by: str
    """The settings that would allow it, in a phrase: `add shop to publicNamespaces`."""


Messages = Iterable[str | Finding]


@dataclass(frozen=True)
class Setting:
    """A number or list that a profile may change; `schema` is its JSON schema."""

    default: Any
    about: str
    schema: Mapping[str, Any]
    allows: bool = True
    """Whether another value can make the rule accept what it now refuses."""


def number(default: float, about: str) -> Setting:
    """Declare a setting that is a number, 0 or more."""
    return Setting(default, about, {"type": "number", "minimum": 0})


def text(default: str, about: str, *, allows: bool = True) -> Setting:
    """Declare a setting that is a text."""
    return Setting(default, about, {"type": "string"}, allows)


def texts(default: Iterable[str], about: str, *, allows: bool = True) -> Setting:
    """Declare a setting that is a list of texts."""
    return Setting(list(default), about, {"type": "array", "items": {"type": "string"}}, allows)


def numbers(default: Iterable[float], about: str) -> Setting:
    """Declare a setting that is a list of numbers."""
    return Setting(list(default), about, {"type": "array", "items": {"type": "number"}})


def camel(name: str) -> str:
    """Return a setting's name in configuration files: `publicNamespaces` for `public_namespaces`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@dataclass
class Rule:
    """A rule: its requirement and reason, the resources it checks, and how strictly it is enforced."""

    name: str
    subject: str
    demand: str
    instead: str
    why: str
    source: str
    severity: Severity
    on: Any
    across_stack: bool
    check: Callable[..., Any]
    prod: Level
    dev: Level
    controls: tuple[Control, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    remediation: Callable[..., Iterable[Edit]] | None = None

    def remedy(self, change: Callable[..., Iterable[Edit]]) -> Callable[..., Iterable[Edit]]:
        """Give the rule a remediation: a function that yields the edits that make the rule pass."""
        self.remediation = change
        return change

    def sets(self, name: str, value: Any) -> None:
        """Give the rule the remediation that sets a field of its resource."""

        def set_field(view: View) -> Iterable[Edit]:
            yield view.put(name, value)

        self.remediation = set_field

    def configured(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings by name: the profile's if it has them, otherwise the defaults."""
        return {name: config.get(camel(name), setting.default) for name, setting in self.settings.items()}

    @property
    def advice(self) -> str:
        """The end of every message: what to write instead, and the settings that would allow the case."""
        allowing = [camel(name) for name, setting in self.settings.items() if setting.allows]
        others = [name for name in allowing if name not in self.instead]
        if len(others) < len(allowing) or not others:
            return self.instead
        return f"{self.instead}; to allow it, change {' or '.join(others)}"


def schema(rule: Rule) -> dict[str, Any]:
    """Return the JSON schema of each of a rule's settings."""
    return {
        camel(name): {**setting.schema, "default": setting.default, "description": setting.about}
        for name, setting in rule.settings.items()
    }


RULES: dict[str, Rule] = {}


def by_subject() -> list[Rule]:
    """Return all rules in the order of their subjects' names, wherever in the folders a subject is."""
    return sorted(RULES.values(), key=lambda rule: rule.subject)


def rule(
    *,
    on: Any,
    instead: str,
    source: str = "",
    severity: Severity = HIGH,
    prod: Level = MANDATORY,
    dev: Level | None = None,
    controls: Iterable[Control] = (),
    **settings: Setting,
) -> Callable[[Callable[..., Any]], Rule]:
    """Register a rule.

    The function's name, in kebab-case, is the rule's. The first line of its docstring is the requirement: one sentence
    that says what must be true. The rest is the reason. The function gets the view of one resource and yields what is
    wrong with it. If it asks for the `Stack` as well, it runs when all resources are known, to relate them to each
    other. Each setting is a keyword argument.

    Args:
        on: The kind of resource.
        instead: What to write instead; it ends every message.
        source: Link to the requirement's source; by default the page of the first control that has one.
        severity: How bad a violation is.
        prod: Level in the profile `prod`, which is the pack's default.
        dev: Level in the profile `dev`; by default only what is critical is mandatory there.
        controls: The published controls it covers.
        **settings: Numbers and lists that a profile may change.

    Raises:
        ValueError: two rules have one name, or there is no requirement, no reason or no source.
    """
    covered = tuple(controls)
    link = source or next((control.page for control in covered if control.page), "")

    def register(check: Callable[..., Any]) -> Rule:
        name = check.__name__.replace("_", "-")
        demand, _, why = (inspect.getdoc(check) or "").partition("\n\n")
        if name in RULES or not why or not link:
            raise ValueError(f"rule {name}: give each rule a name of its own, a requirement, a reason and a source")
        RULES[name] = Rule(
            name,
            check.__module__.rsplit(".", 1)[-1],
            demand,
            instead,
            " ".join(why.split()),
            link,
            severity,
            on,
            "stack" in inspect.signature(check).parameters,
            check,
            prod,
            dev or (MANDATORY if severity is CRITICAL else ADVISORY),
            covered,
            settings,
        )
        return RULES[name]

    return register


__all__ = ["RULES", "Control", "Kind", "Level", "Messages", "Rule", "Setting", "Severity", "Stack", "View", "rule"]
