"""Which part limits a run, computed from its figures.

A part limits a run if it worked at its limit all the time: a process at the CPU time that it can use, the machine at
its cores, or the controller at the rate of calls that it allows itself. If nothing was at even half of its limit, the
controller's workers waited for something that no part was busy with.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.conformance.scale.figures import Run
from tests.conformance.scale.watching import AWS, CONTROLLER

_ONE_CORE = {AWS, "agent"}
"""Python runs one thread at a time."""
_ELB = "Elastic Load Balancing v2:"
_RATES = (("RegisterTargets|DeregisterTargets", 4, 20), ("Describe", 50, 200), ("Modify", 3, 20))
"""Calls a second that the controller allows itself, and how many at once:
https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/93ff3b5fdaad/pkg/aws/throttle/defaults.go"""
_NOTHING_BUSY = 0.5


@dataclass(frozen=True)
class Share:
    """How near something came to its limit: 1 is there all the time."""

    what: str
    share: float
    why: str


def shares(run: Run) -> list[Share]:
    """Of every part and limit, the highest first."""
    found = [*_processes(run), *_rates(run)]
    found.append(
        Share(
            f"the machine's {run.cores} cores",
            run.machine_busy / run.seconds / run.cores,
            f"{run.machine_busy:.0f} s of CPU time in {run.seconds:.0f} s",
        )
    )
    return sorted(found, key=lambda share: share.share, reverse=True)


def _processes(run: Run) -> Iterator[Share]:
    for name, part in run.parts.items():
        cores = 1 if name in _ONE_CORE else run.cores
        why = f"{part.cpu:.0f} s of CPU time in {run.seconds:.0f} s, at most {cores} at once"
        yield Share(f"CPU of {name}", part.cpu / run.seconds / cores, why)


def _rates(run: Run) -> Iterator[Share]:
    for pattern, rate, burst in _RATES:
        calls = sum(a.calls for n, a in run.actions.items() if re.match(rf"{_ELB}({pattern})", n))
        needs = max(0, calls - burst) / rate
        yield Share(
            f"the controller's own limit of {rate} calls a second to `{pattern}`",
            needs / run.seconds,
            f"{calls} calls need {needs:.0f} s of the {run.seconds:.0f} s",
        )


def bottleneck(run: Run) -> str:
    """What limits a run, and why, as a sentence."""
    first = shares(run)[0]
    if first.share >= _NOTHING_BUSY:
        return f"{first.what}: {first.why} ({first.share:.0%})"
    kind, workers = max(run.workers.items(), key=lambda item: item[1].busy / item[1].count)
    return (
        f"the {workers.count} workers of the {CONTROLLER} for `{kind}`: each was busy for"
        f" {workers.busy / workers.count / run.seconds:.0%} of the time, and waited; the next is {first.what}"
        f" ({first.share:.0%})"
    )


def waiting_for_aws(run: Run) -> float:
    """The share of the workers' busy time that they wait for AWS's answers."""
    return sum(a.seconds for a in run.actions.values()) / sum(w.busy for w in run.workers.values())


def waiting_for_itself(run: Run) -> float:
    """The share of the workers' busy time that the controller delays calls by its own limits, signing included."""
    delayed = run.waited - sum(a.seconds for a in run.actions.values())
    return delayed / sum(w.busy for w in run.workers.values())


def emulators_share(run: Run) -> float:
    """The share of the time in which AWS's process computes."""
    return run.parts[AWS].cpu / run.seconds


def quick_reads(run: Run) -> float:
    """The share of the controller's reads that AWS answers within 5 ms."""
    reads = [a for n, a in run.actions.items() if re.search(r":(Describe|Get|List)", n)]
    return sum(a.quick for a in reads) / sum(a.calls for a in reads)
