"""The path from each DNS name to its pods, hop by hop: these checks report what the picture marks as broken."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.faults import Fault
from eks_load_balancing.doctor.paths.hops import Kind, broken
from eks_load_balancing.doctor.paths.ways import ways
from eks_load_balancing.doctor.registry import Trouble, check

_NAMED_AT_MOST: Final = 5
_GUIDE: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/"
_STATES: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html"
_HEALTH: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html#target-health-states"


class HopCheck(NamedTuple):
    """The check that reports the broken hops of one kind."""

    name: str
    demand: str
    link: str
    why: str


_CHECKS: Final = {
    Kind.NAME: HopCheck(
        "names-lead-to-load-balancers",
        "Every Service and Ingress that asks for a load balancer has one, and its status names it.",
        "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/how-it-works/",
        "Clients and DNS records use the name in the status. If a load balancer was deleted outside the "
        "cluster, the controller notices only at its next resync, up to ten hours later.",
    ),
    Kind.BALANCER: HopCheck(
        "load-balancers-are-active",
        "Every load balancer of the cluster is active, and listens on the ports that its object asks for.",
        _STATES,
        "A load balancer that is provisioning or failed, or that listens on no port, answers nobody.",
    ),
    Kind.LISTENER: HopCheck(
        "listeners-answer",
        "A load balancer's security groups admit clients to each listener, and each leads to the Ingress's rules.",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html",
        "Rules that were deleted outside the cluster leave only the default one, which answers 404.",
    ),
    Kind.RULE: HopCheck(
        "rules-have-backends",
        "No rule answers 503 for a Service that does not exist, and each that forwards has a weight above 0.",
        f"{_GUIDE}guide/ingress/annotations/#actions",
        "The controller turns a backend that does not exist into a fixed 503 and reports success.",
    ),
    Kind.GROUP: HopCheck(
        "target-groups-hold-targets",
        "Every target group that a load balancer forwards to exists and holds targets that have been checked.",
        f"{_GUIDE}guide/targetgroupbinding/targetgroupbinding/",
        "Without a target the load balancer answers 503, or refuses connections. The usual reason is a "
        "Service that selects no pod, or whose pods are not ready. Groups of weight 0 do not count.",
    ),
    Kind.TARGET: HopCheck(
        "targets-are-healthy",
        "No target that a load balancer forwards to is unhealthy, unused or unavailable.",
        _HEALTH,
        "AWS gives the reason. Target.Timeout is a security group or a wrong port, "
        "Target.ResponseCodeMismatch a wrong path, Target.NotInUse a zone or listener that is missing. If a "
        "later hop is broken, that hop is reported instead.",
    ),
    Kind.INTERFACE: HopCheck(
        "load-balancers-reach-the-pods",
        "The security groups of a target's interface admit its load balancer at the target's port.",
        f"{_GUIDE}deploy/security_groups/",
        "Targets that cannot be reached are unhealthy with Target.Timeout. The controller writes these rules "
        "for the bindings that it made. Other bindings get them from `spec.networking`.",
    ),
    Kind.POD: HopCheck(
        "pods-are-ready",
        "Every target is a pod that exists and is ready.",
        "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions",
        "An address without a pod may belong to another one tomorrow; a pod that is not ready answers with errors.",
    ),
}
CHECK_OF: Final = {kind: one.name for kind, one in _CHECKS.items()}
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


def _register(kind: Kind, one: HopCheck) -> None:
    def run(facts: Facts) -> Iterator[Trouble]:
        return _hops(facts, kind)

    run.__name__, run.__doc__ = one.name.replace("-", "_"), one.why
    check(demand=one.demand, link=one.link)(run)


for _kind, _one in _CHECKS.items():
    _register(_kind, _one)
