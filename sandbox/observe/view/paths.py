"""The ways that a request takes to a pod, hop by hop. Pure.

From what the APIs say, marked as not measured; a trace of the same way takes its place. Two ways: straight to a pod's
own address (target type `ip`), and through a node's port, where kube-proxy rewrites (target type `instance`, Classic
ELBs, and a NodePort without any load balancer).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypedDict

from sandbox.network.balancers.documents import KINDS, forwarded
from sandbox.observe.view import watches
from sandbox.observe.view.items import Json
from sandbox.observe.view.provisions import HEALTHY, Provisioned, action, conditions, in_order, server_error, values

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


def section(provisioned: Provisioned, cluster: Cluster, traces: Mapping[str, Json]) -> list[Path]:
    """Every way that a request can take, those that do not arrive first, then by title.

    Args:
        provisioned: load balancers.
        cluster: what is behind them.
        traces: documents of `sandbox trace --json` by path's id.
    """
    found = [*_of_balancers(provisioned, cluster), *_of_classic(provisioned, cluster)]
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


def _of_balancers(provisioned: Provisioned, cluster: Cluster) -> Iterator[Path]:
    documents = provisioned.documents
    for balancer in documents.balancers:
        for listener in documents.listeners.get(balancer["LoadBalancerArn"], []):
            for rule in in_order(listener.get("Rules") or []):
                if server_error(rule):
                    yield _of_error(balancer, listener, rule)
                for arn in dict.fromkeys(forwarded(rule["Actions"])):
                    if arn in documents.groups:
                        yield _of_rule(balancer, listener, rule, groups=documents.groups, arn=arn, cluster=cluster)


def _of_rule(
    balancer: Json, listener: Json, rule: Json, *, groups: Mapping[str, Json], arn: str, cluster: Cluster
) -> Path:
    group, kind = groups[arn], KINDS.get(balancer["Type"], balancer["Type"])
    way = STRAIGHT if group["TargetType"] == "ip" else NODE_PORT
    url, headers = _request(balancer, listener, rule)
    targets: list[Json] = group.get("Targets") or []
    chosen = next((t for t in targets if t["TargetHealth"]["State"] in HEALTHY), None)
    name = f"{kind} {balancer['LoadBalancerName']}"
    does = [
        f"listener {listener['Protocol']}:{listener['Port']}",
        " ".join(w for w in (f"rule {rule['Priority']}:", conditions(rule), action(rule["Actions"], groups)) if w),
    ]
    if chosen:
        healthy = sum(t["TargetHealth"]["State"] in HEALTHY for t in targets)
        does.append(
            f"chooses {chosen['Target']['Id']}:{chosen['Target'].get('Port', '')}, 1 of {healthy} healthy targets"
        )
    hops: list[Hop] = [
        _hop("client", "client", [url or f"{listener['Protocol']} {balancer['DNSName']}:{listener['Port']}"]),
        _hop("balancer", name, [*does, *_source(balancer, group)], [arn, f"balancer {balancer['LoadBalancerName']}"]),
    ]
    if chosen and way == STRAIGHT:
        hops += _straight(chosen["Target"]["Id"], chosen["Target"].get("Port", 0), cluster)
    elif chosen:
        hops += _through_node(chosen["Target"]["Id"], chosen["Target"].get("Port", 0), cluster)
    return {
        "id": f"{rule.get('RuleArn', listener['ListenerArn'])} {arn}",
        "way": way,
        "title": f"{name} {listener['Protocol']}:{listener['Port']} → {group['TargetGroupName']}",
        "url": url,
        "headers": headers,
        "hops": hops,
        "stopped": "" if chosen else _no_target([t["TargetHealth"]["State"] for t in targets]),
        "measured": "",
    }


def _of_error(balancer: Json, listener: Json, rule: Json) -> Path:
    """The way to a rule that answers with an error."""
    name = f"{KINDS.get(balancer['Type'], balancer['Type'])} {balancer['LoadBalancerName']}"
    port, code = f"{listener['Protocol']}:{listener['Port']}", server_error(rule)
    url, headers = _request(balancer, listener, rule)
    does = [f"listener {port}", f"rule {rule['Priority']}: {conditions(rule)} {action(rule['Actions'], {})}"]
    hops = [_hop("client", "client", [url]), _hop("balancer", name, does, [f"balancer {balancer['LoadBalancerName']}"])]
    return {
        "id": rule["RuleArn"],
        "way": STRAIGHT,
        "title": f"{name} {port}, rule {rule['Priority']}",
        "url": url,
        "headers": headers,
        "hops": hops,
        "stopped": f"the rule itself answers HTTP {code}: look at the Ingress's backend",
        "measured": "",
    }


def _of_classic(provisioned: Provisioned, cluster: Cluster) -> Iterator[Path]:
    for balancer in provisioned.documents.classic:
        name = balancer["LoadBalancerName"]
        states = provisioned.instances.get(name, [])
        chosen = next((s["InstanceId"] for s in states if s["State"] in HEALTHY), "")
        for entry in (d["Listener"] for d in balancer["ListenerDescriptions"]):
            url = _url(entry["Protocol"], balancer["DNSName"], entry["LoadBalancerPort"], "/")
            does = [f"listener {entry['Protocol']}:{entry['LoadBalancerPort']}"]
            if chosen:
                does.append(f"chooses {chosen}:{entry['InstancePort']}")
            yield {
                "id": f"{name} {entry['LoadBalancerPort']}",
                "way": NODE_PORT,
                "title": f"Classic ELB {name} {entry['Protocol']}:{entry['LoadBalancerPort']}",
                "url": url,
                "headers": [],
                "hops": [
                    _hop("client", "client", [url or f"{balancer['DNSName']}:{entry['LoadBalancerPort']}"]),
                    _hop("balancer", f"Classic ELB {name}", does, [f"balancer {name}"]),
                    *(_through_node(chosen, entry["InstancePort"], cluster) if chosen else []),
                ],
                "stopped": "" if chosen else _no_target([s["State"] for s in states]),
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


def _request(balancer: Json, listener: Json, rule: Json) -> tuple[str, list[str]]:
    """URL and headers of a request that a rule takes."""
    wanted: dict[str, Sequence[str]] = {c["Field"]: values(c) for c in rule.get("Conditions") or []}
    literal: Callable[[str], str] = lambda pattern: pattern.replace("*", "").replace("?", "x")  # noqa: E731
    path = literal(next(iter(wanted.get("path-pattern", [])), "/")) or "/"
    hosts = [literal(h) for h in wanted.get("host-header", [])][:1]
    url = _url(listener["Protocol"], balancer["DNSName"], listener["Port"], path)
    return url, [f"Host: {host}" for host in hosts]


def _url(protocol: str, host: str, port: int, path: str) -> str:
    """An HTTP URL; TCP may carry HTTP, UDP does not."""
    scheme = {"HTTP": "http", "TCP": "http", "HTTPS": "https", "TLS": "https", "SSL": "https"}.get(protocol)
    if scheme is None:
        return ""
    return f"{scheme}://{host}{'' if port == {'http': 80, 'https': 443}[scheme] else f':{port}'}{path}"


def _source(balancer: Json, group: Json) -> list[str]:
    """Which client address arrives."""
    if balancer["Type"] == "application":
        return ["a connection of its own; the client's address goes along in X-Forwarded-For"]
    attributes: Mapping[str, str] = group.get("Attributes") or {}
    kept = attributes.get("preserve_client_ip.enabled") == "true"
    return ["the client's address is preserved" if kept else "a connection of its own, with its own address"]


def _no_target(states: Sequence[str]) -> str:
    return f"no healthy target: {', '.join(dict.fromkeys(states)) if states else 'there is none at all'}"


def _hop(kind: str, name: str, does: list[str], refs: list[str] | None = None) -> Hop:
    return {"kind": kind, "name": name, "does": does, "refs": [_named(kind, name), *(refs or [])]}


def _named(kind: str, name: str) -> str:
    return f"{kind} {name}"


def _of(service: Json) -> str:
    return f"service {watches.name_of(service)}"
