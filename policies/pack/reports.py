"""What the pack reports about a whole preview or update besides violations: as advice, at its end."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pack.registry import ADVISORY, LOW, Rule, Setting
from pack.views import Kind
from pack.waivers import SCHEMA, Waiver

MANIFESTS: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("apiVersion", "kind")},
        "required": ["apiVersion", "kind", "metadata"],
    },
}
_MANUAL: Final = "https://www.pulumi.com/docs/insights/policy/"


def _report(name: str, demand: str, instead: str, why: str, **settings: Setting) -> Rule:
    """Create a rule that checks no resource; this module provides its messages."""
    nothing: Callable[..., Any] = lambda *_, **__: ()  # noqa: E731
    return Rule(
        name=name,
        subject="reports",
        demand=demand,
        instead=instead,
        why=why,
        source=_MANUAL,
        severity=LOW,
        on=Kind("the stack"),
        across_stack=True,
        check=nothing,
        prod=ADVISORY,
        dev=ADVISORY,
        settings=settings,
    )


JUDGED_LATER: Final = _report(
    "resources-are-judged-before-the-update",
    "Every resource can be judged in the preview.",
    "Read what the update says, or give the values in the program",
    "A value that is not known in a preview is judged in the update, before its resource is made. Until then a "
    "resource without violations is not an accepted one.",
)
WAIVERS: Final = _report(
    "waivers",
    "Waivers are in date and in use.",
    "Remove the waiver, or give it another date",
    "A resource is exempted from a rule by configuration, for a reason and until a date. What is exempted is listed; a "
    "waiver that has expired or that nothing needs is reported. A mandatory rule of critical severity is waived by its "
    "full name only, others by a pattern too.",
    waivers=Setting([], "a list of objects with rule, resource (a URN; * for any text), reason and until", SCHEMA),
)
ELSEWHERE: Final = _report(
    "objects-of-other-stacks",
    "What decides for this stack's objects from elsewhere is known.",
    "List the manifests of the IngressClasses and IngressClassParams, or of Gateway configurations, that it uses",
    "An Ingress is judged with its class's IngressClassParams. Where another stack has those, the profile tells what "
    "they say. They are not judged themselves.",
    manifests=Setting([], "a list of objects with apiVersion, kind, metadata and spec", MANIFESTS),
)
REPORTS: Final = {report.name: report for report in (JUDGED_LATER, WAIVERS, ELSEWHERE)}


def not_judged_yet(waiting: Mapping[str, set[str]]) -> str:
    """Report how many resources wait for the update, and which rules will check them.

    Args:
        waiting: The URNs for each rule.
    """
    count = len({urn for urns in waiting.values() for urn in urns})
    rules = ", ".join(f"{name} ({len(urns)})" for name, urns in sorted(waiting.items()) if urns)
    resources = "1 resource has" if count == 1 else f"{count} resources have"
    return f"{resources} values that are not known yet, and are judged in the update by {rules}"


def stale_waivers(given: Iterable[Waiver], used: Counter[Waiver], waits: Callable[[Waiver], bool]) -> list[str]:
    """Report which waivers have expired, and which are not needed.

    Args:
        given: All waivers for this stack.
        used: How many violations each has exempted.
        waits: Whether a waiver may still be needed in the update.
    """
    said: list[str] = []
    for one in given:
        if one.expired():
            said.append(f"{one} expired on {one.until}: {one.reason}. {WAIVERS.instead}")
        elif not used[one] and not waits(one):
            said.append(f"{one} is not needed: {one.reason}. {WAIVERS.instead}")
    return said


def waivers_in_use(used: Counter[Waiver]) -> list[str]:
    """Report what is exempted."""
    return [
        f"{one} exempts {'1 violation' if count == 1 else f'{count} violations'} until {one.until}: {one.reason}"
        for one, count in used.items()
    ]
