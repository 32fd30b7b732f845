"""The manual, `docs/policies.md`, made from the rules."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from types import ModuleType
from typing import Any

from pack.profiles import level
from pack.registry import RULES, Rule, camel

_INTRODUCTION = """\
<!-- made by `python policies/generate.py`: change the rules, not this file -->

# Policies

The pack `policies/` refuses what goes wrong on EKS load balancing before it is made, in this program and in anybody's:

    pulumi preview --policy-pack PATH_TO/policies
    pulumi preview --policy-pack PATH_TO/policies --policy-pack-config PATH_TO/policies/profiles/dev.json
    pulumi policy analyze --policy-pack PATH_TO/policies --stack STACK

It needs Python with the packages of `policies/requirements.txt`, and nothing of this project.

**Levels.** A *mandatory* rule stops the update, an *advisory* one warns. A program that says nothing gets `prod`. `dev`
keeps what gives the cluster or the account away and advises on the rest. To change a level or a setting, copy a
file of `policies/profiles/` and give it to `--policy-pack-config`. A file that names no rule or setting of the pack,
or gives one what it cannot take, stops the engine before anything is judged; `python policies/check.py FILE`
says the same without an engine. The level `remediate` lets a rule that has a remediation mend the resource
instead of refusing it.

**When.** Rules on one resource see its inputs during preview; a value that is not known then is judged in the update,
before the resource is made. Rules *across the stack* relate resources, and run when all of them are known. A chart on
a cluster that does not exist yet is not rendered during preview: its resources are judged in the update.

**What is seen.** Resources of `aws` and `aws-native`, Kubernetes objects of any API version, whether declared one by
one, by YAML, by a chart, as a custom resource or in a list, and a Helm release by its values. A patch is judged by what
it says, not by what it leaves out. Lists and patches are refused, never mended. A rule that fails itself refuses the
resource that it could not judge, at its own level, and names itself.
"""


def manual(subjects: Sequence[ModuleType]) -> str:
    """Return the whole manual as Markdown, with a chapter for each of the subjects: modules of rules."""
    parts = [_INTRODUCTION, *_overview(subjects), *_chapters(subjects), *_controls()]
    return "\n".join(parts)


def _name(subject: ModuleType) -> str:
    return subject.__name__.rpartition(".")[2]


def _overview(subjects: Sequence[ModuleType]) -> Iterator[str]:
    yield "## All rules\n"
    yield "| rule | prod | dev | severity | remediation |\n|---|---|---|---|---|"
    names = [_name(subject) for subject in subjects]
    for rule in sorted(RULES.values(), key=lambda rule: names.index(rule.subject)):
        mends = "yes" if rule.remediation else ""
        link = f"[{rule.name}](#{rule.name})"
        yield f"| {link} | {level(rule, 'prod')} | {level(rule, 'dev')} | {rule.severity.value} | {mends} |"
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
    pairs = [(control, rule) for rule in RULES.values() for control in rule.controls]
    order = sorted(pairs, key=lambda pair: (pair[0].framework, _sortable(pair[0].number), pair[0].title))
    for framework, group in groupby(order, key=lambda pair: pair[0].framework):
        yield f"### {framework}\n\n| control | title | rules |\n|---|---|---|"
        for control, covering in groupby(group, key=lambda pair: pair[0]):
            links = ", ".join(f"[{rule.name}](#{rule.name})" for _, rule in covering)
            yield f"| {control.number} | {control.title} | {links} |"
        yield ""


def _sortable(number: str) -> list[tuple[int, str]]:
    """Order 5.4.2 before 5.4.10, and EC2.8 before EC2.170."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in number.split(".")]
