"""What can be wrong with listeners and their rules. Pure."""

import json
from collections.abc import Collection, Mapping
from typing import Final

from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import Fault, restart
from eks_load_balancing.doctor.lookups import annotations_of, key, stack_named, tags_of
from eks_load_balancing.doctor.paths.backends import NO_ACTION, NO_SERVICE, missing_backends
from eks_load_balancing.doctor.paths.network import open_to_somebody

_LISTEN: Final = "alb.ingress.kubernetes.io/listen-ports"
_PROTOCOLS: Final = {"UDP": ("udp",), "QUIC": ("udp",), "TCP_UDP": ("tcp", "udp"), "TCP_QUIC": ("tcp", "udp")}


def _members(facts: Facts, owner: Object) -> list[Object]:
    """Return the Ingresses of an Ingress's load balancer."""
    return [one for one in facts.ingresses if stack_named(facts, one) == stack_named(facts, owner)]


def wanted_ports(facts: Facts, balancer: Object, owner: Object | None) -> set[int]:
    """Return the ports that a Service, or `listen-ports` annotations of Ingresses, ask a load balancer to listen on."""
    if owner is not None and owner["kind"] == "Service":
        return {port["port"] for port in owner["spec"].get("ports") or []}
    if owner is None or owner["kind"] != "Ingress" or balancer["Type"] != "application":
        return set()
    return {port for ingress in _members(facts, owner) for port in _listened(annotations_of(ingress).get(_LISTEN, ""))}


def _listened(annotation: str) -> set[int]:
    try:
        return {int(port) for entry in json.loads(annotation or "[]") for port in entry.values()}
    except (ValueError, AttributeError, TypeError):
        return set()  # the controller reports it as FailedBuildModel


def shut(facts: Facts, balancer: Object, listener: Object) -> Fault | None:
    """Return the fault if the load balancer's security groups allow nobody at a listener's port."""
    groups, port = balancer.get("SecurityGroups") or [], listener.get("Port", 0)
    protocols = _PROTOCOLS.get(listener.get("Protocol", ""), ("tcp",))
    if not groups or open_to_somebody(facts, groups, port, protocols):
        return None
    made = any(tags_of(g).get(TAG) == facts.name for g in facts.security_groups if g["GroupId"] in groups)
    own = (
        f"`aws ec2 authorize-security-group-ingress --group-id {groups[0]} --protocol {protocols[0]} --port {port}"
        " --cidr CLIENTS`"
    )
    why = f"no rule of {', '.join(groups)} admits anybody at {'/'.join(protocols).upper()} {port}"
    return Fault(why, restart(facts) if made else own)


def without_rules(
    facts: Facts, balancer: Object, owner: Object | None, listener: Object, rules: Collection[Object]
) -> Fault | None:
    """Return the fault if an ALB's listener answers 404 to everything, although its Ingresses have rules for it."""
    if owner is None or owner["kind"] != "Ingress" or balancer["Type"] != "application":
        return None
    fixed = [action.get("FixedResponseConfig") or {} for rule in rules for action in rule["Actions"]]
    ports = {key(one): _listened(annotations_of(one).get(_LISTEN, "")) for one in _members(facts, owner)}
    asking = [
        one for one in _members(facts, owner) if listener.get("Port") in (ports[key(one)] or {listener.get("Port")})
    ]
    asked = any(
        (rule.get("http") or {}).get("paths") for one in asking for rule in one.get("spec", {}).get("rules") or []
    )
    if asked and len(rules) == 1 and len(fixed) == 1 and fixed[0].get("StatusCode") == "404":
        return Fault("it has no rule but the default one, which answers 404", restart(facts))
    return None


def rule_fault(facts: Facts, owner: Object | None, rule: Object, groups: Mapping[str, int]) -> Fault | None:
    """Return why a rule leads nowhere: the controller's fixed 503, or no target group with a weight."""
    for action in rule["Actions"]:
        body = (action.get("FixedResponseConfig") or {}).get("MessageBody")
        if body in (NO_SERVICE, NO_ACTION):
            return Fault("it answers 503 to every request", missing_backends(facts, owner, body))
    if groups and not any(groups.values()):
        return Fault("every target group that it forwards to has weight 0", "give one of them a weight above 0")
    return None
