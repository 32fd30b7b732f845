"""The one list of rules.

A rule is a short function under `@rule(...)`; all else comes from here: the pack's policies, the profiles,
`docs/policies.md` and the tests' check that nothing is left out.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from pack.manifests import manifests
from pack.seen import Seen
from pack.values import NotYetKnown
from pack.views import Edit, Kind, Stack, View, edited

ADVISORY, MANDATORY = EnforcementLevel.ADVISORY, EnforcementLevel.MANDATORY
LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL

Messages = Iterable[str]

BROKEN: Final = "this could not be judged, for the rule itself is at fault"
_LONGEST: Final = 240


def one_line(text: str) -> str:
    """Make a message readable in one line, whatever values it quotes: no breaks or control characters, no novels."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


@dataclass(frozen=True)
class Control:
    """A control of a published framework that a rule covers."""

    framework: str
    number: str
    title: str

    def __str__(self) -> str:
        return f"{self.framework} {self.number}".strip()


@dataclass(frozen=True)
class Setting:
    """A number or list that a profile may change; `schema` is its JSON schema."""

    default: Any
    about: str
    schema: Mapping[str, Any]


def number(default: float, about: str) -> Setting:
    """Declare a setting that is a number, 0 or more."""
    return Setting(default, about, {"type": "number", "minimum": 0})


def text(default: str, about: str) -> Setting:
    """Declare a setting that is a text."""
    return Setting(default, about, {"type": "string"})


def texts(default: Iterable[str], about: str) -> Setting:
    """Declare a setting that is a list of texts."""
    return Setting(list(default), about, {"type": "array", "items": {"type": "string"}})


def numbers(default: Iterable[float], about: str) -> Setting:
    """Declare a setting that is a list of numbers."""
    return Setting(list(default), about, {"type": "array", "items": {"type": "number"}})


def camel(name: str) -> str:
    """Spell a setting as configuration files do: `public_namespaces` is `publicNamespaces` there."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@dataclass
class Rule:
    """A rule: what it demands and why, of what it is checked, and how hard it is enforced."""

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
    prod: EnforcementLevel
    dev: EnforcementLevel
    controls: tuple[Control, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict[str, Setting])
    remediation: Callable[..., Iterable[Edit]] | None = None

    def remedy(self, change: Callable[..., Iterable[Edit]]) -> Callable[..., Iterable[Edit]]:
        """Give the rule a remediation: a function that yields the edits after which the rule passes."""
        self.remediation = change
        return change

    def configured(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings by name: the profile's where it has them, else the defaults."""
        return {name: config.get(camel(name), setting.default) for name, setting in self.settings.items()}

    def validate(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Check one resource, as the SDK calls it."""
        with suppress(NotYetKnown):
            for seen in manifests(_seen(args)):
                self._judge(lambda seen=seen: self.on.view(seen), (), args.get_config(), args.urn, report)

    def validate_stack(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Check the stack, as the SDK calls it: each resource of the rule's kind with all others at hand."""
        stack = Stack(args.resources)
        for view in stack.of(self.on):
            self._judge(lambda view=view: view, (stack,), args.get_config(), view.urn, report)

    def _judge(
        self,
        look: Callable[[], Any],
        rest: tuple[Any, ...],
        config: Mapping[str, Any],
        urn: str,
        report: ReportViolation,
    ) -> None:
        """Report what is wrong with one view; a rule that fails itself refuses what it could not judge."""
        try:
            view = look()
            if view is not None:
                for what in self.check(view, *rest, **self.configured(config)):
                    report(f"{one_line(what)}. {self.instead}", urn)
        except NotYetKnown:
            return
        except Exception as error:  # noqa: BLE001 - else one rule's fault would stop every program, without its name
            fault = one_line(f"{type(error).__name__}: {error}")
            report(f"{BROKEN} ({fault}). Report it; until it is mended, disable the rule {self.name}", urn)

    def remediate(self, args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        """Return the resource's changed properties, or `None` if there is nothing to change, as the SDK calls it."""
        try:
            return self.mended(args)
        except Exception:  # noqa: BLE001 - what cannot be mended is refused, and `validate` says why
            return None

    def mended(self, args: ResourceValidationArgs) -> Mapping[str, Any] | None:
        """Return the changed properties; objects in lists and patches are refused only.

        Raises:
            NotYetKnown: whether and how is not known yet.
        """
        settings = self.configured(args.get_config())
        view = self.on.view(_seen(args))
        if view is None or self.remediation is None or not list(self.check(view, **settings)):
            return None
        edits = list(self.remediation(view, **settings))
        return edited(args.props, edits) if edits else None

    def policy(self) -> Policy:
        """Return the rule as the SDK wants it, at its `prod` level: that is what a program gets that says nothing."""
        about: dict[str, Any] = {
            "name": self.name,
            "description": self.demand,
            "enforcement_level": self.prod,
            "severity": self.severity,
            "remediation_steps": self.instead,
            "url": self.source,
            "tags": [self.subject, *(str(control) for control in self.controls)],
            "framework": _framework(self.controls),
            "config_schema": self.schema(),
        }
        if self.across_stack:
            return StackValidationPolicy(validate=self.validate_stack, **about)
        remedy = {"remediate": self.remediate} if self.remediation else {}
        return ResourceValidationPolicy(validate=self.validate, **remedy, **about)

    def schema(self) -> PolicyConfigSchema | None:
        """Return the JSON schema of the settings."""
        if not self.settings:
            return None
        return PolicyConfigSchema(
            {
                camel(name): {**setting.schema, "default": setting.default, "description": setting.about}
                for name, setting in self.settings.items()
            }
        )


RULES: dict[str, Rule] = {}


def rule(
    name: str,
    *,
    on: Any,
    demand: str,
    instead: str,
    source: str,
    severity: Severity,
    prod: EnforcementLevel = MANDATORY,
    dev: EnforcementLevel = ADVISORY,
    across_stack: bool = False,
    controls: Iterable[Control] = (),
    **settings: Setting,
) -> Callable[[Callable[..., Any]], Rule]:
    """Register a rule.

    The function's docstring is the rule's *why*. It gets the view of one resource and yields what is wrong with it; a
    rule `across_stack` also gets the `Stack`, and runs when all resources are known. Each setting is a keyword
    argument.

    Args:
        name: Kebab-case, says what is demanded.
        on: The kind of resource.
        demand: One sentence: what must be so.
        instead: What to write instead; it ends every message.
        source: Link to where the demand comes from.
        severity: How bad a violation is.
        prod: Level in the profile `prod`, which is the pack's default.
        dev: Level in the profile `dev`.
        across_stack: The rule relates resources to each other.
        controls: The published controls it covers.
        **settings: Numbers and lists that a profile may change.

    Raises:
        ValueError: two rules of one name, or a rule that does not say why.
    """

    def register(check: Callable[..., Any]) -> Rule:
        why = inspect.getdoc(check)
        if name in RULES or not why:
            raise ValueError(f"rule {name}: give each rule one name and a docstring that says why")
        subject = check.__module__.rsplit(".", 1)[-1]
        RULES[name] = Rule(
            name,
            subject,
            demand,
            instead,
            " ".join(why.split()),
            source,
            severity,
            on,
            across_stack,
            check,
            prod,
            dev,
            tuple(controls),
            settings,
        )
        return RULES[name]

    return register


def _framework(controls: tuple[Control, ...]) -> PolicyComplianceFramework | None:
    """Return the first control: the SDK has room for one; the others are among the tags."""
    if not controls:
        return None
    first = controls[0]
    return PolicyComplianceFramework(name=first.framework, reference=first.number, specification=first.title)


def _seen(args: ResourceValidationArgs) -> Seen:
    return args  # pyright: ignore[reportReturnType] - the SDK's args have what a view reads


__all__ = ["RULES", "Control", "Kind", "Messages", "Rule", "Setting", "Stack", "View", "rule"]
