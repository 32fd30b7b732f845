"""The figures of a comparison, as a table and as docs/paths.md. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from rich.table import Table

from sandbox.observe.compare.application import WAYS, Way


@dataclass(frozen=True)
class Figures:
    """One path to the application, with a number of Services in the cluster."""

    way: str
    services: int
    hops: int
    rewritings: int
    rules: int
    """Rules that the nodes' kernels evaluated for one connection."""
    entries: int
    """Entries of nodes' connection tracking for 1,000 connections."""
    translations: int
    """Those of them that translate."""
    crossings: float
    """Share of connections that a node forwarded to another."""
    p50: float
    """Milliseconds."""
    p99: float
    rate: float
    """Requests per second."""
    answered: int
    pods: int
    """Pods that answered, of all."""


@dataclass(frozen=True)
class Rolled:
    """One path while the application was rolled."""

    way: str
    careful: bool
    answered: int
    failed: int
    last: float | None
    """Seconds from a pod's deletion to the last request that it answered, for the slowest pod; None: no request."""


@dataclass
class Result:
    """A whole comparison."""

    mode: str
    """Kube-proxy's."""
    machine: str
    figures: list[Figures] = field(default_factory=list[Figures])
    rolled: list[Rolled] = field(default_factory=list[Rolled])

    def at(self, services: int) -> list[Figures]:
        """The figures for one number of Services, in the order of the paths."""
        return [f for way in WAYS for f in self.figures if (f.way, f.services) == (way.name, services)]

    @property
    def sizes(self) -> list[int]:
        """The numbers of Services."""
        return sorted({f.services for f in self.figures})

    def roll(self, way: str, *, careful: bool) -> Rolled | None:
        """The result of a path while rolling."""
        return next((r for r in self.rolled if (r.way, r.careful) == (way, careful)), None)


def latencies(text: str) -> tuple[float, float, float]:
    """p50 and p99 in milliseconds, and requests per second, from the output of `wrk --latency`.

    Raises:
        ValueError: the output has none.
    """
    found = {share: _milliseconds(value) for share, value in re.findall(r"^\s+(50|99)%\s+(\S+)$", text, re.MULTILINE)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if len(found) != 2 or not rate:  # noqa: PLR2004 - p50 and p99
        raise ValueError(f"wrk printed no latencies: {text.strip()[-300:]}")
    return found["50"], found["99"], float(rate[1])


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # pyright: ignore[reportOptionalMemberAccess] - wrk's own form
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}[unit]


_HEAD = (
    "way", "hops", "rewritings", "rules looked at", "conntrack entries", "translating", "sent to another node",
    "p50 ms", "p99 ms", "failed while rolling", "without care", "last answer of a deleted pod, s",
)  # fmt: skip


def rows(result: Result, services: int) -> list[list[str]]:
    """The table's cells for one number of Services."""
    made: list[list[str]] = []
    for figures in result.at(services):
        way = next(w for w in WAYS if w.name == figures.way)
        rolled, careless = (result.roll(way.name, careful=c) for c in (True, False))
        made.append(
            [
                way.title,
                str(figures.hops),
                str(figures.rewritings),
                str(figures.rules),
                str(figures.entries),
                str(figures.translations),
                f"{figures.crossings:.0%}",
                f"{figures.p50:.1f}",
                f"{figures.p99:.1f}",
                _failures(rolled),
                _failures(careless),
                "-" if rolled is None or rolled.last is None else f"{rolled.last:.1f}",
            ]
        )
    return made


def _failures(rolled: Rolled | None) -> str:
    return "-" if rolled is None else f"{rolled.failed} of {rolled.answered + rolled.failed}"


def table(result: Result, services: int) -> Table:
    """The table for a terminal."""
    made = Table(*_HEAD, box=None, pad_edge=False, title=f"{services} Services in the cluster", title_justify="left")
    for row in rows(result, services):
        made.add_row(*row)
    return made


def document(result: Result) -> str:
    """docs/paths.md."""
    source = (Path(__file__).parent / "paths.md.j2").read_text()
    environment = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False, undefined=StrictUndefined)  # noqa: S701 - Markdown
    titles = [way.title for way in WAYS]
    return environment.from_string(source).render(
        result=result, head=_HEAD, rows=rows, ways=titles, plots=_plots(result)
    )


def _plots(result: Result) -> list[str]:
    return [
        _plot(result, "Rules looked at for one connection", "rules", lambda f: f.rules),
        _plot(result, "Median latency of a request on a new connection", "milliseconds", lambda f: f.p50),
        _plot(result, "99th percentile of the same", "milliseconds", lambda f: f.p99),
    ]


def _plot(result: Result, title: str, unit: str, value: Callable[[Figures], float]) -> str:
    sizes = result.sizes
    lines = ["xychart-beta", f'  title "{title}"', f'  x-axis "Services" [{", ".join(map(str, sizes))}]']
    lines.append(f'  y-axis "{unit}"')
    for way in WAYS:
        points = [value(f) for n in sizes for f in result.at(n) if f.way == way.name]
        lines.append(f"  line [{', '.join(f'{p:g}' for p in points)}]")
    return "\n".join(lines)


def order(result: Result, services: int) -> list[str]:
    """The paths ordered by what does not depend on the machine: rewritings, entries that translate, rules."""

    def weight(figures: Figures) -> tuple[int, int, int, int]:
        return (figures.rewritings, figures.translations, figures.hops, WAYS.index(_way(figures.way)))

    return [f.way for f in sorted(result.at(services), key=weight)]


def _way(name: str) -> Way:
    return next(way for way in WAYS if way.name == name)
