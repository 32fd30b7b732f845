"""What was found, for people and for machines. Pure: text in, text out."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.text import Text

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.registry import Finding
from eks_load_balancing.doctor.ways import Hop, Way

_STYLES: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}
WHOLE_SHOWN: Final = 3
"""As many targets of a group are shown whose way is whole; the others are counted."""


def machine(facts: Facts, checked: Sequence[str], found: Sequence[Finding], seen: Sequence[Way]) -> dict[str, Any]:
    """Return everything as JSON.

    Shape: `{"cluster", "account", "region", "at", "checked": [name], "findings": [{"check", "severity", "where",
    "what", "mend", "link", "namespace"}], "ways": [{"title", "namespace", "whole", "start": {"kind", "name", "broken",
    "firstBroken", "below": [...]}}]}`.
    """
    return {
        "cluster": facts.name,
        "account": facts.account,
        "region": facts.region,
        "at": facts.now.isoformat(timespec="seconds"),
        "checked": list(checked),
        "findings": [asdict(finding) for finding in found],
        "ways": [
            {"title": way.title, "namespace": way.namespace, "whole": way.start.whole, "start": _json(way.start)}
            for way in seen
        ],
    }


def _json(hop: Hop, *, broken_before: bool = False) -> dict[str, Any]:
    broken = hop.broken is not None
    return {
        "kind": hop.kind,
        "name": hop.name,
        "broken": hop.broken,
        "firstBroken": broken and not broken_before,
        "below": [_json(one, broken_before=broken_before or broken) for one in hop.below],
    }


def people(facts: Facts, checked: Sequence[str], found: Sequence[Finding], seen: Sequence[Way]) -> Iterator[Text]:
    """Yield the report, line by line."""
    for finding in found:
        yield Text.assemble((f"{finding.severity:7}", _STYLES[finding.severity]), (finding.where, "bold"))
        yield Text(f"       {finding.what}")
        yield Text(f"       mend: {finding.mend}")
        yield Text(f"       {finding.check}, {finding.link}", style="dim")
        yield Text()
    for way in seen:
        yield Text(way.title, style="bold")
        yield from _picture(way.start, depth=1, broken_before=False)
        yield Text()
    if not seen:
        yield Text("no load balancer serves the cluster")
    where = f"cluster {facts.name} in {facts.region}, account {facts.account}"
    counted = ", ".join(f"{sum(f.severity == s for f in found)} {s}" for s in _STYLES)
    yield Text(f"{where}: {len(checked)} checks, {f'findings: {counted}' if found else 'nothing found'}")


def _picture(hop: Hop, depth: int, *, broken_before: bool) -> Iterator[Text]:
    line = Text(f"{'  ' * depth}{hop.kind} {hop.name}")
    if hop.broken is not None and not broken_before:
        line.append(f"  <-- BROKEN HERE: {hop.broken}", style="bold red")
    yield line
    below = broken_before or hop.broken is not None
    whole = [one for one in hop.below if one.kind == "target" and one.whole]
    for one in hop.below:
        if one not in whole[WHOLE_SHOWN:]:
            yield from _picture(one, depth + 1, broken_before=below)
    if whole[WHOLE_SHOWN:]:
        yield Text(f"{'  ' * (depth + 1)}and {len(whole) - WHOLE_SHOWN} targets more, each whole", style="dim")
