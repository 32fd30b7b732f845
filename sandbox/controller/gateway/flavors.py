"""What the two gateway controllers have and have not in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

GROUP = "gateway.networking.k8s.io"
OWN_GROUP = "gateway.k8s.aws"
VERSION = "v1"
CONFIGURATIONS = ("LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration")
CLASS_FINALIZER = "gateway.k8s.aws/gatewayclass"
CONFIGURATION_FINALIZERS: Mapping[str, str] = {kind: f"{OWN_GROUP}/{kind.lower()}s" for kind in CONFIGURATIONS}
ROUTES_BY_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
    "TLS": ("TLSRoute", "TCPRoute"),
    "HTTP": ("HTTPRoute",),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
}
"""The routes a listener takes that does not say which."""


@dataclass(frozen=True)
class Flavor:
    """One of the two: what a GatewayClass calls it, what it makes, and what of the Gateway API it serves."""

    controller: Literal["gateway.k8s.aws/alb", "gateway.k8s.aws/nlb"]
    balancer: Literal["application", "network"]
    prefix: Literal["gateway.k8s.aws.alb", "gateway.k8s.aws.nlb"]
    gate: str
    routes: tuple[str, ...]
    protocols: tuple[str, ...]

    @property
    def finalizer(self) -> str:
        """What its Gateways carry until their load balancer is gone."""
        return self.controller

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the Gateway API without which it does not run."""
        return ("Gateway", "GatewayClass", *self.routes)


ALB = Flavor(
    "gateway.k8s.aws/alb",
    "application",
    "gateway.k8s.aws.alb",
    "ALBGatewayAPI",
    ("HTTPRoute", "GRPCRoute"),
    ("HTTP", "HTTPS"),
)
NLB = Flavor(
    "gateway.k8s.aws/nlb",
    "network",
    "gateway.k8s.aws.nlb",
    "NLBGatewayAPI",
    ("TLSRoute", "TCPRoute", "UDPRoute"),
    ("TCP", "UDP", "TLS"),
)
FLAVORS: Mapping[str, Flavor] = {flavor.controller: flavor for flavor in (ALB, NLB)}
LISTENER_SETS = "GatewayListenerSet"
"""The gate of ListenerSets."""
