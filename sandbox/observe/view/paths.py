"""The ways that a request takes to a pod, hop by hop. Pure.

From what the APIs say, marked as not measured; a trace of the same way takes its place. Two ways: straight to a pod's
own address (target type `ip`), and through a node's port, where kube-proxy rewrites (target type `instance`, Classic
ELBs, and a NodePort without any load balancer).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypedDict

from sandbox.network.elb.model import Listener, LoadBalancer, LoadBalancing, Rule, Target, TargetGroup
from sandbox.observe.view import watches
from sandbox.observe.view.items import Json
from sandbox.observe.view.provisions import action, server_error

STRAIGHT, NODE_PORT = "ip", "instance"


class Hop(TypedDict):
    """One place on the way: kinds and words as in `sandbox.network.trace`."""

    kind: str
    name: str
    does: list[str]
    refs: list[str]


class Path(TypedDict):
    """One way to a pod."""

    id: str
    way: str
    """`ip` or `instance`."""
    title: str
    url: str
    """What a client asks for; empty where no HTTP request goes."""
    headers: list[str]
    hops: list[Hop]
    stopped: str
    """What a request lacks to arrive; empty if it arrives."""
    measured: str
    """What a trace counted, in words; empty if nothing was measured."""


class Cluster:
    """What Kubernetes says of endpoints, looked up by what load balancers know."""

    def __init__(self, objects: watches.Objects) -> None:
        self.pods = {p["status"]["podIP"]: p for p in objects.get("Pod", ()) if p.get("status", {}).get("podIP")}
        self.nodes = {watches.instance_of(n): watches.name_of(n) for n in objects.get("Node", ())}
        self.services = [*objects.get("Service", ())]
        self._slices = [*objects.get("EndpointSlice", ())]

    def names(self) -> dict[str, str]:
        """Address or instance -> the pod or node that has it."""
        pods = {address: watches.name_of(p) for address, p in self.pods.items() if not p["spec"].get("hostNetwork")}
        return pods | self.nodes

    def pod(self, address: str) -> str:
        """The pod that has an address, or the address."""
        return watches.name_of(self.pods[address]) if address in self.pods else address

    def at_node_port(self, port: int) -> Json | None:
        """The Service that has a node port."""
        return next((s for s in self.services if any(p.get("nodePort") == port for p in s["spec"]["ports"])), None)

    def endpoints(self, service: Json) -> list[tuple[str, int, str]]:
        """Address, port and node of a Service's ready endpoints."""
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        return [
            (endpoint["addresses"][0], (piece.get("ports") or [{}])[0].get("port") or 0, endpoint.get("nodeName") or "")
            for piece in self._slices
            if piece["metadata"]["namespace"] == namespace
            and (piece["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
            for endpoint in piece.get("endpoints") or []
            if (endpoint.get("conditions") or {}).get("ready", True)
        ]


def section(balancing: LoadBalancing, cluster: Cluster, traces: Mapping[str, Json]) -> list[Path]:
    """Every way that a request can take, those that do not arrive first, then by title.

    Args:
        balancing: load balancers.
        cluster: what is behind them.
        traces: documents of `sandbox trace --json` by path's id.
    """
    found = [*_of_balancers(balancing.balancers, cluster), *_of_classic(balancing.classic, cluster)]
    if not any(path["way"] == NODE_PORT for path in found):
        found += [*_without_balancer(cluster)][:1]
    found = [measured(path, traces[path["id"]]) if path["id"] in traces else path for path in found]
    return sorted(found, key=lambda path: (not path["stopped"], path["way"] != STRAIGHT, path["title"]))


def measured(path: Path, trace: Json) -> Path:
    """A path as a trace found it."""
    total: Mapping[str, int] = trace["totals"]
    words = (
        f"{total['hops']} hops, {total['rewritings']} rewritings, {total['rules']} rules looked at, "
        f"{total['entries']} conntrack entries ({total['translations']} of them translating)"
    )
    answer = f"HTTP {trace['status']} after {trace['seconds'] * 1000:.1f} ms: " if trace["arrived"] else ""
    hops: list[Hop] = [
        {"kind": h["kind"], "name": h["name"], "does": [h["flow"], *h["does"]], "refs": [_named(h["kind"], h["name"])]}
        for h in trace["hops"]
    ]
    return {**path, "hops": hops, "stopped": trace["stopped"] or "", "measured": answer + words}


def _of_balancers(balancers: Iterable[LoadBalancer], cluster: Cluster) -> Iterator[Path]:
    for balancer in balancers:
        for listener in balancer.listeners:
            for rule in listener.rules:
                if server_error(rule):
                    yield _of_error(balancer, listener, rule)
                for group in balancer.groups_of(rule):
                    yield _of_rule(balancer, listener, rule, group, cluster)


def _of_rule(balancer: LoadBalancer, listener: Listener, rule: Rule, group: TargetGroup, cluster: Cluster) -> Path:
    way = STRAIGHT if group.type == "ip" else NODE_PORT
    url, headers = _request(balancer, listener, rule)
    healthy = [target for target in group.targets if target.healthy]
    chosen = next(iter(healthy), None)
    name = f"{balancer.kind} {balancer.name}"
    groups = {each.arn: each for each in balancer.groups}
    does = [
        f"listener {listener}",
        " ".join(w for w in (f"rule {rule.priority}:", rule.words, action(rule, groups)) if w),
    ]
    if chosen:
        does.append(f"chooses {chosen}, 1 of {len(healthy)} healthy targets")
    hops: list[Hop] = [
        _hop("client", "client", [url or f"{listener.protocol} {balancer.host}:{listener.port}"]),
        _hop("balancer", name, [*does, *_source(balancer, group)], [group.arn, f"balancer {balancer.name}"]),
    ]
    if chosen and way == STRAIGHT:
        hops += _straight(chosen.id, chosen.port, cluster)
    elif chosen:
        hops += _through_node(chosen.id, chosen.port, cluster)
    return {
        "id": f"{rule.arn or listener.arn} {group.arn}",
        "way": way,
        "title": f"{name} {listener} → {group.name}",
        "url": url,
        "headers": headers,
        "hops": hops,
        "stopped": "" if chosen else _no_target(group.targets),
        "measured": "",
    }


def _of_error(balancer: LoadBalancer, listener: Listener, rule: Rule) -> Path:
    """The way to a rule that answers with an error."""
    name = f"{balancer.kind} {balancer.name}"
    url, headers = _request(balancer, listener, rule)
    does = [f"listener {listener}", f"rule {rule.priority}: {rule.words} {action(rule, {})}"]
    hops = [_hop("client", "client", [url]), _hop("balancer", name, does, [f"balancer {balancer.name}"])]
    return {
        "id": rule.arn,
        "way": STRAIGHT,
        "title": f"{name} {listener}, rule {rule.priority}",
        "url": url,
        "headers": headers,
        "hops": hops,
        "stopped": f"the rule itself answers HTTP {server_error(rule)}: look at the Ingress's backend",
        "measured": "",
    }


def _of_classic(balancers: Iterable[LoadBalancer], cluster: Cluster) -> Iterator[Path]:
    for balancer in balancers:
        name = f"{balancer.kind} {balancer.name}"
        chosen = next((each.id for each in balancer.instances if each.healthy), "")
        for listener in balancer.listeners:
            url = _url(listener.protocol, balancer.host, listener.port, "/")
            port = listener.document["InstancePort"]
            does = [f"listener {listener}", *([f"chooses {chosen}:{port}"] if chosen else [])]
            yield {
                "id": f"{balancer.name} {listener.port}",
                "way": NODE_PORT,
                "title": f"{name} {listener}",
                "url": url,
                "headers": [],
                "hops": [
                    _hop("client", "client", [url or f"{balancer.host}:{listener.port}"]),
                    _hop("balancer", name, does, [f"balancer {balancer.name}"]),
                    *(_through_node(chosen, port, cluster) if chosen else []),
                ],
                "stopped": "" if chosen else _no_target(balancer.instances),
                "measured": "",
            }


def _without_balancer(cluster: Cluster) -> Iterator[Path]:
    """Through a NodePort, asked directly: the way that a load balancer onto nodes would take."""
    for service in cluster.services:
        for port in service["spec"]["ports"]:
            if port.get("nodePort") and cluster.nodes and cluster.endpoints(service):
                instance, name = next(iter(sorted(cluster.nodes.items())))
                yield {
                    "id": f"{watches.name_of(service)} {port['nodePort']}",
                    "way": NODE_PORT,
                    "title": f"NodePort {port['nodePort']} of Service {watches.name_of(service)}, no load balancer",
                    "url": "",
                    "headers": [],
                    "hops": [
                        _hop("client", "client", [f"{port.get('protocol', 'TCP')} {name}:{port['nodePort']}"]),
                        *_through_node(instance, port["nodePort"], cluster),
                    ],
                    "stopped": "",
                    "measured": "",
                }


def _straight(address: str, port: int, cluster: Cluster) -> list[Hop]:
    """From a load balancer to a pod's own address."""
    pod = cluster.pods.get(address)
    node = pod["spec"].get("nodeName", "") if pod else ""
    routed = _hop("node", node, ["routes to the pod's own address", "no node port, nothing rewritten"])
    return [*([routed] if node else []), _pod(address, port, cluster)]


def _through_node(instance: str, port: int, cluster: Cluster) -> list[Hop]:
    """From a load balancer to a node's port, and what kube-proxy makes of it."""
    node, service = cluster.nodes.get(instance, instance), cluster.at_node_port(port)
    if service is None:
        return [_hop("node", node, [f"port {port}: no Service has it as a node port"], [instance])]
    local = service["spec"].get("externalTrafficPolicy") == "Local"
    endpoints = [e for e in cluster.endpoints(service) if e[2] == node or not local]
    does = [f"node port {port} of Service {watches.name_of(service)}"]
    if not endpoints:
        return [_hop("node", node, [*does, f"no ready endpoint{' on this node' if local else ''}"], [instance])]
    # Where any node's pod may be chosen, one elsewhere shows the way in full.
    address, pod_port, home = min(endpoints, key=lambda e: (e[2] == node) != local)
    does += [f"kube-proxy: destination becomes {address}:{pod_port} (DNAT), 1 of {len(endpoints)} endpoints"]
    does += ["externalTrafficPolicy Local: the source stays" if local else "source becomes the node's (masquerade)"]
    hops = [_hop("node", node, [*does, "conntrack entry made: translates"], [instance, _of(service)])]
    if home != node:
        hops.append(_hop("node", home, ["the pod's own node: another one than was asked"]))
    return [*hops, _pod(address, pod_port, cluster)]


def _pod(address: str, port: int, cluster: Cluster) -> Hop:
    return _hop("pod", cluster.pod(address), [f"{address}:{port}"], [address])


def _request(balancer: LoadBalancer, listener: Listener, rule: Rule) -> tuple[str, list[str]]:
    """URL and headers of a request that a rule takes."""
    wanted: dict[str, Sequence[str]] = {c.field: c.values for c in rule.conditions}
    literal: Callable[[str], str] = lambda pattern: pattern.replace("*", "").replace("?", "x")  # noqa: E731
    path = literal(next(iter(wanted.get("path-pattern", [])), "/")) or "/"
    hosts = [literal(h) for h in wanted.get("host-header", [])][:1]
    url = _url(listener.protocol, balancer.host, listener.port, path)
    return url, [f"Host: {host}" for host in hosts]


def _url(protocol: str, host: str, port: int, path: str) -> str:
    """An HTTP URL; TCP may carry HTTP, UDP does not."""
    scheme = {"HTTP": "http", "TCP": "http", "HTTPS": "https", "TLS": "https", "SSL": "https"}.get(protocol)
    if scheme is None:
        return ""
    return f"{scheme}://{host}{'' if port == {'http': 80, 'https': 443}[scheme] else f':{port}'}{path}"


def _source(balancer: LoadBalancer, group: TargetGroup) -> list[str]:
    """Which client address arrives."""
    if balancer.kind == "ALB":
        return ["a connection of its own; the client's address goes along in X-Forwarded-For"]
    kept = group.attributes.get("preserve_client_ip.enabled") == "true"
    return ["the client's address is preserved" if kept else "a connection of its own, with its own address"]


def _no_target(targets: Iterable[Target]) -> str:
    return f"no healthy target: {', '.join(dict.fromkeys(t.health for t in targets)) or 'there is none at all'}"


def _hop(kind: str, name: str, does: list[str], refs: list[str] | None = None) -> Hop:
    return {"kind": kind, "name": name, "does": does, "refs": [_named(kind, name), *(refs or [])]}


def _named(kind: str, name: str) -> str:
    return f"{kind} {name}"


def _of(service: Json) -> str:
    return f"service {watches.name_of(service)}"
