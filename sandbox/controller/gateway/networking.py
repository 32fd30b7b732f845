"""Rules for the way from a Gateway's load balancer to its targets, as a TargetGroupBinding has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.controller.annotations import as_boolean
from sandbox.controller.model.addresses import cidrs
from sandbox.controller.model.ingress_targets import TRAFFIC_PORT
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.stack import Json, Ref, TargetGroup
from sandbox.controller.settings import Settings

_KEEP_CLIENT = "preserve_client_ip.enabled"
_ANYWHERE = {"ipv4": "0.0.0.0/0", "ipv6": "::/0"}
Port = int | str | None


@dataclass(frozen=True)
class Networking:
    """Where a load balancer's traffic comes from: a security group, or its clients and subnets where it has none."""

    secured: bool
    source: str | Ref | None
    """The security group; None where the rules are not ours."""
    scheme: str
    subnets: Sequence[Json]
    ranges: Sequence[str]
    """Who may connect; everybody where empty."""
    lookup: Lookup
    settings: Settings

    def rules(self, group: TargetGroup, port: Port) -> list[Json] | None:
        """The rules for a target group whose targets listen on `port`; None for none of ours."""
        if not self.secured:
            return self._by_address(group, port)
        if self.source is None:
            return None
        source = [{"securityGroup": {"groupID": self.source}}]
        datagrams = group.protocol in ("UDP", "TCP_UDP")
        if self.settings.disable_restricted_sg_rules:
            return [{"from": source, "ports": [{"protocol": p} for p in (["TCP", "UDP"] if datagrams else ["TCP"])]}]
        ports: list[Json] = [{"protocol": "UDP" if datagrams else "TCP", "port": port}]
        check = port if group.health.port == TRAFFIC_PORT else int(group.health.port)
        if datagrams or check != port:
            ports.append({"protocol": "TCP", "port": check})  # health checks go over TCP
        return [{"from": source, "ports": [one]} for one in ports]

    def _by_address(self, group: TargetGroup, port: Port) -> list[Json]:
        own = [c for subnet in self.subnets for c in cidrs(subnet, group.ip_address_type)]
        datagrams = group.protocol in ("UDP", "TCP_UDP")
        given = as_boolean(group.attributes.get(_KEEP_CLIENT, str(group.target_type == "instance").lower()))
        kept = datagrams or bool(given)
        sources: Sequence[str] = own
        if kept:
            sources = self.ranges or self._everybody(group.ip_address_type)
        protocols = {"TCP_UDP": ["TCP", "UDP"], "UDP": ["UDP"]}.get(group.protocol, ["TCP"])
        ports = [{"port": port, "protocol": protocol} for protocol in protocols]
        rules: list[Json] = [{"from": _blocks(sources), "ports": ports}]
        check = port if group.health.port == TRAFFIC_PORT else int(group.health.port)
        reached = not kept or not self.ranges or bool(set(_ANYWHERE.values()) & set(sources))
        if datagrams or check != port or not reached:
            rules.append({"from": _blocks(own), "ports": [{"port": check, "protocol": "TCP"}]})
        return rules

    def _everybody(self, family: str) -> list[str]:
        return self.lookup.vpc_cidrs(family) if self.scheme == "internal" else [_ANYWHERE[family]]


def _blocks(sources: Sequence[str]) -> list[Json]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in sources]
