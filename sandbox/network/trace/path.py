"""The hops of one request, from what the kernel saw and AWS's state. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.network.elb.model import LoadBalancer, Rule
from sandbox.network.facts import Facts
from sandbox.network.trace.kernel import Chains, Flow, Passage, Tracked, looked_at, of_flow


@dataclass(frozen=True)
class Answer:
    """What a pod's server reported about a request."""

    pod: str
    node: str
    flow: Flow
    """The connection as the pod sees it."""
    preserved: str = ""
    """The client in a PROXY header."""

    @staticmethod
    def of(told: Any) -> "Answer | None":
        """The report in a response's JSON; None if no pod of ours answered."""
        try:
            source, _, source_port = told["source"].rpartition(":")
            destination, _, port = told["destination"].rpartition(":")
            flow = Flow(source, int(source_port), destination, int(port))
            return Answer(told["pod"], told["node"], flow, told.get("proxied", ""))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


@dataclass
class Hop:
    """One hop of the request."""

    kind: str
    """`client`, `router`, `balancer`, `node` or `pod`."""
    name: str
    flow: str
    """The incoming connection; a load balancer node opens another one."""
    does: list[str] = field(default_factory=list[str])
    rewritings: int = 0
    rules: int = 0
    """Rules that the node's kernel evaluated."""
    entries: int = 0
    """Entries that its connection tracking made."""
    translations: int = 0
    """Those of them that translate."""


@dataclass(frozen=True)
class Scene:
    """Everything that is known after a request was answered."""

    facts: Facts
    balancer: LoadBalancer
    names: Mapping[str, str]
    """Instance -> its node's name."""
    passages: list[Passage]
    entries: list[Tracked]
    chains: Mapping[str, Chains]
    """Node's namespace -> its rules."""


def totals(hops: Iterable[Hop]) -> dict[str, int]:
    """The figures of a path: machines after the client (a VPC's router does not count), and what their kernels did."""
    listed = list(hops)
    return {
        "hops": sum(hop.kind in ("balancer", "node", "pod") for hop in listed),
        "rewritings": sum(hop.rewritings for hop in listed),
        "rules": sum(hop.rules for hop in listed),
        "entries": sum(hop.entries for hop in listed),
        "translations": sum(hop.translations for hop in listed),
    }


def to_balancer(scene: Scene, client: Flow, host: str, path: str, target: str) -> list[Hop]:
    """From the client to a load balancer node; `target` is the node's choice, empty if unknown."""
    node = scene.facts.interface(client.destination)
    listener = scene.balancer.listener(client.port)
    name = f"{scene.balancer.kind} {scene.balancer.name} {node.id if node else ''}".strip()
    hop = Hop("balancer", name, str(client))
    if listener:
        hop.does.append(f"listener {listener}")
        rule = scene.balancer.rule(client.port, host, path, target)
        if rule:
            group = next(iter(scene.balancer.groups_of(rule)), None)
            named = f"target group {group.name} ({group.type})" if group and group.name else "instances"
            end = f"{rule.last.type} {fixed(rule)}".strip()
            hop.does.append(f"{rule}: {f'forward to {named}' if group else end}")
    return [Hop("client", client.source, str(client)), *_router(scene, client), hop]


def fixed(rule: Rule) -> str:
    """A rule's fixed response, as status and text; empty for another action."""
    config = rule.last.config if rule.last.type == "fixed-response" else {}
    return f"{config.get('StatusCode', '')} {config.get('MessageBody') or ''}".strip()


def to_pod(scene: Scene, answer: Answer) -> list[Hop]:
    """From a load balancer node to the pod that answered."""
    last = answer.flow
    known = [entry for entry in scene.entries if entry.reply == last.reverse]
    translating = next((entry for entry in known if entry.translates), None)
    hops: list[Hop] = []
    if translating:
        first = translating.original
        hops += _router(scene, first)
        node = _node(scene, translating.namespace, first, [translating])
        hops.append(node)
        if translating.destination_rewritten:
            after = f"{translating.reply.source}:{translating.reply.source_port}"
            node.does.append(f"destination {first.destination}:{first.port} becomes {after} (DNAT)")
        if translating.source_rewritten:
            after = f"{translating.reply.destination}:{translating.reply.port}"
            node.does.append(f"source {first.source}:{first.source_port} becomes {after} (masquerade)")
    home = scene.facts.interface(last.destination)
    place = home.instance if home else ""
    if translating is None or translating.namespace != place:
        hops += _router(scene, last)
        hops.append(_node(scene, place, last, [e for e in known if e.namespace == place]))
    said = [f"PROXY header: the client is {answer.preserved}"] if answer.preserved else []
    return [*hops, Hop("pod", answer.pod, str(last), said)]


def _router(scene: Scene, flow: Flow) -> list[Hop]:
    """The VPC's router on a flow's way, with the security group rule that allowed it."""
    routers = {i.vpc for i in scene.facts.interfaces}
    for passage in of_flow(scene.passages, flow):
        if passage.namespace in routers:
            hop = Hop("router", passage.namespace, str(flow))
            hop.does += [_permission(scene, rule.chain, rule.comment) for rule in passage.rules if _permits(rule.chain)]
            return [hop]
    return []


def _permits(chain: str) -> bool:
    return chain.startswith(("ingress-", "egress-"))


def _permission(scene: Scene, chain: str, rule: str) -> str:
    direction, _, group = chain.partition("-")
    name = next((g.name for g in scene.facts.groups if g.id == group), "")
    way = "out" if direction == "egress" else "in"
    return f"security group {group} ({name}) lets it {way}: {rule or 'its rule'}"


def _node(scene: Scene, instance: str, flow: Flow, entries: list[Tracked]) -> Hop:
    hop = Hop("node", scene.names.get(instance, instance), str(flow))
    seen = next((p for p in of_flow(scene.passages, flow) if p.namespace == instance), None)
    if seen:
        matched = seen.rules
        hop.rules = looked_at(seen, scene.chains.get(instance, {}))
        hop.does.append(f"{hop.rules} rules looked at, {len(matched)} matched")
        hop.does += [f"{rule.chain}: {rule.text}" for rule in matched if _tells(rule.verdict, rule.text)]
    hop.entries = len(entries)
    for entry in entries:
        hop.translations += entry.translates
        hop.rewritings += entry.destination_rewritten + entry.source_rewritten
        kind = "translates" if entry.translates else "follows the connection, translates nothing"
        hop.does.append(f"conntrack entry made: {kind}")
    if not entries:
        hop.does.append("no conntrack entry made")
    return hop


def _tells(verdict: str, text: str) -> bool:
    """Whether to show a rule: it leads to a Service, or rewrites addresses."""
    return any(word in text for word in ("dnat", "masquerade", "snat")) or any(
        word in verdict
        for word in ("KUBE-SVC", "KUBE-EXT-", "KUBE-SEP", "KUBE-SVL", "service-", "external-", "endpoint-")
    )
