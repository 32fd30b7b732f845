"""docs/measured/scale.md and its plots, from the figures alone."""

from collections.abc import Iterable
from pathlib import Path

from tests.conformance.scale import limits, plot
from tests.conformance.scale.figures import Figures, Run
from tests.conformance.scale.watching import AWS

FOLDER = Path(__file__).parents[3] / "docs" / "measured"
FIGURES = FOLDER / "scale.json"
_HEAD = """<!-- made by `make scale` from scale.json -->

# Scale

How long the real controller takes for many load balancers and many bindings, and what limits it. `make scale`
(`python -m tests.conformance.scale`) measures on the conformance stage, each run in a sandbox of its own, and writes
this page from [scale.json](scale.json). The account's quota of ALBs is raised. The controller is one new process with
its default flags, without leader election.

- All pods are ready before a run begins; kwok reports them. A run begins with the first Ingress or TargetGroupBinding
  and ends when every Ingress has its host name and every pod is registered, which AWS's journal shows. Then
  DescribeTargetHealth must return each target once.
- CPU is the user and system time of a process during the run, memory its largest resident set during the run. Both are
  read from the kernel. "This measurement" is the process that measures, with its `kubectl apply`.
- Calls, and how long AWS takes to answer them, are the controller's own metrics, on a machine that is busy with the
  run. "Reads of one client" are 300 calls each of boto3 after the run, with all targets registered.
- The bottleneck is what the controller's workers wait for most: AWS's answers, the rates of calls that the controller
  allows itself
  ([defaults.go](https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/93ff3b5fdaad/pkg/aws/throttle/defaults.go)),
  or the rest. *What limits it* compares each part with the most that it can do: a process with its cores (one for
  Python), the controller with those rates.
"""


def write(figures: Figures, folder: Path = FOLDER) -> None:
    """Write the page and its plots."""
    for name, content in files(figures).items():
        (folder / name).write_bytes(content)


def files(figures: Figures) -> dict[str, bytes]:
    """The page and its plots by name."""
    text = f"{_HEAD}\n## {figures.date}, {figures.machine}\n\nCommit `{figures.commit}`.\n\n{_summary(figures.runs)}"
    plots = dict[str, bytes]()
    for number, run in enumerate(figures.runs, 1):
        names = f"scale-{number}-progress.svg", f"scale-{number}-cpu.svg"
        plots |= zip(names, (plot.progress(run), plot.cpu(run)), strict=True)
        text += _section(run, *names)
    return {"scale.md": text.encode(), **plots}


def _summary(runs: list[Run]) -> str:
    rows = [
        ("pods", *(f"{run.pods:,}" for run in runs)),
        ("every host name after", *(f"{run.hosts_after:.0f} s" if run.hosts else "none" for run in runs)),
        ("every target after", *(f"{run.targets_after:.0f} s" for run in runs)),
        ("objects applied after", *(f"{run.applied_after:.0f} s" for run in runs)),
        ("calls of the controller to AWS", *(f"{sum(a.calls for a in run.actions.values()):,}" for run in runs)),
        ("median answer of AWS's reads to one client", *(f"{limits.median_read(run):.1f} ms" for run in runs)),
        ("the controller's reads that AWS answers within 5 ms", *(f"{limits.quick_reads(run):.0%}" for run in runs)),
        ("share of the time in which AWS's process computes", *(f"{limits.emulators_share(run):.0%}" for run in runs)),
        (
            "of the time of the controller's workers: waiting for AWS's answers",
            *(f"{limits.waiting_for_aws(run):.0%}" for run in runs),
        ),
        ("delayed by the controller's own limits", *(f"{limits.waiting_for_itself(run):.0%}" for run in runs)),
        ("cores that other programs used meanwhile", *(f"{limits.others_on_the_machine(run):.1f}" for run in runs)),
        ("**bottleneck**", *(limits.bottleneck(run) for run in runs)),
    ]
    return _table(("", *(run.what for run in runs)), rows)


def _section(run: Run, progress: str, cpu: str) -> str:
    near = [(s.what, f"{s.share:.0%}", s.why) for s in limits.shares(run) if s.share >= 0.01]
    used = [
        (name, f"{part['cpu']:.1f} s", f"{part['cpu'] / run.seconds:.0%}", f"{part['memory']:.0f} MiB")
        for name, part in sorted(run.parts.items(), key=lambda item: -item[1]["cpu"])
    ]
    rest = limits.others_on_the_machine(run)
    used.append(("everything else on the machine", f"{rest * run.seconds:.1f} s", f"{rest:.0%}", ""))
    calls = [
        (f"`{name}`", f"{a.calls:,}", f"{1000 * a.seconds / a.calls:.1f} ms", f"{a.quick / a.calls:.0%}")
        for name, a in sorted(run.actions.items(), key=lambda item: -item[1].calls)
    ]
    workers = [
        (f"`{kind}`", str(w.count), f"{w.busy / w.count / run.seconds:.0%}")
        for kind, w in sorted(run.workers.items(), key=lambda item: -item[1].busy)
    ]
    reads = [(name, f"{read.median:.1f} ms", f"{read.p99:.1f} ms") for name, read in run.reads.items()]
    return (
        "\n".join(
            (
                f"\n### {run.what}, {run.pods:,} pods\n",
                f"![host names and targets over time]({progress})\n\n![cores in use by part]({cpu})\n",
                _table(("what limits it", "share of its limit", ""), near),
                _table(("part", "CPU", "of one core", "memory"), used),
                _table(("workers of the controller", "number", "busy"), workers),
                _table(("AWS action", "calls", "mean answer", "within 5 ms"), calls),
                _table((f"reads of one client ({AWS})", "median", "99 % within"), reads),
            )
        ).rstrip()
        + "\n"
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return "".join(f"| {' | '.join(cell.replace('|', '`, `') for cell in line)} |\n" for line in lines)
