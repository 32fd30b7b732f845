"""Target groups as a load balancer node uses them: targets, checks, balancing. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.network.elb.model import DRAINING, Document, Listener, LoadBalancer, TargetGroup
from sandbox.network.elb.reading import Documents

ONLY_DATAGRAMS = {"UDP", "QUIC"}
DATAGRAMS = {*ONLY_DATAGRAMS, "TCP_UDP", "TCP_QUIC"}
"""The protocols that are or include datagrams, which a node's kernel forwards."""
_HTTP = {"HTTP", "HTTPS"}
_ALGORITHMS = {
    "round_robin": "roundrobin",
    "least_outstanding_requests": "leastconn",
    "weighted_random": "random(1)",
}


@dataclass(frozen=True)
class Check:
    """A health check; times in seconds, and thresholds in consecutive checks."""

    protocol: str
    """HTTP, HTTPS, TCP or SSL."""
    port: int | None
    """None: the target's port."""
    path: str = "/"
    codes: str = "200"
    """A matcher: `200`, `200,301`, `200-299`."""
    interval: float = 30
    timeout: float = 5
    rise: int = 5
    fall: int = 2
    proxy_header: bool = False
    """Whether checks also begin with a PROXY protocol header."""
    version: str = "HTTP1"
    """HTTP1, HTTP2 or GRPC; the codes of GRPC are those of calls."""


@dataclass(frozen=True)
class Target:
    """A target that a node can send to."""

    id: str
    address: str
    port: int
    draining: bool = False

    @property
    def name(self) -> str:
        """The name of HAProxy's server, and the key of its health here."""
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class Pool:
    """A target group, or the instances of a Classic load balancer, at one node."""

    name: str
    group: str
    """The target group's ARN, or the Classic load balancer's name."""
    mode: str
    """`http`, `tcp`, or `udp` for pools that HAProxy does not serve."""
    balance: str
    server: str
    """Options for each of HAProxy's servers."""
    check: Check
    targets: tuple[Target, ...] = ()
    sticky: str = ""
    """The cookie that binds a client to a target; empty if there is none."""
    sticky_seconds: int = 0
    sticky_after: str = ""
    """The target's own cookie that `sticky` accompanies; empty: every answer sets it."""
    ends_when_unhealthy: bool = False
    """Whether a target's connections are closed when it becomes unhealthy."""
    ends_when_drained: bool = False
    """Whether a target's remaining connections are closed when its draining ends."""
    waits_when_drained: bool = False
    """Whether draining lasts for the whole delay, even without connections."""


def of_group(documents: Documents, group: TargetGroup, zone: str, *, cross_zone: bool, zones: set[str]) -> Pool:
    """The pool of a target group at a node in `zone`.

    Args:
        documents: the APIs' state.
        group: the target group.
        zone: the node's.
        cross_zone: whether the load balancer's nodes send to other zones.
        zones: the load balancer's zones.
    """
    attributes, protocol = group.attributes, group.document["Protocol"]
    own = attributes.get("load_balancing.cross_zone.enabled", "use_load_balancer_configuration")
    everywhere = cross_zone if own == "use_load_balancer_configuration" else own == "true"
    http = protocol in _HTTP
    sticky = attributes.get("stickiness.enabled") == "true"
    kind = attributes.get("stickiness.type", "") if sticky else ""
    return Pool(
        name=pool_name(group.arn),
        group=group.arn,
        mode="http" if http else "udp" if protocol in ONLY_DATAGRAMS else "tcp",
        balance=_balance(attributes, http=http, kind=kind),
        server=_server_options(group),
        check=check_of(group.document, proxy_header=attributes.get("proxy_protocol_v2.enabled") == "true"),
        targets=_targets(documents, group, zones if everywhere else {zone}),
        sticky={"lb_cookie": "AWSALB", "app_cookie": "AWSALBAPP-0"}.get(kind, ""),
        sticky_seconds=int(attributes.get(f"stickiness.{kind}.duration_seconds") or 86400),
        sticky_after=attributes.get("stickiness.app_cookie.cookie_name", "") if kind == "app_cookie" else "",
        ends_when_unhealthy=not http
        and attributes.get("target_health_state.unhealthy.connection_termination.enabled", "true") == "true",
        ends_when_drained=http or attributes.get("deregistration_delay.connection_termination.enabled") == "true",
        waits_when_drained=not http,
    )


def pool_name(arn: str) -> str:
    """The name of HAProxy's backend: the target group's name, which is unique in its region."""
    return f"tg-{arn.split('/')[-2]}"


def preserves(group: TargetGroup) -> bool:
    """Whether targets see the client's address.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    given = group.attributes.get("preserve_client_ip.enabled")
    if group.document["Protocol"] in _HTTP or group.type == "alb":
        return False
    if group.document["Protocol"] in DATAGRAMS:
        return True
    return given == "true" if given is not None else group.type == "instance"


def _balance(attributes: Mapping[str, str], *, http: bool, kind: str) -> str:
    if http:
        return _ALGORITHMS.get(attributes.get("load_balancing.algorithm.type", ""), "roundrobin")
    # A network load balancer picks a target by a hash of the connection's addresses and ports, which amounts to a
    # random one. In a sticky group only the client's address counts.
    return "source" if kind.startswith("source_ip") else "random(1)"


def _server_options(group: TargetGroup) -> str:
    attributes, two = group.attributes, group.document.get("ProtocolVersion") in {"HTTP2", "GRPC"}
    options: list[str] = []
    if group.document["Protocol"] in {"HTTPS", "TLS"}:
        # "The load balancer ... does not validate these certificates."
        options.append("ssl verify none alpn h2" if two else "ssl verify none")
    elif two:
        options.append("proto h2")
    if attributes.get("proxy_protocol_v2.enabled") == "true":
        options.append("send-proxy-v2")
    if preserves(group):
        options.append("source 0.0.0.0 usesrc clientip")
    slow = attributes.get("slow_start.duration_seconds", "0")
    if slow != "0":
        options.append(f"slowstart {int(slow)}s")
    return " ".join(options)


def check_of(group: Document, *, proxy_header: bool) -> Check:
    """The health check of a target group."""
    port = str(group.get("HealthCheckPort", "traffic-port"))
    matcher = group.get("Matcher") or {}
    return Check(
        protocol=group.get("HealthCheckProtocol", "TCP"),
        port=None if port == "traffic-port" else int(port),
        path=group.get("HealthCheckPath") or "/",
        codes=matcher.get("GrpcCode")
        or matcher.get("HttpCode")
        or ("200" if group["Protocol"] in _HTTP else "200-399"),
        version=group.get("ProtocolVersion") or "HTTP1",
        interval=float(group.get("HealthCheckIntervalSeconds", 30)),
        timeout=float(group.get("HealthCheckTimeoutSeconds", 5)),
        rise=int(group.get("HealthyThresholdCount", 5)),
        fall=int(group.get("UnhealthyThresholdCount", 2)),
        proxy_header=proxy_header,
    )


def _targets(documents: Documents, group: TargetGroup, zones: set[str]) -> tuple[Target, ...]:
    found: list[Target] = []
    for target in group.targets:
        zone = target.zone or documents.zones.get(target.id)
        stopped = target.reason == "Target.InvalidState"
        if stopped or (zone not in {None, "all"} and zone not in zones):
            continue
        found += [
            Target(target.id, address, target.port, draining=target.health == DRAINING)
            for address in addresses(documents, group.type, target.id)
        ]
    return tuple(sorted(found, key=lambda t: (t.address, t.port)))


def addresses(documents: Documents, kind: str, target: str) -> list[str]:
    """The addresses of a target: one, except for a load balancer behind a load balancer."""
    if kind == "instance":
        return [documents.instances[target]] if target in documents.instances else []
    if kind == "alb":
        name = f"ELB {target.partition(':loadbalancer/')[2]}"
        return sorted(i["PrivateIpAddress"] for i in documents.interfaces if i["Description"] == name)
    return [target]


_CLASSIC_CHECK = re.compile(r"(TCP|SSL|HTTP|HTTPS):(\d+)(/.*)?")


def of_classic(
    documents: Documents, balancer: LoadBalancer, listener: Listener, zone: str, *, cross_zone: bool
) -> Pool:
    """The pool of one listener of a Classic load balancer."""
    health: dict[str, Any] = balancer.document["HealthCheck"]
    protocol, port, path = _CLASSIC_CHECK.fullmatch(health["Target"]).groups()  # pyright: ignore[reportOptionalMemberAccess] - the API's own form
    secure = listener.document.get("InstanceProtocol", listener.protocol) in {"SSL", "HTTPS"}
    http = listener.protocol in _HTTP
    (group,) = balancer.groups_of(listener)
    here = sorted(
        (
            Target(t.id, documents.instances[t.id], t.port)
            for t in group.targets
            if t.id in documents.instances and (cross_zone or documents.zones[t.id] == zone)
        ),
        key=lambda t: t.id,
    )
    return Pool(
        name=f"port-{listener.port}",
        group=balancer.name,
        mode="http" if http else "tcp",
        # TCP listeners use round robin; HTTP listeners use the instance with the fewest requests.
        balance="leastconn" if http else "roundrobin",
        server="ssl verify none" if secure else "",
        check=Check(
            protocol,
            int(port),
            path or "/",
            "200",
            float(health["Interval"]),
            float(health["Timeout"]),
            int(health["HealthyThreshold"]),
            int(health["UnhealthyThreshold"]),
        ),
        targets=tuple(here),
    )
