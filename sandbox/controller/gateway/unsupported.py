"""Fields that change nothing: what the controller does not serve of the Gateway API, and what is left out here."""

from collections.abc import Iterable, Iterator, Mapping

from sandbox.controller.gateway.flavors import Flavor
from sandbox.controller.gateway.listeners import Port
from sandbox.controller.model.stack import Json

_ROUTE = ("useDefaultGateways",)
_L7 = (*_ROUTE, "rules.sessionPersistence", "rules.timeouts", "rules.retry", "rules.backendRefs.filters")
_PROPERTIES = ("targetControlPort", "ipAddressType")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Gateway": (
        "addresses",
        "defaultScope",
        "tls",
        "listeners.tls.certificateRefs",
        "listeners.tls.frontendValidation",
        "listeners.tls.options",
    ),
    "ListenerSet": ("listeners.tls.certificateRefs", "listeners.tls.frontendValidation", "listeners.tls.options"),
    "HTTPRoute": _L7,
    "GRPCRoute": _L7,
    "TCPRoute": _ROUTE,
    "UDPRoute": _ROUTE,
    "TLSRoute": _ROUTE,
    "LoadBalancerConfiguration": (
        "ipv4IPAMPoolId",
        "minimumLoadBalancerCapacity",
        "shieldConfiguration",
        "loadBalancerSubnets.sourceNatIPv6Prefix",
    ),
    "TargetGroupConfiguration": (
        *(f"defaultConfiguration.{name}" for name in _PROPERTIES),
        *(f"routeConfigurations.targetGroupProps.{name}" for name in _PROPERTIES),
    ),
    "ListenerRuleConfiguration": ("actions.authenticateOIDCConfig.useExistingClientSecret",),
}
_OTHERS_ONLY: Mapping[str, tuple[str, ...]] = {
    "application": ("disableSecurityGroup", "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
    "network": ("customerOwnedIpv4Pool", "wafV2"),
}
"""Fields of a LoadBalancerConfiguration that are about the other type of load balancer."""


def idle_fields(obj: Json) -> Iterator[str]:
    """Paths of an object's fields that are given and change nothing."""
    for path in _FIELDS[obj["kind"]]:
        if _given(obj.get("spec"), path.split(".")):
            yield f"spec.{path}"


def idle_parameters(spec: Json, flavor: Flavor, wanted: Mapping[int, Port]) -> Iterator[str]:
    """What of a merged configuration is not about this Gateway's load balancer and listeners."""
    yield from (f"spec.{field}" for field in _OTHERS_ONLY[flavor.balancer] if spec.get(field))
    known = {f"{port.protocol}:{number}".lower() for number, port in wanted.items()}
    for listener in spec.get("listenerConfigurations") or []:
        if listener["protocolPort"].lower() not in known:
            yield f"spec.listenerConfigurations[{listener['protocolPort']}]"


def _given(value: object, path: Iterable[str]) -> bool:
    if isinstance(value, list):
        return any(_given(one, path) for one in value)
    first, *rest = [*path, None]
    if first is None:
        return value not in (None, False, [], {})
    return isinstance(value, dict) and first in value and _given(value[first], [p for p in rest if p])
