"""The path from a DNS name to a pod: hop by hop for each load balancer, and where it breaks. Pure.

DNS name -> load balancer -> listener -> rule -> target group -> target -> network interface -> pod

A broken hop has its `Fault`, which has a remedy. `checks.paths` turns each into a finding, so everything that the
picture marks is reported.
"""

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from eks_load_balancing.doctor.events import last_reports, text_of
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import Fault, log, reported, restart
from eks_load_balancing.doctor.lookups import (
    called,
    first,
    forwarded,
    is_served,
    key,
    own_balancers,
    pod_at,
    stack_named,
    stack_of,
    stacks,
)
from eks_load_balancing.doctor.paths.hops import Hop, Kind, Way
from eks_load_balancing.doctor.paths.listeners import rule_fault, shut, wanted_ports, without_rules
from eks_load_balancing.doctor.paths.network import (
    admitted,
    backend_groups,
    groups_of,
    in_vpc,
    interface_of,
    protocols_of,
    where_from,
)
from eks_load_balancing.doctor.paths.workloads import illness, nothing_serves
from eks_load_balancing.doctor.registration import deregister, register
from eks_load_balancing.doctor.remedies import remedy

_KINDS: Final = {"application": "ALB", "network": "NLB", "gateway": "GWLB"}


@lru_cache(maxsize=1)
def ways(facts: Facts) -> tuple[Way, ...]:
    """Return the paths of every load balancer of the cluster, and of each object that should have one and does not."""
    asked = stacks(facts)
    made: set[str] = set()
    found: list[Way] = []
    for balancer in own_balancers(facts):
        stack = stack_of(facts.tags.get(balancer["LoadBalancerArn"], {}))
        made.add(stack or "")
        owner = asked.get(stack or "")
        start = _dns_name(facts, balancer, owner)
        gone = f"{stack}, which no longer exists" if stack else "not made by the controller"
        found.append(_way(facts, owner, start) if owner else Way(gone, None, start))
    for stack, owner in _asking(facts).items():
        if stack not in made:
            found.append(_way(facts, owner, Hop(Kind.NAME, "none", _no_balancer(facts, owner))))
    return tuple(sorted(found, key=lambda way: way.title))


def _way(facts: Facts, owner: Object, start: Hop) -> Way:
    """Return a path with the name of its object, or of all members of its IngressGroup."""
    if owner["kind"] == "Ingress":
        members = [one for one in facts.ingresses if stack_named(facts, one) == stack_named(facts, owner)]
        if len(members) > 1:
            names = ", ".join(sorted("/".join(key(one)) for one in members))
            spaces = {key(one)[0] for one in members}
            title = f"IngressGroup {stack_named(facts, owner)} ({names})"
            return Way(title, spaces.pop() if len(spaces) == 1 else None, start)
    return Way(called(owner), key(owner)[0], start)


def _asking(facts: Facts) -> dict[str, Object]:
    """Return the objects that should have a load balancer: stack -> an object. Gateways are not checked."""
    wanting = [t for t in (*facts.ingresses, *facts.services) if is_served(facts, t)]
    return {
        stack_named(facts, thing) if thing["kind"] == "Ingress" else "/".join(key(thing)): thing
        for thing in wanting
        if thing["metadata"].get("deletionTimestamp") is None
    }


def _no_balancer(facts: Facts, owner: Object) -> Fault:
    report = last_reports(facts).get((owner["kind"], *key(owner)))
    if report is not None and report["type"] == "Warning":
        return Fault(f"{called(owner)} has no load balancer: {text_of(report)}", *remedy(facts, owner, report))
    published = ", ".join(_host_names(owner))
    if published:
        return Fault(f"the load balancer {published} of {called(owner)} does not exist any more", restart(facts))
    return Fault(f"{called(owner)} has no load balancer, and the controller has not reported why", *reported(facts))


def _dns_name(facts: Facts, balancer: Object, owner: Object | None) -> Hop:
    name, fault = balancer["DNSName"], None
    if owner is not None and name.lower() not in _published(facts):
        fault = Fault(f"the status of {called(owner)} does not name it", restart(facts))
    return Hop(Kind.NAME, name, fault, (_balancer(facts, balancer, owner),))


def _host_names(thing: Object) -> list[str]:
    status = thing.get("status") or {}
    published = (status.get("loadBalancer") or {}).get("ingress") or []
    names = [one.get("hostname", "").lower() for one in published]
    names += [one.get("value", "").lower() for one in status.get("addresses") or []]
    return [name for name in names if name]


def _published(facts: Facts) -> set[str]:
    """Return the host names in the status of every Service, Ingress and Gateway."""
    return {name for thing in (*facts.services, *facts.ingresses, *facts.gateways) for name in _host_names(thing)}


def _balancer(facts: Facts, balancer: Object, owner: Object | None) -> Hop:
    listeners = facts.listeners[balancer["LoadBalancerArn"]]
    kind = _KINDS.get(balancer["Type"], balancer["Type"])
    name = f"{balancer['LoadBalancerName']} ({kind}, {balancer['Scheme']})"
    ordered = sorted(listeners, key=lambda one: one.get("Port", 0))
    below = tuple(_listener(facts, balancer, owner, one) for one in ordered)
    return Hop(Kind.BALANCER, name, _balancer_fault(facts, balancer, owner, listeners), below)


def _balancer_fault(
    facts: Facts, balancer: Object, owner: Object | None, listeners: Collection[Object]
) -> Fault | None:
    state, arn = balancer.get("State", {}), balancer["LoadBalancerArn"]
    made = stack_of(facts.tags.get(arn, {})) is not None
    if state.get("Code") == "provisioning":
        return Fault("it is provisioning", "wait: a load balancer becomes active within about five minutes")
    if state.get("Code") not in ("active", "active_impaired"):
        reason = " ".join(t for t in (state.get("Code"), state.get("Reason")) if t)
        again = restart(facts) if made else "create it again"
        delete = f"`aws elbv2 delete-load-balancer --load-balancer-arn {arn}`"
        return Fault(f"it is {reason}", f"{delete}, then {again}")
    if not listeners:
        own = (
            f"`aws elbv2 create-listener --load-balancer-arn {arn} --protocol HTTP --port 80 --default-actions ACTION`"
        )
        return Fault("it has no listener", restart(facts) if made else own)
    missing = sorted(wanted_ports(facts, balancer, owner) - {listener.get("Port") for listener in listeners})
    return Fault(f"it does not listen on port {', '.join(map(str, missing))}", restart(facts)) if missing else None


def _listener(facts: Facts, balancer: Object, owner: Object | None, listener: Object) -> Hop:
    default = {"IsDefault": True, "Actions": listener.get("DefaultActions", [])}
    rules = facts.rules.get(listener["ListenerArn"]) or (default,)
    below = tuple(_rule(facts, balancer, owner, rule) for rule in rules)
    fault = shut(facts, balancer, listener) or without_rules(facts, balancer, owner, listener, rules)
    return Hop(Kind.LISTENER, f"{listener.get('Protocol')}:{listener.get('Port')}", fault, below)


def _rule(facts: Facts, balancer: Object, owner: Object | None, rule: Object) -> Hop:
    conditions = " ".join(_condition(condition) for condition in rule.get("Conditions", []))
    name = "default" if rule.get("IsDefault") else f"{rule.get('Priority')} {conditions}".strip()
    groups = forwarded(rule["Actions"])
    if not groups:
        name += f": {', '.join(map(_action, rule['Actions']))}"
    below = tuple(_group(facts, balancer, arn, weight) for arn, weight in groups.items())
    return Hop(Kind.RULE, name, rule_fault(facts, owner, rule, groups), below)


def _action(action: Object) -> str:
    fixed = action.get("FixedResponseConfig") or {}
    said = (action["Type"], fixed.get("StatusCode"), fixed.get("MessageBody"))
    return " ".join(text for text in said if text)


def _condition(condition: Object) -> str:
    values = condition.get("Values") or [v for c in condition.values() if isinstance(c, dict) for v in _values(c)]
    return f"{condition.get('Field')}={','.join(values)}"


def _values(config: dict[str, Any]) -> Iterator[str]:
    for value in config.get("Values", []):
        yield f"{value.get('Key')}={value.get('Value')}" if isinstance(value, dict) else str(value)


def _group(facts: Facts, balancer: Object, arn: str, weight: int) -> Hop:
    group = first(one for one in facts.target_groups if one["TargetGroupArn"] == arn)
    if group is None:
        return Hop(Kind.GROUP, arn, Fault("it does not exist", restart(facts)))
    name = f"{group['TargetGroupName']} ({group['TargetType']})"
    if weight == 0:
        return Hop(Kind.GROUP, f"{name}, weight 0")
    held = [d for d in facts.health.get(arn, ()) if d["TargetHealth"]["State"] != "draining"]
    below = tuple(_target(facts, balancer, group, one) for one in sorted(held, key=lambda one: one["Target"]["Id"]))
    return Hop(Kind.GROUP, name, _group_fault(facts, group, held), below)


def _group_fault(facts: Facts, group: Object, held: Collection[Object]) -> Fault | None:
    if held and all(d["TargetHealth"]["State"] == "initial" for d in held):
        wait = "wait for the first health checks; if they fail, the targets become unhealthy and say why"
        return Fault("its targets are all being registered or checked for the first time", wait)
    if held:
        return None
    arn = group["TargetGroupArn"]
    bindings = [one for one in facts.bindings if one["spec"].get("targetGroupARN") == arn]
    if not bindings:
        made = stack_of(facts.tags.get(arn, {})) is not None
        own = f"create a TargetGroupBinding with targetGroupARN {arn}, or register targets"
        return Fault("it holds no target, and no TargetGroupBinding names it", restart(facts) if made else own)
    for binding in bindings:
        fault = nothing_serves(facts, key(binding)[0], binding["spec"]["serviceRef"]["name"])
        if fault is not None:
            return Fault(f"it holds no target: {fault.why}", fault.fix, fault.see)
        report = last_reports(facts).get((binding["kind"], *key(binding)))
        if report is not None and report["type"] == "Warning":
            return Fault(f"it holds no target: {text_of(report)}", *remedy(facts, binding, report))
    return Fault("it holds no target, though pods are ready", register(facts, bindings[0], group), log(facts))


def _target(facts: Facts, balancer: Object, group: Object, described: Object) -> Hop:
    """Return a target. If a later hop is broken, that is why it is unhealthy, so it is not marked itself."""
    target, health = described["Target"], described["TargetHealth"]
    after: tuple[Hop, ...] = ()
    if group["TargetType"] == "instance":  # AWS does not know which pod answers on a node port
        interface = first(one for one in facts.network_interfaces if _primary(one, target["Id"]))
        after = (_interface(facts, balancer, group, interface, target),)
    elif group["TargetType"] == "ip":
        pod = _pod(facts, group, target)
        if in_vpc(facts, target["Id"]):
            interface = interface_of(facts, target["Id"])
            after = (replace(_interface(facts, balancer, group, interface, target), below=(pod,)),)
        else:  # in a peered network, whose interfaces and security groups are not visible
            after = (pod,)
    fault = None
    if health["State"] not in ("healthy", "initial") and all(hop.whole for hop in after):
        why = " ".join(t for t in (health.get("Reason"), health.get("Description")) if t) or "AWS gives no reason"
        fault = Fault(why, _heal(group, target, health.get("Reason", "")))
    return Hop(Kind.TARGET, f"{target['Id']}:{target.get('Port', '')} {health['State']}", fault, after)


def _heal(group: Object, target: Object, reason: str) -> str:
    port = group.get("HealthCheckPort", "traffic-port")
    where = f"port {target.get('Port', '') if port == 'traffic-port' else port}"
    asks = f"{group.get('HealthCheckProtocol', 'TCP')} {group.get('HealthCheckPath', '')}".strip()
    if reason == "Target.Timeout":
        return (
            f"make the pods listen on {where}, and let the load balancer's health check ({asks}) reach them: security"
            " groups, network ACLs and NetworkPolicies"
        )
    if reason == "Target.NotInUse":
        return "let a listener forward to its target group, and give the load balancer a subnet in the target's zone"
    codes = (group.get("Matcher") or {}).get("HttpCode") or (group.get("Matcher") or {}).get("GrpcCode") or "200"
    return (
        f"make the pods answer the health check {asks} on {where} with {codes}, or name another path or code in the"
        " annotations healthcheck-path and success-codes"
    )


def _interface(facts: Facts, balancer: Object, group: Object, interface: Object | None, target: Object) -> Hop:
    if interface is None:
        away = deregister(group["TargetGroupArn"], [target])
        return Hop(Kind.INTERFACE, f"of {target['Id']}", Fault("no interface of the VPC has its address", away))
    groups, port, protocols = groups_of(interface), target.get("Port", 0), protocols_of(group)
    name = f"{interface['NetworkInterfaceId']} ({', '.join(groups)})"
    sources = where_from(facts, balancer)
    if not groups or not sources or admitted(facts, groups, port, sources, protocols):
        return Hop(Kind.INTERFACE, name)
    best = first(source for source in sources if source in backend_groups(facts)) or sources[0]
    source = f"--source-group {best}" if best.startswith("sg-") else f"--cidr {best}"
    return Hop(
        Kind.INTERFACE,
        name,
        Fault(
            f"no rule of {', '.join(groups)} lets {' or '.join(sources)} reach {'/'.join(protocols).upper()} {port}",
            f"`aws ec2 authorize-security-group-ingress --group-id {groups[0]} --protocol {protocols[0]} --port {port}"
            f" {source}`; for a TargetGroupBinding of yours, set spec.networking",
        ),
    )


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
        if shared:
            return Hop(Kind.POD, "of another cluster")
        away = deregister(group["TargetGroupArn"], [target])
        return Hop(Kind.POD, f"at {target['Id']}", Fault("no pod has this address", away))
    return Hop(Kind.POD, "/".join(key(pod)), illness(facts, pod))
