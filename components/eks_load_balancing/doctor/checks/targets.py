"""What target groups hold: the ready pods, healthy."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.lookups import called, key, own_groups, pod_at, ready_addresses
from eks_load_balancing.doctor.registry import Trouble, check

_BINDING: Final = (
    "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/"
)
_HEALTH: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html#target-health-states"
_ILL: Final = ("unhealthy", "unavailable", "unused")


@check(
    "bindings-name-a-target-group",
    demand="The target group of every TargetGroupBinding is there.",
    severity="high",
    link=_BINDING,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A target group that was deleted by hand is not made again under a binding of yours: its pods serve nobody."""
    there = {group["TargetGroupArn"] for group in facts.target_groups}
    for binding in facts.bindings:
        arn = binding["spec"].get("targetGroupARN")
        if arn and arn not in there:
            yield Trouble(
                called(binding),
                f"its target group {arn} is not there",
                f"kubectl delete targetgroupbinding -n {' '.join(key(binding))}; the controller makes its own anew",
                key(binding)[0],
            )


@check(
    "targets-are-the-ready-pods",
    demand="A target group of type ip holds the addresses of its Service's ready endpoints, and no others.",
    severity="high",
    link=_BINDING,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A pod that is not there serves nobody; an address that is no pod's any more may be somebody else's tomorrow.

    Targets on their way in or out do not count: a pod that waits for its readiness gate is registered first. A binding
    with `multiClusterTargetGroup` shares its group: others' targets are none of its business.
    """
    for binding in facts.bindings:
        spec, (namespace, _) = binding["spec"], key(binding)
        held = facts.health.get(spec.get("targetGroupARN", ""))
        if held is None or spec.get("targetType") != "ip":
            continue
        wanted = ready_addresses(facts, namespace, spec["serviceRef"]["name"])
        targets = {d["Target"]["Id"] for d in held if d["TargetHealth"]["State"] != "draining"}
        settled = targets - {d["Target"]["Id"] for d in held if d["TargetHealth"]["State"] == "initial"}
        missing, strange = wanted - targets, set[str]() if spec.get("multiClusterTargetGroup") else settled - wanted
        said = [
            f"{verb} {', '.join(sorted(addresses))}"
            for verb, addresses in (("ready and no target:", missing), ("target and not ready:", strange))
            if addresses
        ]
        if said:
            yield Trouble(
                f"{called(binding)} (Service {spec['serviceRef']['name']})",
                "; ".join(said),
                f"kubectl describe targetgroupbinding -n {' '.join(key(binding))}, and the controller's log, say why",
                namespace,
            )


@check(
    "targets-are-healthy",
    demand="No target is unhealthy, unused or unavailable.",
    severity="high",
    link=_HEALTH,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """AWS says why.

    Target.Timeout is a security group or a wrong port, Target.ResponseCodeMismatch a wrong path, Target.NotInUse
    a zone or listener that is missing.
    """
    for group in own_groups(facts):
        ill: dict[tuple[str, str], list[str]] = {}
        for described in facts.health[group["TargetGroupArn"]]:
            health, target = described["TargetHealth"], described["Target"]
            if health["State"] in _ILL:
                pod = pod_at(facts, target["Id"], target.get("Port"))
                name = f" ({'/'.join(key(pod))})" if pod else ""
                because = " ".join(t for t in (health.get("Reason"), health.get("Description")) if t)
                ill.setdefault((health["State"], because or "no reason given"), []).append(
                    f"{target['Id']}:{target.get('Port', '')}{name}"
                )
        for (state, because), targets in ill.items():
            checked = f"{group.get('HealthCheckProtocol')} {group.get('HealthCheckPath', '')}".strip()
            yield Trouble(
                f"target group {group['TargetGroupName']}",
                f"{', '.join(targets)} {state}: {because}",
                f"see that the pods answer the health check ({checked} on port {group.get('HealthCheckPort')}) and that"
                " their security group lets it in",
            )
