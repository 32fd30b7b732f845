"""From the APIs' documents to the plan of one load balancer node: listeners, and pools of targets. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sandbox.network.balancers import pools, rules
from sandbox.network.balancers.documents import Document, Documents
from sandbox.network.balancers.pools import Pool

_ALPN = {
    "HTTP1Only": "http/1.1",
    "HTTP2Only": "h2",
    "HTTP2Optional": "http/1.1,h2",
    "HTTP2Preferred": "h2,http/1.1",
}
_CLASSIC_POLICY = "ELBSecurityPolicy-2016-08"
_UDP = {"UDP", "TCP_UDP"}
_LOGINS = {"authenticate-oidc", "authenticate-cognito"}


@dataclass(frozen=True)
class Tls:
    """What a secure listener presents and supports."""

    certificates: tuple[str, ...]
    """ARNs, the default one first."""
    protocols: tuple[str, ...]
    """In HAProxy's names: `TLSv1.2`, ..."""
    ciphers: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    """Those of TLS 1.3."""
    alpn: str = ""


@dataclass(frozen=True)
class Listener:
    """A listener at one node."""

    port: int
    mode: str
    statements: tuple[str, ...]
    pool_names: tuple[str, ...]
    """The pools that it may send to."""
    tls: Tls | None = None
    idle_seconds: int = 60
    shows_server: bool = True

    @property
    def name(self) -> str:
        """The name of HAProxy's frontend."""
        return f"listener-{self.port}"


@dataclass(frozen=True)
class Datagrams:
    """A listener for UDP at one node."""

    port: int
    pool_name: str


@dataclass(frozen=True)
class Node:
    """A load balancer in one of its subnets."""

    id: str
    """The interface; also the name of its network namespace."""
    balancer: str
    """ARN, or a Classic load balancer's name."""
    host: str
    """The load balancer's DNS name."""
    address: str
    zone: str
    attributes: tuple[tuple[str, str], ...] = ()
    listeners: tuple[Listener, ...] = ()
    datagrams: tuple[Datagrams, ...] = ()
    pools: tuple[Pool, ...] = ()
    missing: tuple[str, ...] = ()
    """What the API has and this node does not support, one line each."""

    def attribute(self, key: str, default: str = "") -> str:
        """An attribute of the load balancer."""
        return dict(self.attributes).get(key, default)

    def bare(self) -> "Node":
        """The node without its targets: HAProxy must reload when this changes."""
        return replace(self, pools=tuple(replace(pool, targets=()) for pool in self.pools))


def nodes(documents: Documents) -> list[Node]:
    """Every node of every load balancer."""
    found = [node for balancer in documents.balancers for node in _of_balancer(documents, balancer)]
    found += [node for balancer in documents.classic for node in _of_classic(documents, balancer)]
    return sorted(found, key=lambda node: node.id)


def _interfaces(documents: Documents, name: str) -> list[Document]:
    return [i for i in documents.interfaces if i["Description"] == f"ELB {name}"]


def _of_balancer(documents: Documents, balancer: Document) -> Iterator[Node]:
    arn = balancer["LoadBalancerArn"]
    attributes = documents.attributes[arn]
    mine = _interfaces(documents, arn.partition(":loadbalancer/")[2])
    zones = {i["AvailabilityZone"] for i in mine}
    cross_zone = attributes.get("load_balancing.cross_zone.enabled") == "true"
    listeners: list[Listener] = []
    datagrams: list[Datagrams] = []
    missing: list[str] = []
    used: dict[str, None] = {}
    for document in documents.listeners[arn]:
        where = f"{balancer['LoadBalancerName']} {document['Protocol']}:{document['Port']}"
        try:
            if document["Protocol"] in _UDP:
                datagrams += [Datagrams(int(document["Port"]), pools.pool_name(arn)) for arn in _groups(document)]
            if document["Protocol"] != "UDP":
                listeners.append(_listener(documents, balancer, document))
            used |= dict.fromkeys(_groups(document))
            missing += [f"{where}: {what}" for what in _partly(document)]
        except ValueError as error:
            missing.append(f"{where}: {error} is not carried")
    for interface in mine:
        zone = interface["AvailabilityZone"]
        reach = [
            pools.of_group(documents, documents.groups[group], zone, cross_zone=cross_zone, zones=zones)
            for group in used
            if documents.groups[group]["TargetType"] != "lambda"
        ]
        yield Node(
            id=interface["NetworkInterfaceId"],
            balancer=arn,
            host=balancer["DNSName"],
            address=interface["PrivateIpAddress"],
            zone=zone,
            attributes=tuple(sorted(attributes.items())),
            listeners=tuple(sorted(listeners, key=lambda x: x.port)),
            datagrams=tuple(sorted(datagrams, key=lambda x: x.port)),
            pools=tuple(sorted(reach, key=lambda p: p.name)),
            missing=tuple(missing),
        )


def _groups(listener: Document) -> Iterator[str]:
    for rule in listener["Rules"]:
        for action in rule["Actions"]:
            if action["Type"] == "forward":
                yield from (arn for arn, _ in rules.weighted(action))


def _partly(listener: Document) -> Iterator[str]:
    if (listener.get("MutualAuthentication") or {}).get("Mode", "off") != "off":
        yield "clients' certificates are not asked for"
    if any(a["Type"] in _LOGINS for rule in listener["Rules"] for a in rule["Actions"]):
        yield "a login is begun and never completed: no identity provider is asked"


def _listener(documents: Documents, balancer: Document, document: Document) -> Listener:
    """One listener.

    Raises:
        ValueError: it is not supported; the message names it.
    """
    protocol = document["Protocol"]
    for group in _groups(document):
        if documents.groups[group]["TargetType"] == "lambda":
            raise ValueError("a Lambda function as target")
    if balancer["Type"] == "gateway" or protocol not in {"HTTP", "HTTPS", "TCP", "TLS", "TCP_UDP"}:
        raise ValueError(f"{protocol} (HAProxy forwards TCP and what is on top of it)")
    http = balancer["Type"] == "application"
    attributes = documents.attributes[balancer["LoadBalancerArn"]]
    if http:
        alpn = "h2,http/1.1" if attributes.get("routing.http2.enabled") == "true" else "http/1.1"
        statements, idle = rules.statements(document), attributes.get("idle_timeout.timeout_seconds", "60")
    else:
        alpn = _ALPN.get((document.get("AlpnPolicy") or ["None"])[0], "")
        action = document["Rules"][-1]["Actions"][-1]
        statements = list(_choices(action))
        idle = document["Attributes"].get("tcp.idle_timeout.seconds", "350")
    return Listener(
        port=int(document["Port"]),
        mode="http" if http else "tcp",
        statements=tuple(statements),
        pool_names=tuple(dict.fromkeys(pools.pool_name(arn) for arn in _groups(document))),
        tls=_tls(documents, document, alpn) if protocol in {"HTTPS", "TLS"} else None,
        idle_seconds=int(idle),
        shows_server=document["Attributes"].get("routing.http.response.server.enabled", "true") == "true",
    )


def _choices(action: Document) -> Iterator[str]:
    """How a connection is assigned to a target group."""
    groups = [(pools.pool_name(arn), weight) for arn, weight in rules.weighted(action) if weight]
    if len(groups) > 1:
        yield f"tcp-request connection set-var(sess.pick) rand({sum(weight for _, weight in groups)})"
    below = 0
    for name, weight in groups:
        below += weight
        yield f"use_backend {name}" + (f" if {{ var(sess.pick) -m int lt {below} }}" if len(groups) > 1 else "")


def _tls(documents: Documents, listener: Document, alpn: str) -> Tls:
    certificates = [c["CertificateArn"] for c in listener.get("Certificates") or []]
    return _policy(documents, listener.get("SslPolicy") or _CLASSIC_POLICY, tuple(dict.fromkeys(certificates)), alpn)


def _policy(documents: Documents, name: str, certificates: tuple[str, ...], alpn: str) -> Tls:
    policy = documents.policies[name]
    ciphers = [c["Name"] for c in policy["Ciphers"]]
    return Tls(
        certificates=certificates,
        # AWS writes TLSv1, HAProxy TLSv1.0.
        protocols=tuple(sorted("TLSv1.0" if p == "TLSv1" else p for p in policy["SslProtocols"])),
        ciphers=tuple(c for c in ciphers if not c.startswith("TLS_")),
        suites=tuple(c for c in ciphers if c.startswith("TLS_")),
        alpn=alpn,
    )


def _of_classic(documents: Documents, balancer: Document) -> Iterator[Node]:
    name = balancer["LoadBalancerName"]
    attributes = documents.attributes[name]
    cross_zone = attributes.get("load_balancing.cross_zone.enabled") == "true"
    described = [d["Listener"] for d in balancer["ListenerDescriptions"]]
    for interface in _interfaces(documents, name):
        zone = interface["AvailabilityZone"]
        reach = [pools.of_classic(documents, balancer, x, zone, cross_zone=cross_zone) for x in described]
        listeners = [
            Listener(
                port=int(x["LoadBalancerPort"]),
                mode=pool.mode,
                statements=(f"use_backend {pool.name}",)
                if pool.mode == "tcp"
                else (f"http-request set-var(txn.pool) str({pool.name})",),
                pool_names=(pool.name,),
                tls=_policy(documents, _CLASSIC_POLICY, (x["SSLCertificateId"],), "")
                if x["Protocol"] in {"SSL", "HTTPS"}
                else None,
                idle_seconds=int(attributes.get("idle_timeout.timeout_seconds", "60")),
            )
            for x, pool in zip(described, reach, strict=True)
        ]
        yield Node(
            id=interface["NetworkInterfaceId"],
            balancer=name,
            host=balancer["DNSName"],
            address=interface["PrivateIpAddress"],
            zone=zone,
            attributes=tuple(sorted(attributes.items())),
            listeners=tuple(sorted(listeners, key=lambda x: x.port)),
            pools=tuple(sorted(reach, key=lambda p: p.name)),
        )
