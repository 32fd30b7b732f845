"""From the APIs' documents to the plan of one load balancer node: listeners, and pools of targets. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sandbox.network.balancers import pools, rules
from sandbox.network.balancers.pools import Pool
from sandbox.network.elb import model
from sandbox.network.elb.model import Action, Document, LoadBalancer
from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Documents

_ALPN = {
    "HTTP1Only": "http/1.1",
    "HTTP2Only": "h2",
    "HTTP2Optional": "http/1.1,h2",
    "HTTP2Preferred": "h2,http/1.1",
}
_CLASSIC_POLICY = "ELBSecurityPolicy-2016-08"
_LOGINS = {"authenticate-oidc", "authenticate-cognito"}


@dataclass(frozen=True)
class Clients:
    """What a secure listener asks of clients' certificates."""

    store: str = ""
    """The trust store's ARN; empty if the listener passes any certificate on and verifies none."""
    expired: bool = False
    """Whether an expired certificate is accepted."""
    advertises: bool = False
    """Whether clients are told the names of the trust store's authorities."""
    revokes: bool = False
    """Whether the trust store has lists of revoked certificates."""


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
    clients: Clients | None = None
    """None if it asks for no certificate."""


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
    active: bool = True
    """Whether AWS calls the load balancer active. Before, its name is unknown."""
    missing: tuple[str, ...] = ()
    """What the API has and this node does not support, one line each."""

    def attribute(self, key: str, default: str = "") -> str:
        """An attribute of the load balancer."""
        return dict(self.attributes).get(key, default)

    def bare(self) -> "Node":
        """The node without its targets: HAProxy must reload when this changes."""
        return replace(self, pools=tuple(replace(pool, targets=()) for pool in self.pools))


def is_active(balancer: Document) -> bool:
    """Whether AWS has provisioned a load balancer."""
    return balancer["State"]["Code"] != "provisioning"


class StaleError(Exception):
    """Something that a listener uses was deleted while everything was read; the message names it."""


def nodes(documents: Documents) -> list[Node]:
    """Every node of every load balancer.

    Raises:
        StaleError: the documents do not fit together.
    """
    balancing = parsed(documents)
    found = [node for balancer in balancing.balancers for node in _of_balancer(documents, balancer)]
    found += [node for balancer in balancing.classic for node in _of_classic(documents, balancer)]
    return sorted(found, key=lambda node: node.id)


def _interfaces(documents: Documents, balancer: LoadBalancer) -> list[Document]:
    return [i for i in documents.interfaces if i["Description"] == f"ELB {balancer.key}"]


def _node(interface: Document, balancer: LoadBalancer, listeners: Iterable[Listener], reach: Iterable[Pool]) -> Node:
    """What the nodes of every kind of load balancer have."""
    return Node(
        id=interface["NetworkInterfaceId"],
        balancer=balancer.arn or balancer.name,
        host=balancer.host,
        address=interface["PrivateIpAddress"],
        zone=interface["AvailabilityZone"],
        attributes=tuple(sorted(balancer.attributes.items())),
        listeners=tuple(sorted(listeners, key=lambda x: x.port)),
        pools=tuple(sorted(reach, key=lambda p: p.name)),
    )


def _of_balancer(documents: Documents, balancer: LoadBalancer) -> Iterator[Node]:
    mine, groups = _interfaces(documents, balancer), {group.arn: group for group in balancer.groups}
    zones = {i["AvailabilityZone"] for i in mine}
    cross_zone = balancer.attributes.get("load_balancing.cross_zone.enabled") == "true"
    listeners: list[Listener] = []
    datagrams: list[Datagrams] = []
    missing: list[str] = []
    used: dict[str, None] = {}
    for listener in balancer.listeners:
        where = f"{balancer.name} {listener}"
        try:
            if listener.protocol in pools.DATAGRAMS:
                datagrams += [Datagrams(listener.port, pools.pool_name(arn)) for arn in listener.groups]
            if listener.protocol not in pools.ONLY_DATAGRAMS:
                listeners.append(_listener(documents, balancer, listener))
            used |= dict.fromkeys(listener.groups)
            missing += [f"{where}: {what}" for what in _partly(listener)]
        except ValueError as error:
            missing.append(f"{where}: {error} is not supported")
    if unknown := used.keys() - groups.keys():
        raise StaleError(f"{min(unknown)} of {balancer.name}")
    for interface in mine:
        reach = [
            pools.of_group(documents, groups[arn], interface["AvailabilityZone"], cross_zone=cross_zone, zones=zones)
            for arn in used
            if groups[arn].type != "lambda"
        ]
        yield replace(
            _node(interface, balancer, listeners, reach),
            datagrams=tuple(sorted(datagrams, key=lambda x: x.port)),
            active=is_active(balancer.document),
            missing=tuple(missing),
        )


def _partly(listener: model.Listener) -> Iterator[str]:
    if "QUIC" in listener.protocol:
        yield "a client that changes its address may get another target"
    if any(action.type in _LOGINS for rule in listener.rules for action in rule.actions):
        yield "logins start but never complete: no identity provider is asked"


def _listener(documents: Documents, balancer: LoadBalancer, listener: model.Listener) -> Listener:
    """One listener.

    Raises:
        ValueError: it is not supported; the message names it.
    """
    protocol = listener.protocol
    if any(group.type == "lambda" for group in balancer.groups_of(listener)):
        raise ValueError("a Lambda function as target")
    if balancer.kind == "GWLB" or protocol not in {"HTTP", "HTTPS", "TCP", "TLS", "TCP_UDP", "TCP_QUIC"}:
        raise ValueError(f"{protocol} (HAProxy forwards TCP and what is on top of it)")
    http = balancer.kind == "ALB"
    attributes = balancer.attributes
    if http:
        alpn = "h2,http/1.1" if attributes.get("routing.http2.enabled") == "true" else "http/1.1"
        statements, idle = rules.statements(listener), attributes.get("idle_timeout.timeout_seconds", "60")
    else:
        alpn = _ALPN.get((listener.document.get("AlpnPolicy") or ["None"])[0], "")
        statements = list(_choices(listener.rules[-1].last))
        idle = listener.attributes.get("tcp.idle_timeout.seconds", "350")
    return Listener(
        port=listener.port,
        mode="http" if http else "tcp",
        statements=tuple(statements),
        pool_names=tuple(dict.fromkeys(pools.pool_name(arn) for arn in listener.groups)),
        tls=_tls(documents, listener, alpn) if protocol in {"HTTPS", "TLS"} else None,
        idle_seconds=int(idle),
        shows_server=listener.attributes.get("routing.http.response.server.enabled", "true") == "true",
    )


def _choices(action: Action) -> Iterator[str]:
    """How a connection is assigned to a target group."""
    groups = [(pools.pool_name(arn), weight) for arn, weight in action.forwards if weight]
    if len(groups) > 1:
        yield f"tcp-request connection set-var(sess.pick) rand({sum(weight for _, weight in groups)})"
    below = 0
    for name, weight in groups:
        below += weight
        yield f"use_backend {name}" + (f" if {{ var(sess.pick) -m int lt {below} }}" if len(groups) > 1 else "")


def _tls(documents: Documents, listener: model.Listener, alpn: str) -> Tls:
    certificates = tuple(dict.fromkeys(listener.certificates))
    made = _policy(documents, listener.document.get("SslPolicy") or _CLASSIC_POLICY, certificates, alpn)
    return replace(made, clients=_clients(documents, listener.document.get("MutualAuthentication") or {}))


def _clients(documents: Documents, asked: Document) -> Clients | None:
    match asked.get("Mode", "off"):
        case "verify":
            store = asked["TrustStoreArn"]
            return Clients(
                store,
                expired=bool(asked.get("IgnoreClientCertificateExpiry")),
                advertises=asked.get("AdvertiseTrustStoreCaNames") == "on",
                revokes=documents.stores[store]["TotalRevokedEntries"] > 0,
            )
        case "passthrough":
            return Clients()
        case _:
            return None


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


def _of_classic(documents: Documents, balancer: LoadBalancer) -> Iterator[Node]:
    cross_zone = balancer.attributes.get("load_balancing.cross_zone.enabled") == "true"
    for interface in _interfaces(documents, balancer):
        zone = interface["AvailabilityZone"]
        reach = [pools.of_classic(documents, balancer, x, zone, cross_zone=cross_zone) for x in balancer.listeners]
        listeners = [
            Listener(
                port=x.port,
                mode=pool.mode,
                statements=(f"use_backend {pool.name}",)
                if pool.mode == "tcp"
                else (f"http-request set-var(txn.pool) str({pool.name})",),
                pool_names=(pool.name,),
                tls=_policy(documents, _CLASSIC_POLICY, (x.document["SSLCertificateId"],), "")
                if x.protocol in {"SSL", "HTTPS"}
                else None,
                idle_seconds=int(balancer.attributes.get("idle_timeout.timeout_seconds", "60")),
            )
            for x, pool in zip(balancer.listeners, reach, strict=True)
        ]
        yield _node(interface, balancer, listeners, reach)
