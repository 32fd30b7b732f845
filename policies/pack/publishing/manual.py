"""The manual, `docs/policies.md`, generated from the rules."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pack.publishing.coverage import ASKED, SOURCES
from pack.publishing.profiles import NOT_IN_SANDBOX, level
from pack.registry import RULES, Rule, by_subject, camel
from pack.reports import REPORTS

_INTRODUCTION: Final = Path(__file__).with_name("introduction.md")


def manual(subjects: Sequence[ModuleType]) -> str:
    """Return the whole manual as Markdown, with a chapter for each of the subjects: modules of rules."""
    sandbox = "; ".join(f"[{name}](#{name}) ({why})" for name, why in sorted(NOT_IN_SANDBOX.items()))
    introduction = _INTRODUCTION.read_text("utf-8").replace("SANDBOX_WITHOUT", sandbox)
    parts = [introduction, *_overview(subjects), *_chapters(subjects), *_reports(), *_controls(), *_asked()]
    return "\n".join(parts)


def _name(subject: ModuleType) -> str:
    return subject.__name__.rpartition(".")[2]


def _overview(subjects: Sequence[ModuleType]) -> Iterator[str]:
    yield "## All rules\n"
    yield "| rule | prod | dev | severity | remediation |\n|---|---|---|---|---|"
    names = [_name(subject) for subject in subjects]
    for rule in sorted(RULES.values(), key=lambda rule: names.index(rule.subject)):
        fixes = "yes" if rule.remediation else ""
        link = f"[{rule.name}](#{rule.name})"
        yield f"| {link} | {level(rule, 'prod')} | {level(rule, 'dev')} | {rule.severity.value} | {fixes} |"
    yield ""


def _chapters(subjects: Sequence[ModuleType]) -> Iterator[str]:
    for subject in subjects:
        name = _name(subject)
        yield f"## {name.replace('_', ' ').capitalize()}\n\n{(subject.__doc__ or '').strip()}\n"
        for rule in RULES.values():
            if rule.subject == name:
                yield _section(rule)


def _section(rule: Rule) -> str:
    scope = ", across the stack" if rule.across_stack else ""
    lines = [
        f"### {rule.name}\n",
        f"{rule.demand} *{rule.severity.value} severity; prod {level(rule, 'prod')}, dev {level(rule, 'dev')}.*\n",
        f"{rule.why}\n",
        f"- **Instead:** {rule.instead}.",
        f"- **Checked on:** {rule.on.name}{scope} ({', '.join(f'`{token}`' for token in rule.on.types)}).",
        f"- **Remediation:** {'yes, at the level `remediate`' if rule.remediation else 'none that is safe'}.",
        f"- **Source:** <{rule.source}>",
    ]
    if rule.controls:
        lines.append(f"- **Covers:** {'; '.join(f'{control} ({control.title})' for control in rule.controls)}.")
    lines += [_setting(name, setting) for name, setting in rule.settings.items()]
    return "\n".join(lines) + "\n"


def _setting(name: str, setting: Any) -> str:
    return f"- **Setting** `{camel(name)}`: {setting.about}. Default: `{json.dumps(setting.default)}`"


def _controls() -> Iterator[str]:
    yield "## Controls covered\n"
    pairs = [(control, rule) for rule in by_subject() for control in rule.controls]
    order = sorted(pairs, key=lambda pair: (pair[0].framework, _sortable(pair[0].number), pair[0].title))
    for framework, group in groupby(order, key=lambda pair: pair[0].framework):
        yield f"### {framework}\n\n| control | title | rules |\n|---|---|---|"
        for control, covering in groupby(group, key=lambda pair: pair[0]):
            links = ", ".join(f"[{rule.name}](#{rule.name})" for _, rule in covering)
            yield f"| {control.number} | {control.title} | {links} |"
        yield ""


def _reports() -> Iterator[str]:
    yield "## Reports\n\nPolicies that check no resource, and report on the whole preview or update.\n"
    for rule in REPORTS.values():
        lines = [
            f"### {rule.name}\n",
            f"{rule.demand} *advisory.*\n",
            f"{rule.why}\n",
            f"- **Instead:** {rule.instead}.",
        ]
        yield "\n".join([*lines, *(_setting(name, setting) for name, setting in rule.settings.items())]) + "\n"


def _asked() -> Iterator[str]:
    """List further requirements of rule sets, and why some are left out."""
    yield "## Other requirements of published rule sets\n"
    yield "The tables above list what rules cover of CIS, Security Hub and the EKS guide. This is the rest.\n"
    for by, group in groupby(sorted(ASKED, key=lambda one: list(SOURCES).index(one.by)), key=lambda one: one.by):
        yield f"### {by}: {'and what covers it' if by in ('checkov', 'kyverno') else 'the rest'}\n\n<{SOURCES[by]}>\n"
        yield "| requirement | title | covered by, or left out because |\n|---|---|---|"
        for one in group:
            links = ", ".join(f"[{name}](#{name})" for name in one.rules)
            yield f"| {one.number} | {one.title} | {links or f'left out: {one.left_out}'} |"
        yield ""


def _sortable(number: str) -> list[tuple[int, str]]:
    """Sort 5.4.2 before 5.4.10, and EC2.8 before EC2.170."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in number.split(".")]
