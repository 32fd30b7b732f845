"""Exemptions by configuration: of a resource from a rule, for a reason, until a date.

{"waivers": {"waivers": [{"rule": "no-iam-access-keys",
                          "resource": "urn:pulumi:prod::shop::aws:iam/accessKey:AccessKey::robot",
                          "reason": "SHOP-12: the vendor takes no roles before May", "until": "2027-05-31"}]}}
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from pack.registry import CRITICAL, Level, Rule

SCHEMA: Final = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("rule", "resource", "reason", "until")},
        "required": ["rule", "resource", "reason", "until"],
        "additionalProperties": False,
    },
}
_KEYS: Final = ("rule", "resource", "reason", "until")


@dataclass(frozen=True)
class Waiver:
    """One exemption; `*` matches any text in its rule and in its resource, a URN."""

    rule: str
    resource: str
    reason: str
    until: date

    def is_about(self, rule: Rule, level: Level) -> bool:
        """Say whether it covers a rule: a mandatory one of critical severity only by its full name."""
        if level is not Level.ADVISORY and rule.severity is CRITICAL:
            return self.rule == rule.name
        return _matches(self.rule, rule.name)

    def covers(self, urn: str) -> bool:
        """Say whether it covers a resource."""
        return _matches(self.resource, urn)

    def is_for(self, urn: str) -> bool:
        """Say whether it is for a resource's stack and project."""
        return all(map(_matches, self.resource.split("::")[:2], urn.split("::")[:2]))

    def expired(self) -> bool:
        """Say whether its last day is over, by UTC."""
        return today() > self.until

    def __str__(self) -> str:
        return f"the waiver of {self.rule} for {self.resource}"


def today() -> date:
    """Return the day, by UTC."""
    return datetime.now(UTC).date()


def waivers(config: Mapping[str, Any]) -> list[Waiver]:
    """Read the waivers of a configuration that passes `problems`."""
    return [
        Waiver(one["rule"], one["resource"], one["reason"], date.fromisoformat(one["until"]))
        for one in config.get("waivers", [])
    ]


def problems(given: Any, rules: Mapping[str, Rule]) -> Iterator[str]:
    """Report what is wrong with a list of waivers, one line each."""
    if not isinstance(given, list):
        yield f"waivers: {given!r} is no list of waivers; write [{{{', '.join(_KEYS)}}}]"
        return
    for index, one in enumerate(given):
        place = f"waivers[{index}]"
        if not isinstance(one, dict):
            yield f"{place}: {one!r} is no waiver; write {{{', '.join(_KEYS)}}}"
            continue
        yield from (f"{place}: there is no key {key}; known: {', '.join(_KEYS)}" for key in one if key not in _KEYS)
        blank = [key for key in _KEYS if not isinstance(one.get(key), str) or not one[key].strip()]
        yield from (f"{place}: {key} is missing; {_WANTED[key]}" for key in blank)
        if not blank:
            yield from (f"{place}: {line}" for line in _wrong(one, rules))


_WANTED: Final = {
    "rule": "name a rule",
    "resource": "name the resource by its URN",
    "reason": "say why the resource is exempted",
    "until": "write the last day, as 2027-01-31",
}


def _wrong(one: Mapping[str, str], rules: Mapping[str, Rule]) -> Iterator[str]:
    if not any(_matches(one["rule"], name) for name in rules):
        near = difflib.get_close_matches(one["rule"], list(rules), n=1)
        yield f"there is no rule {one['rule']}" + (f"; did you mean {near[0]}?" if near else "")
    if not one["resource"].startswith("urn:pulumi:"):
        yield f"resource is {one['resource']!r}; write its URN, urn:pulumi:... (pulumi stack --show-urns)"
    try:
        date.fromisoformat(one["until"])
    except ValueError:
        yield f"until is {one['until']!r}; {_WANTED['until']}"


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
