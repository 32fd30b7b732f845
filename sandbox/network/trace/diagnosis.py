"""Where a request stopped, and why. Pure."""

from sandbox.network.elb.model import LoadBalancer
from sandbox.network.facts import Facts, Interface
from sandbox.network.security_groups import groups_of
from sandbox.network.trace.kernel import Flow, Passage, of_flow


def closed(balancer: LoadBalancer, port: int) -> str | None:
    """A load balancer has no listener on that port."""
    if balancer.listener(port):
        return None
    listeners = ", ".join(map(str, balancer.listeners)) or "none"
    return f"port closed: {balancer.kind} {balancer.name} has no listener on port {port} (it has {listeners})"


def missing_rule(facts: Facts, passages: list[Passage], flow: Flow) -> str | None:
    """A security group dropped a connection: the rule that is missing."""
    for passage in of_flow(passages, flow):
        if passage.dropped is None or not passage.dropped.comment:
            continue
        interface_id, _, what = passage.dropped.comment.partition(" ")
        interface = next((i for i in facts.interfaces if i.id == interface_id), None)
        if interface is None:
            continue
        if what == "source check":
            return f"source check: {interface.id} may not send from the address {flow.source}"
        other = facts.interface(flow.source if what == "ingress" else flow.destination)
        return (
            f"security group: no {what} rule of {_groups(facts, interface)} on {interface.id} ({_whose(interface)}) "
            f"lets tcp {flow.port} {'from' if what == 'ingress' else 'to'} "
            f"{flow.source if what == 'ingress' else flow.destination}{_carrying(facts, other)} through"
        )
    return None


def _groups(facts: Facts, interface: Interface) -> str:
    return " or ".join(f"{g.id} ({g.name})" for g in groups_of(facts, interface)) or "no group"


def _carrying(facts: Facts, other: Interface | None) -> str:
    return f" (which carries {' and '.join(g.id for g in groups_of(facts, other))})" if other and other.groups else ""


def _whose(interface: Interface) -> str:
    return f"instance {interface.instance}" if interface.instance else f"load balancer {interface.balancer}"


def no_target(balancer: LoadBalancer, port: int) -> str | None:
    """A load balancer has no target for a request: the state of each target."""
    listener = balancer.listener(port)
    groups = balancer.groups_of(listener) if listener else []
    targets = [t for g in groups for t in g.targets]
    if any(t.healthy for t in targets):
        return None
    if not targets:
        named = ", ".join(g.name for g in groups if g.name) or balancer.name
        return f"no healthy target: {named} has no targets"
    told = ", ".join(f"{t} is {t.health}{f' ({t.reason})' if t.reason else ''}" for t in targets)
    return f"no healthy target: {told}"
