"""The path from each DNS name to its pods, hop by hop: these checks report what the picture marks as broken."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.faults import Fault
from eks_load_balancing.doctor.paths.hops import Kind, broken
from eks_load_balancing.doctor.paths.ways import ways
from eks_load_balancing.doctor.registry import Trouble, check

_NAMED_AT_MOST: Final = 5
_GUIDE: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/"
_STATES: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html"
_HEALTH: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html#target-health-states"

CHECK_OF: Final = {
    Kind.NAME: "names-lead-to-load-balancers",
    Kind.BALANCER: "load-balancers-are-active",
    Kind.LISTENER: "listeners-answer",
    Kind.RULE: "rules-have-backends",
    Kind.GROUP: "target-groups-hold-targets",
    Kind.TARGET: "targets-are-healthy",
    Kind.INTERFACE: "load-balancers-reach-the-pods",
    Kind.POD: "pods-are-ready",
}
"""The check that reports the broken hops of each kind."""


def _hops(facts: Facts, kind: Kind) -> Iterator[Trouble]:
    """Yield the broken hops of a kind; those of one path with the same reason count as one."""
    alike: dict[tuple[str, str | None, str], dict[str, Fault]] = {}
    for way in ways(facts):
        for hop, fault in broken(way.start):
            if hop.kind is kind:
                alike.setdefault((way.title, way.namespace, fault.why), {})[hop.name] = fault
    for (title, namespace, why), hops in alike.items():
        shown = dict(list(hops.items())[:_NAMED_AT_MOST])
        more = f" and {len(hops) - len(shown)} more" if len(hops) > len(shown) else ""
        fixes = dict.fromkeys(fault.fix for fault in shown.values())
        see = next(iter(shown.values())).see
        yield Trouble(title, f"{kind} {', '.join(shown)}{more}: {why}", "; ".join(fixes), namespace, see)


@check(
    "names-lead-to-load-balancers",
    demand="Every Service and Ingress that asks for a load balancer has one, and its status names it.",
    severity="high",
    link="https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/how-it-works/",
)
def names_lead_to_load_balancers(facts: Facts) -> Iterator[Trouble]:
    """Clients and DNS records use the name in the status.

    If a load balancer was deleted outside the cluster, the controller notices only at its next resync, up to ten hours
    later.
    """
    return _hops(facts, Kind.NAME)


@check(
    "load-balancers-are-active",
    demand="Every load balancer of the cluster is active, and listens on the ports that its object asks for.",
    severity="high",
    link=_STATES,
)
def load_balancers_are_active(facts: Facts) -> Iterator[Trouble]:
    """A load balancer that is provisioning or failed, or that listens on no port, answers nobody."""
    return _hops(facts, Kind.BALANCER)


@check(
    "listeners-answer",
    demand="A load balancer's security groups admit clients to each listener, and each leads to the Ingress's rules.",
    severity="high",
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html",
)
def listeners_answer(facts: Facts) -> Iterator[Trouble]:
    """Rules that were deleted outside the cluster leave only the default one, which answers 404."""
    return _hops(facts, Kind.LISTENER)


@check(
    "rules-have-backends",
    demand="No rule answers 503 for a Service that does not exist, and each that forwards has a weight above 0.",
    severity="high",
    link=f"{_GUIDE}guide/ingress/annotations/#actions",
)
def rules_have_backends(facts: Facts) -> Iterator[Trouble]:
    """The controller turns a backend that does not exist into a fixed 503 and reports success."""
    return _hops(facts, Kind.RULE)


@check(
    "target-groups-hold-targets",
    demand="Every target group that a load balancer forwards to exists and holds targets that have been checked.",
    severity="high",
    link=f"{_GUIDE}guide/targetgroupbinding/targetgroupbinding/",
)
def target_groups_hold_targets(facts: Facts) -> Iterator[Trouble]:
    """Without a target the load balancer answers 503, or refuses connections.

    The usual reason is a Service that selects no pod, or whose pods are not ready. Groups of weight 0 do not count.
    """
    return _hops(facts, Kind.GROUP)


@check(
    "targets-are-healthy",
    demand="No target that a load balancer forwards to is unhealthy, unused or unavailable.",
    severity="high",
    link=_HEALTH,
)
def targets_are_healthy(facts: Facts) -> Iterator[Trouble]:
    """AWS gives the reason.

    Target.Timeout is a security group or a wrong port, Target.ResponseCodeMismatch a wrong path, Target.NotInUse
    a zone or listener that is missing. If a later hop is broken, that hop is reported instead.
    """
    return _hops(facts, Kind.TARGET)


@check(
    "load-balancers-reach-the-pods",
    demand="The security groups of a target's interface admit its load balancer at the target's port.",
    severity="high",
    link=f"{_GUIDE}deploy/security_groups/",
)
def load_balancers_reach_the_pods(facts: Facts) -> Iterator[Trouble]:
    """Targets that cannot be reached are unhealthy with Target.Timeout.

    The controller writes these rules for the bindings that it made. Other bindings get them from `spec.networking`.
    """
    return _hops(facts, Kind.INTERFACE)


@check(
    "pods-are-ready",
    demand="Every target is a pod that exists and is ready.",
    severity="high",
    link="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions",
)
def pods_are_ready(facts: Facts) -> Iterator[Trouble]:
    """An address without a pod may belong to another one tomorrow; a pod that is not ready answers with errors."""
    return _hops(facts, Kind.POD)
