"""TargetGroupBindings and the targets in their groups: exactly the ready pods."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from eks_load_balancing.controller.values import READINESS_GATE_LABEL
from eks_load_balancing.doctor.events import last_reports, moment
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import Remedy, log
from eks_load_balancing.doctor.lookups import called, first, key, own_balancers, own_groups, pod_at, ready_addresses
from eks_load_balancing.doctor.paths.network import zone_of
from eks_load_balancing.doctor.paths.workloads import (
    GATE,
    NO_BINDING,
    conditions_of,
    gate_fault,
    labels_of,
    pods_behind,
    selected,
    service_of,
    waits_for_gates_alone,
)
from eks_load_balancing.doctor.registration import deregister, register
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.doctor.remedies import rebind, remedy

_BINDING: Final = (
    "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/"
)
_GATES: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/"
_QUOTAS: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html"
GATE_SECONDS: Final = 300
"""How long a pod may wait for its target to become healthy."""
_ZONE: Final = "targets-per-availability-zone-per-network-load-balancer"
_BALANCER: Final = "targets-per-network-load-balancer"
_GROUP: Final = "targets-per-target-group"
_QUOTA_CODES: Final = {_ZONE: "L-B211E961", _BALANCER: "L-EEF1AD04", _GROUP: "L-A0D0B863"}
DEFAULT_LIMITS: Final = {_ZONE: 500, _BALANCER: 3000, _GROUP: 1000}
"""Quotas of a new account."""
FULL: Final = 0.9
"""The share of a quota that leaves no room for a rollout."""
_UNLABELLED: Final = "default"


@check(link=_BINDING)
def bindings_name_a_target_group(facts: Facts) -> Iterator[Trouble]:
    """The target group of every TargetGroupBinding exists.

    The controller does not create a deleted target group again if the binding is yours: its pods get no traffic.
    """
    there = {group["TargetGroupArn"] for group in facts.target_groups}
    for binding in facts.bindings:
        arn = binding["spec"].get("targetGroupARN")
        if arn and arn not in there:
            yield Trouble(
                called(binding),
                f"its target group {arn} does not exist",
                rebind(facts, binding),
                key(binding)[0],
            )


@check(link=_BINDING)
def targets_are_the_ready_pods(facts: Facts) -> Iterator[Trouble]:
    """A target group of type ip holds the addresses of its Service's ready endpoints, and no others.

    A ready pod that is not a target gets no traffic; an address without a pod may belong to somebody else tomorrow.
    Targets that are being registered or drained do not count, nor do pods that wait only for their readiness gates:
    they are registered first. A binding with `multiClusterTargetGroup` shares its group with other clusters, whose
    targets are not checked.
    """
    for binding in facts.bindings:
        spec, (namespace, _) = binding["spec"], key(binding)
        held = facts.health.get(spec.get("targetGroupARN", ""))
        if held is None or spec.get("targetType") != "ip":
            continue
        wanted = ready_addresses(facts, namespace, spec["serviceRef"]["name"])
        targets = {d["Target"]["Id"]: d["Target"] for d in held if d["TargetHealth"]["State"] != "draining"}
        settled = set(targets) - {d["Target"]["Id"] for d in held if d["TargetHealth"]["State"] == "initial"}
        missing, strange = wanted - set(targets), settled - wanted
        strange -= {a for a in strange if (pod := pod_at(facts, a)) is not None and waits_for_gates_alone(pod)}
        strange = set[str]() if spec.get("multiClusterTargetGroup") else strange
        said = [
            f"{verb} {', '.join(sorted(addresses))}"
            for verb, addresses in (("ready and no target:", missing), ("target and not ready:", strange))
            if addresses
        ]
        if said:
            fix, see = _moved(facts, binding, missing, [targets[address] for address in sorted(strange)])
            where = f"{called(binding)} (Service {spec['serviceRef']['name']})"
            yield Trouble(where, "; ".join(said), fix, namespace, see)


def _moved(facts: Facts, binding: Object, missing: Collection[str], strange: Collection[Object]) -> Remedy:
    """Return the remedy: the one for the controller's own report, or fixes for the wrong registrations."""
    report = last_reports(facts).get((binding["kind"], *key(binding)))
    if report is not None and report["type"] == "Warning":
        return remedy(facts, binding, report)
    arn = binding["spec"]["targetGroupARN"]
    group = first(one for one in facts.target_groups if one["TargetGroupArn"] == arn) or {"TargetGroupArn": arn}
    commands = [deregister(arn, strange)] if strange else []
    commands += [register(facts, binding, group, missing)] if missing else []
    return Remedy(" and ".join(commands), log(facts))


@check(
    demand=f"A pod whose containers are ready meets its readiness gates within {GATE_SECONDS // 60} minutes.",
    link=_GATES,
)
def readiness_gates_are_met(facts: Facts) -> Iterator[Trouble]:
    """The pod is not ready until its target is healthy: a rollout waits for it, and no Service sends to it."""
    for pod in facts.pods:
        fault = gate_fault(facts, pod)
        since = moment(conditions_of(pod).get("ContainersReady", {}).get("lastTransitionTime"))
        late = (facts.now - since).total_seconds() > GATE_SECONDS
        if fault is not None and (late or NO_BINDING in fault.why):
            yield Trouble(called(pod), fault.why, fault.fix, key(pod)[0], fault.see)


@check(
    demand=f"A namespace whose pods are targets has the label {READINESS_GATE_LABEL}=enabled.",
    severity="medium",
    link=_GATES,
)
def namespaces_ask_for_readiness_gates(facts: Facts) -> Iterator[Trouble]:
    """Without gates a rollout replaces pods before the new ones are healthy targets, and requests are lost.

    The namespace `default` is checked only if its pods already have gates. To opt out, give pods a label of the same
    name with the value `disabled`. If the webhook selects namespaces in another way, its selector decides.
    """
    selector = first(
        webhook.get("namespaceSelector")
        for one in facts.webhooks
        for webhook in one.get("webhooks") or []
        if webhook["name"] == "mpod.elbv2.k8s.aws"
    ) or {"matchLabels": {READINESS_GATE_LABEL: "enabled"}}
    for space in facts.namespaces:
        name = space["metadata"]["name"]
        behind = [
            pod
            for binding in facts.bindings
            if key(binding)[0] == name and binding["spec"].get("targetType") == "ip"
            for service in [service_of(facts, name, binding["spec"]["serviceRef"]["name"])]
            for pod in (pods_behind(facts, service) if service else [])
            if labels_of(pod).get(READINESS_GATE_LABEL) != "disabled"
        ]
        gated = [
            p for p in behind for g in p["spec"].get("readinessGates") or [] if g["conditionType"].startswith(GATE)
        ]
        if behind and not selected(selector, labels_of(space)) and (gated or name != _UNLABELLED):
            given = labels_of(space).get(READINESS_GATE_LABEL)
            yield Trouble(
                f"namespace {name}",
                (
                    f"its label {READINESS_GATE_LABEL} is {given!r}"
                    if given
                    else f"it has no label {READINESS_GATE_LABEL}"
                )
                + f", and {len({key(pod) for pod in behind})} of its pods are targets",
                f"`kubectl label namespace {name} --overwrite {READINESS_GATE_LABEL}=enabled`, then restart the pods",
                name,
            )


@check(
    demand=f"Target groups, and the targets of each NLB, are below {FULL:.0%} of the account's quotas.",
    severity="medium",
    link=_QUOTAS,
)
def target_groups_have_room(facts: Facts) -> Iterator[Trouble]:
    """At the quota new pods are not registered ("TooManyTargets"), and a rollout waits for ever.

    Each NLB has a quota for each zone. With cross-zone load balancing that quota is for all zones together. A target
    counts once for each of the NLB's target groups that contains it.
    """
    limits, groups = {**DEFAULT_LIMITS, **facts.limits}, own_groups(facts)
    counted = [
        (f"target group {g['TargetGroupName']}", "", len(facts.health[g["TargetGroupArn"]]), _GROUP) for g in groups
    ]
    for balancer in own_balancers(facts):
        if balancer["Type"] != "network":
            continue
        arn, name = balancer["LoadBalancerArn"], f"load balancer {balancer['LoadBalancerName']}"
        crossing = facts.attributes.get(arn, {}).get("load_balancing.cross_zone.enabled") == "true"
        held = [d for g in groups if arn in g.get("LoadBalancerArns", []) for d in facts.health[g["TargetGroupArn"]]]
        zones = Counter("all zones" if crossing else zone_of(facts, d["Target"]) for d in held)
        counted += [(name, f" in {zone}", count, _ZONE) for zone, count in zones.items()]
        counted.append((name, "", len(held), _BALANCER))
    for name, place, count, limit in counted:
        if count >= limits[limit] * FULL:
            yield Trouble(
                name,
                f"it has {count} targets{place}, and the quota {limit} is {limits[limit]}",
                "use fewer pods, or raise the quota: `aws service-quotas request-service-quota-increase --service-code"
                f" elasticloadbalancing --quota-code {_QUOTA_CODES[limit]} --desired-value {2 * limits[limit]}`",
            )
