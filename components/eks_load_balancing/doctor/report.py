"""The findings and the picture, for people, tickets and machines. Pure: it only produces text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.text import Text

from eks_load_balancing.doctor.facts import Facts, Unseen
from eks_load_balancing.doctor.paths.hops import Hop, Way
from eks_load_balancing.doctor.registry import Finding

_STYLES: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}
WHOLE_SHOWN: Final = 3
"""This many whole targets of a group are shown; the others are counted."""


@dataclass(frozen=True)
class Report:
    """What one look at a cluster found."""

    facts: Facts
    checked: Sequence[str]
    """The names of the checks that were run."""
    found: Sequence[Finding]
    ways: Sequence[Way]
    undrawn: Unseen | None = None
    """Why the paths are not drawn, if they could not be seen."""


def machine(report: Report) -> dict[str, Any]:
    """Return a report as JSON.

    Shape: `{"cluster", "account", "region", "at", "checked": [name], "findings": [{"check", "severity", "where",
    "what", "fix", "see", "link", "namespace"}], "ways": [{"title", "namespace", "whole", "start": {"kind", "name",
    "broken", "fix", "firstBroken", "below": [...]}}]}`.
    """
    facts = report.facts
    return {
        "cluster": facts.name,
        "account": facts.account,
        "region": facts.region,
        "at": facts.now.isoformat(timespec="seconds"),
        "checked": list(report.checked),
        "findings": [asdict(finding) for finding in report.found],
        "ways": [
            {"title": way.title, "namespace": way.namespace, "whole": way.start.whole, "start": _json(way.start)}
            for way in report.ways
        ],
    }


def _json(hop: Hop, *, broken_before: bool = False) -> dict[str, Any]:
    broken = hop.broken is not None
    return {
        "kind": hop.kind,
        "name": hop.name,
        "broken": hop.broken.why if hop.broken else None,
        "fix": hop.broken.fix if hop.broken else None,
        "firstBroken": broken and not broken_before,
        "below": [_json(one, broken_before=broken_before or broken) for one in hop.below],
    }


def people(report: Report) -> Iterator[Text]:
    """Yield a report for a terminal, line by line."""
    for finding in report.found:
        yield Text.assemble((f"{finding.severity:7}", _STYLES[finding.severity]), (finding.where, "bold"))
        yield Text(f"       {finding.what}")
        yield Text(f"       fix: {finding.fix}")
        if finding.see:
            yield Text(f"       see: {finding.see}")
        yield Text(f"       {finding.check}, {finding.link}", style="dim")
        yield Text()
    yield from _pictures(report)
    yield Text(_summary(report))


def markdown(report: Report) -> Iterator[str]:
    """Yield a report in Markdown, for a ticket, line by line."""
    yield f"# Load balancing of cluster {_escaped(report.facts.name)}"
    yield f"\n{_escaped(_summary(report))} ({report.facts.now.isoformat(timespec='seconds')})"
    for finding in report.found:
        yield f"\n## {finding.severity}: {_escaped(finding.where)}"
        yield f"\n{_escaped(finding.what)}"
        yield f"\n**Fix:** {_escaped(finding.fix)}"
        if finding.see:
            yield f"\nSee `{finding.see}`"
        yield f"\nCheck [{finding.check}]({finding.link})"
    yield "\n## Paths\n\n```text"
    yield from (line.plain for line in _pictures(report))
    yield "```"


def _escaped(text: str) -> str:
    """Return text whose characters mean nothing in Markdown; commands in backticks stay as they are."""
    parts = text.split("`")
    return "`".join(re.sub(r"([*_<>\[\]#|~])", r"\\\1", p) if i % 2 == 0 else p for i, p in enumerate(parts))


def _summary(report: Report) -> str:
    facts = report.facts
    counted = ", ".join(f"{sum(f.severity == s for f in report.found)} {s}" for s in _STYLES)
    said = f"findings: {counted}" if report.found else "nothing found"
    return f"cluster {facts.name} in {facts.region}, account {facts.account}: {len(report.checked)} checks, {said}"


def _pictures(report: Report) -> Iterator[Text]:
    for way in report.ways:
        yield Text(way.title, style="bold")
        yield from _picture(way.start, depth=1, broken_before=False)
        yield Text()
    if report.undrawn is not None:
        yield Text(f"the paths are not drawn: {report.undrawn.call}: {report.undrawn.why}")
    elif not report.ways:
        yield Text("no load balancer serves the cluster")


def _picture(hop: Hop, depth: int, *, broken_before: bool) -> Iterator[Text]:
    line = Text(f"{'  ' * depth}{hop.kind} {hop.name}")
    if hop.broken is not None and not broken_before:
        line.append(f"  <-- BROKEN HERE: {hop.broken.why}", style="bold red")
    yield line
    below = broken_before or hop.broken is not None
    whole = [one for one in hop.below if one.kind == "target" and one.whole]
    for one in hop.below:
        if one not in whole[WHOLE_SHOWN:]:
            yield from _picture(one, depth + 1, broken_before=below)
    if whole[WHOLE_SHOWN:]:
        yield Text(f"{'  ' * (depth + 1)}and {len(whole) - WHOLE_SHOWN} more targets without a fault", style="dim")
