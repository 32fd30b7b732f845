"""The way from a DNS name to a pod: hop by hop for each load balancer, and where it breaks. Pure.

DNS name -> load balancer -> listener -> rule -> target group -> target -> interface of the node -> pod
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from eks_load_balancing.doctor.checks.objects import CONTROLLER
from eks_load_balancing.doctor.facts import Facts, NotSeenError, Object
from eks_load_balancing.doctor.lookups import (
    called,
    first,
    forwarded,
    is_ready,
    key,
    own_balancers,
    pod_at,
    stack_of,
    stacks,
)
from eks_load_balancing.doctor.network import admitted, groups_of, in_vpc, interface_of, protocols_of, where_from
from eks_load_balancing.doctor.registry import Finding, could_not_look

_KINDS = {"application": "ALB", "network": "NLB", "gateway": "GWLB"}


@dataclass(frozen=True)
class Hop:
    """One hop, and those after it."""

    kind: str
    name: str
    broken: str | None = None
    """Why traffic ends here, if it does."""
    below: tuple["Hop", ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is broken from here on."""
        return self.broken is None and all(hop.whole for hop in self.below)


@dataclass(frozen=True)
class Way:
    """All ways that begin at one DNS name."""

    title: str
    """What the load balancer is for: `Ingress shop/web`."""
    namespace: str | None
    start: Hop


def drawn(facts: Facts) -> tuple[list[Way], list[Finding]]:
    """Return the ways, or the finding that they cannot be seen."""
    try:
        return ways(facts), []
    except NotSeenError as error:
        return [], [could_not_look(error.unseen, ["the ways to the pods"])]


def ways(facts: Facts) -> list[Way]:
    """Return the ways of every load balancer of the cluster, and of what asks for one and has none."""
    asked = stacks(facts)
    made: set[str] = set()
    found: list[Way] = []
    for balancer in own_balancers(facts):
        stack = stack_of(facts.tags.get(balancer["LoadBalancerArn"], {}))
        made.add(stack or "")
        owner = asked.get(stack or "")
        title = called(owner) if owner else f"{stack}, which is gone" if stack else "not made by the controller"
        found.append(Way(title, key(owner)[0] if owner else None, _dns_name(facts, balancer, owner)))
    for stack, owner in _asking(facts).items():
        if stack not in made:
            none = Hop("DNS name", "none", f"no load balancer was made for {called(owner)}: see its events")
            found.append(Way(called(owner), key(owner)[0], none))
    return sorted(found, key=lambda way: way.title)


def _asking(facts: Facts) -> dict[str, Object]:
    """Return what asks this controller for a load balancer: stack -> an object. Gateways are not judged."""
    ours = {c["metadata"]["name"] for c in facts.ingress_classes if c["spec"].get("controller") == CONTROLLER}
    found: dict[str, Object] = {}
    objects: dict[tuple[str, ...], str] = {}
    for stack, thing in stacks(facts).items():
        wanted = (
            thing["spec"].get("loadBalancerClass") == "service.k8s.aws/nlb"
            if thing["kind"] == "Service"
            else thing["kind"] == "Ingress" and thing["spec"].get("ingressClassName") in ours
        )
        if wanted and thing["metadata"].get("deletionTimestamp") is None:
            # an Ingress in a group is known by the group's name, which comes after its own
            found.pop(objects.get((thing["kind"], *key(thing)), ""), None)
            objects[thing["kind"], *key(thing)] = stack
            found[stack] = thing
    return found


def _dns_name(facts: Facts, balancer: Object, owner: Object | None) -> Hop:
    name = balancer["DNSName"]
    broken = None
    if owner is not None and name.lower() not in _published(facts):
        broken = f"the status of {called(owner)} does not name it"
    return Hop("DNS name", name, broken, (_balancer(facts, balancer),))


def _published(facts: Facts) -> set[str]:
    """Return the host names in the status of everything that the load balancer is for."""
    found: set[str] = set()
    for thing in (*facts.services, *facts.ingresses, *facts.gateways):
        status = thing.get("status") or {}
        published = (status.get("loadBalancer") or {}).get("ingress") or []
        found |= {one.get("hostname", "").lower() for one in published}
        found |= {one.get("value", "").lower() for one in status.get("addresses") or []}
    return found


def _balancer(facts: Facts, balancer: Object) -> Hop:
    state = balancer.get("State", {})
    listeners = facts.listeners[balancer["LoadBalancerArn"]]
    if state.get("Code") not in ("active", "active_impaired"):
        broken = f"it is {state.get('Code')} {state.get('Reason', '')}".strip()
    else:
        broken = None if listeners else "it has no listener"
    kind = _KINDS.get(balancer["Type"], balancer["Type"])
    below = tuple(_listener(facts, balancer, one) for one in sorted(listeners, key=lambda one: one.get("Port", 0)))
    return Hop("load balancer", f"{balancer['LoadBalancerName']} ({kind}, {balancer['Scheme']})", broken, below)


def _listener(facts: Facts, balancer: Object, listener: Object) -> Hop:
    default = {"IsDefault": True, "Actions": listener.get("DefaultActions", [])}
    rules = facts.rules.get(listener["ListenerArn"]) or (default,)
    below = tuple(_rule(facts, balancer, rule) for rule in rules)
    return Hop("listener", f"{listener.get('Protocol')}:{listener.get('Port')}", None, below)


def _rule(facts: Facts, balancer: Object, rule: Object) -> Hop:
    conditions = " ".join(_condition(condition) for condition in rule.get("Conditions", []))
    name = "default" if rule.get("IsDefault") else f"{rule.get('Priority')} {conditions}".strip()
    groups = forwarded(rule["Actions"])
    if not groups:
        name += f": {', '.join(action['Type'] for action in rule['Actions'])}"
    return Hop("rule", name, None, tuple(_group(facts, balancer, arn) for arn in groups))


def _condition(condition: Object) -> str:
    values = condition.get("Values") or [v for c in condition.values() if isinstance(c, dict) for v in _values(c)]
    return f"{condition.get('Field')}={','.join(values)}"


def _values(config: dict[str, Any]) -> Iterator[str]:
    for value in config.get("Values", []):
        yield f"{value.get('Key')}={value.get('Value')}" if isinstance(value, dict) else str(value)


def _group(facts: Facts, balancer: Object, arn: str) -> Hop:
    group = first(one for one in facts.target_groups if one["TargetGroupArn"] == arn)
    if group is None:
        return Hop("target group", arn, "it is not there")
    held = [d for d in facts.health.get(arn, ()) if d["TargetHealth"]["State"] != "draining"]
    below = tuple(_target(facts, balancer, group, one) for one in sorted(held, key=lambda one: one["Target"]["Id"]))
    broken = None if held else "it holds no target"
    return Hop("target group", f"{group['TargetGroupName']} ({group['TargetType']})", broken, below)


def _target(facts: Facts, balancer: Object, group: Object, described: Object) -> Hop:
    """Return a target. That it is ill is the fault of what comes after it, if that is broken."""
    target, health = described["Target"], described["TargetHealth"]
    after: tuple[Hop, ...] = ()
    if group["TargetType"] == "instance":  # which pod answers on its node port is not for AWS to know
        interface = first(one for one in facts.network_interfaces if _primary(one, target["Id"]))
        after = (_interface(facts, balancer, group, interface, target),)
    elif group["TargetType"] == "ip":
        pod = _pod(facts, group, target)
        if in_vpc(facts, target["Id"]):
            interface = interface_of(facts, target["Id"])
            after = (replace(_interface(facts, balancer, group, interface, target), below=(pod,)),)
        else:  # a peer's: its interfaces and groups are not seen from here
            after = (pod,)
    broken = None
    if health["State"] != "healthy" and all(hop.whole for hop in after):
        broken = " ".join(t for t in (health["State"], health.get("Reason"), health.get("Description")) if t)
    return Hop("target", f"{target['Id']}:{target.get('Port', '')} {health['State']}", broken, after)


def _interface(facts: Facts, balancer: Object, group: Object, interface: Object | None, target: Object) -> Hop:
    if interface is None:
        return Hop("interface", "none", f"no network interface of the VPC has {target['Id']}")
    groups, port, protocols = groups_of(interface), target.get("Port", 0), protocols_of(group)
    name = f"{interface['NetworkInterfaceId']} ({', '.join(groups)})"
    sources = where_from(facts, balancer)
    shut = f"no rule lets {' or '.join(sources)} reach {'/'.join(protocols).upper()} {port}"
    return Hop("interface", name, None if admitted(facts, groups, port, sources, protocols) else shut)


def _primary(interface: Object, instance: str) -> bool:
    attachment = interface.get("Attachment") or {}
    return attachment.get("InstanceId") == instance and attachment.get("DeviceIndex", 0) == 0


def _pod(facts: Facts, group: Object, target: Object) -> Hop:
    pod = pod_at(facts, target["Id"], target.get("Port"))
    if pod is None:
        shared = any(
            binding["spec"].get("multiClusterTargetGroup")
            for binding in facts.bindings
            if binding["spec"].get("targetGroupARN") == group["TargetGroupArn"]
        )
        return Hop("pod", "of another cluster") if shared else Hop("pod", "none", f"no pod has {target['Id']}")
    return Hop("pod", "/".join(key(pod)), None if is_ready(pod) else "it is not ready")
