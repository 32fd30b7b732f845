"""A target's health from its checks, and which targets get new connections. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.network.balancers.plan import Node
from sandbox.network.balancers.pools import Check, Pool


@dataclass(frozen=True)
class Outcome:
    """The result of one check: success, or the reason for the failure."""

    reason: str = ""
    """`Target.Timeout`, `Target.ResponseCodeMismatch`, `Target.FailedHealthChecks`; empty for success."""
    description: str = ""


@dataclass(frozen=True)
class Health:
    """A target's health at one node."""

    state: str = "initial"
    streak: int = 0
    """How many consecutive checks have contradicted `state`."""
    outcome: Outcome = Outcome()
    """The last failed check."""


def mismatch(code: int) -> Outcome:
    """A check that got another code."""
    return Outcome("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{code}]")


TIMED_OUT = Outcome("Target.Timeout", "Request timed out")
FAILED = Outcome("Target.FailedHealthChecks", "Health checks failed")


def after(health: Health, check: Check, outcome: Outcome) -> Health:
    """The health after one more check.

    A new target becomes healthy with its first successful check, and unhealthy like any other.
    """
    well = not outcome.reason
    if health.state == "initial" and well:
        return Health("healthy")
    if health.state == ("healthy" if well else "unhealthy"):
        return Health(health.state, 0, outcome if not well else health.outcome)
    streak = health.streak + 1
    if streak < (check.rise if well else check.fall):
        return Health(health.state, streak, health.outcome if well else outcome)
    return Health("healthy" if well else "unhealthy", 0, outcome)


def matches(code: int, codes: str) -> bool:
    """Whether an HTTP status matches a matcher: `200`, `200,301`, `200-299`."""
    for part in codes.split(","):
        first, _, last = part.strip().partition("-")
        if int(first) <= code <= int(last or first):
            return True
    return False


Healths = Mapping[tuple[str, str, str], Health]
"""Node, pool and target -> health."""


def receiving(node: Node, healths: Healths) -> dict[str, frozenset[str]]:
    """Pool -> the targets for new connections: the healthy ones, or all of them if all are unhealthy."""
    return {pool.name: _receiving(node, pool, healths) for pool in node.pools}


def _receiving(node: Node, pool: Pool, healths: Healths) -> frozenset[str]:
    states = {t.name: of(node, pool.name, t.name, healths).state for t in pool.targets if not t.draining}
    healthy = frozenset(name for name, state in states.items() if state == "healthy")
    if healthy or set(states.values()) != {"unhealthy"}:
        return healthy
    return frozenset(states)


def of(node: Node, pool: str, target: str, healths: Healths) -> Health:
    """The health of a target; initial before its first check."""
    return healths.get((node.id, pool, target), Health())


_WORST = ("unhealthy", "initial", "healthy")


def report(nodes: Iterable[Node], healths: Healths, drained: Iterable[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """The report to AWS: a target is healthy if it is healthy at every node that may send to it.

    Args:
        nodes: all of them.
        healths: the results of their checks.
        drained: group, id and port of draining targets without connections.
    """
    found: dict[tuple[str, str, int], Health] = {}
    for node in nodes:
        # A Classic load balancer's instance counts once, however many listeners there are.
        classic = not node.balancer.startswith("arn:")
        for pool in node.pools:
            for target in pool.targets:
                if target.draining:
                    continue
                key = (pool.group, target.id, 0 if classic else target.port)
                health = of(node, pool.name, target.name, healths)
                known = found.get(key)
                if known is None or _WORST.index(health.state) < _WORST.index(known.state):
                    found[key] = health
    told = [_told(*key, health) for key, health in sorted(found.items())]
    gone = {"state": "unused", "reason": "Target.NotRegistered", "description": "Target has been deregistered"}
    return [*told, *({"group": g, "id": i, "port": p, **gone} for g, i, p in sorted(drained))]


def _told(group: str, target: str, port: int, health: Health) -> dict[str, Any]:
    document: dict[str, Any] = {"group": group, "id": target, "port": port or None, "state": health.state}
    if health.state == "healthy":
        return document
    if health.state == "initial":
        return document | {"reason": "Elb.InitialHealthChecking", "description": "Initial health checks in progress"}
    if not port:
        text = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
        return document | {"reason": "Instance", "description": text}
    return document | {"reason": health.outcome.reason, "description": health.outcome.description}
