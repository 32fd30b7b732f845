"""Which part limits a run, computed from its figures.

The controller's workers do everything. What they wait for most limits the run: AWS's answers, the rates of calls that
the controller allows itself, or the rest, which is the cluster and the controller. How near each part came to the most
that it can do says why.
"""

import re
import statistics
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
        cores = 1 if name in _ONE_CORE else part.get("cores", run.cores)
        why = f"{part['cpu']:.0f} s of CPU time in {run.seconds:.0f} s, at most {cores} at once"
        yield Share(f"CPU of {name}", part["cpu"] / run.seconds / cores, why)


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
    aws, own = waiting_for_aws(run), waiting_for_itself(run)
    rate = max(_rates(run), key=lambda share: share.share)
    if aws >= max(own, 1 - aws - own):
        return (
            f"{AWS}: the controller's workers wait for its answers for {aws:.0%} of their time; {rate.what} comes next:"
            f" {rate.why}"
        )
    if own >= 1 - aws - own:
        return f"{rate.what}: {rate.why}; its own limits delay its workers for {own:.0%} of their time"
    first = next(share for share in shares(run) if share.what != rate.what)
    return (
        f"the cluster and the {CONTROLLER} itself, for {1 - aws - own:.0%} of its workers' time; nearest to its"
        f" limit was {first.what} ({first.share:.0%})"
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
    return run.parts[AWS]["cpu"] / run.seconds


def median_read(run: Run) -> float:
    """The median of what one client measures, over the kinds of reads, in milliseconds."""
    return statistics.median(read.median for read in run.reads.values())


def others_on_the_machine(run: Run) -> float:
    """The cores that programs used which are no part of the run."""
    return (run.machine_busy - sum(part["cpu"] for part in run.parts.values())) / run.seconds


def quick_reads(run: Run) -> float:
    """The share of the controller's reads that AWS answers within 5 ms."""
    reads = [a for n, a in run.actions.items() if re.search(r":(Describe|Get|List)", n)]
    return sum(a.quick for a in reads) / sum(a.calls for a in reads)
