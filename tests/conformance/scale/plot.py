"""The plots of a run, as SVG: how far it is, and which parts use the CPU."""

import re
import sys
from itertools import pairwise
from typing import Any

import pygal
from pygal.style import CleanStyle

from tests.conformance.scale.figures import Run, Sample

# pygal's finder of its plugins, which are not used here, is from before `find_spec`: it breaks other imports.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

_BINS = 60
_LEAST = 0.02
"""Cores, on average: a part that uses less is one of the others."""


def progress(run: Run) -> bytes:
    """Host names and targets over time, as shares of all."""
    chart: Any = pygal.XY(
        **_looks(f"{run.what}, {run.pods} pods: what is there"), x_title="seconds", range=(0, 100), show_dots=False
    )
    samples = thinned(run.samples)
    if run.hosts:
        chart.add("host names, %", [(round(s.at, 1), round(100 * s.hosts / run.hosts, 1)) for s in samples])
    chart.add("targets, %", [(round(s.at, 1), round(100 * s.targets / run.pods, 1)) for s in samples])
    return _drawn(chart)


def cpu(run: Run) -> bytes:
    """Cores that each part uses over time, one above the other."""
    samples = thinned(run.samples)
    chart: Any = pygal.StackedLine(
        **_looks(f"{run.what}, {run.pods} pods: cores in use"),
        x_title="seconds",
        range=(0, run.cores),
        fill=True,
        show_dots=False,
        x_labels=[str(round(s.at)) for s in samples[1:]],
        x_labels_major_count=7,
        show_minor_x_labels=False,
    )
    lines = {name: cores(samples, [name]) for name, part in run.parts.items() if part["cpu"] / run.seconds >= _LEAST}
    for name, line in sorted(lines.items(), key=lambda item: -sum(item[1])):
        chart.add(name, line)
    chart.add("other parts", cores(samples, [name for name in run.parts if name not in lines]))
    return _drawn(chart)


def thinned(samples: list[Sample]) -> list[Sample]:
    """At most about `_BINS` samples, the first and the last among them."""
    step = max(1, len(samples) // _BINS)
    return [*samples[:-1:step], samples[-1]]


def cores(samples: list[Sample], names: list[str]) -> list[float]:
    """The cores that some parts use between each two samples."""
    return [
        round(sum(after.cpu[n] - before.cpu[n] for n in names) / (after.at - before.at), 3)
        for before, after in pairwise(samples)
    ]


def _drawn(chart: Any) -> bytes:
    """The picture, the same for the same figures: without a random id, scripts and a comment with the date."""
    chart.uuid = "plot"
    return re.sub(rb"<!--.*?-->|<script.*?</script>", b"", chart.render(), flags=re.DOTALL) + b"\n"


def _looks(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "style": CleanStyle(background="white", title_font_size=16, legend_font_size=12, label_font_size=11),
        "width": 900,
        "height": 420,
        "js": [],
        "truncate_label": 10,
        "legend_at_bottom": True,
    }
