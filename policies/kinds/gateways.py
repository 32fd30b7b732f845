"""The controller's Gateways, and the LoadBalancerConfigurations that apply to them.

A Gateway and its GatewayClass may each name a LoadBalancerConfiguration. If both set something, the class's value wins,
unless the class says otherwise (pkg/gateway/lb_config_merger.go of the controller).
"""

from collections.abc import Iterator
from typing import Any, Final

from kinds.balancers import Balancer, PlatformSettings
from kinds.kubernetes import KubernetesView, objects
from pack.properties import Edit
from pack.resources import Resource
from pack.values import Later, Unknown, dig, items

_API: Final = "gateway.networking.k8s.io"
_OWN_API: Final = "gateway.k8s.aws"
_ALB, _NLB = "gateway.k8s.aws/alb", "gateway.k8s.aws/nlb"
_SECURE: Final = ("HTTPS", "TLS")


class GatewayConfiguration(PlatformSettings):
    """LoadBalancerConfiguration: its settings apply to the load balancers of its Gateways."""

    ranges_key = "sourceRanges"
    source_keys = ("securityGroups", "securityGroupPrefixes")

    @property
    def application(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether it is for an ALB, judging by its listeners."""
        return any(str(dig(one, ["protocolPort"])).startswith("HTTP") for one in self.listeners)

    @property
    def identity(self) -> Any:
        """Its name in profiles: NAMESPACE/NAME."""
        name, namespace = self.object_name, self.namespace
        return name if name is None or isinstance(name, Unknown) else str(namespace) + "/" + str(name)

    @property
    def speaks_alone(self) -> bool:
        """Whether no Gateway of the stack uses it: otherwise the Gateways are checked for what it leaves out."""
        if any(
            self.urn in {one.urn for one in gateway.configurations} for gateway in self.seen.stack.of(GATEWAY_BALANCER)
        ):
            return False
        if not self.seen.stack.complete:
            raise Later
        return True

    def says(self, fact: str) -> bool:
        """Say whether it decides a fact: a key of its spec, or an attribute."""
        return fact in self.attributes or dig(self.spec, [fact]) not in (None, "", [])

    @property
    def target_type(self) -> Any:
        """Return nothing: a TargetGroupConfiguration has it."""
        return "ip"

    @property
    def web_acl(self) -> Any:
        """Return the web ACL."""
        return dig(self.spec, ["wafV2", "webACL"])

    @property
    def listeners(self) -> list[Any]:
        """Return the configuration of each listener."""
        return items(dig(self.spec, ["listenerConfigurations"]))

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy of each TLS listener, and others that it sets."""
        policies = [(dig(one, ["protocolPort"]), dig(one, ["sslPolicy"])) for one in self.listeners]
        return [policy for port, policy in policies if policy is not None or str(port).startswith(_SECURE)]

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change the security policy of each TLS listener."""
        for index, one in enumerate(self.listeners):
            if dig(one, ["sslPolicy"]) is not None or str(dig(one, ["protocolPort"])).startswith(_SECURE):
                yield Edit(("spec", "listenerConfigurations", index, "sslPolicy"), value)


class GatewayBalancer(Balancer):
    """A Gateway of the controller: the settings of its configurations, and what they leave out."""

    def __init__(self, seen: Resource) -> None:
        super().__init__(seen)
        self.application = self._controller in (_ALB, None) and any(
            dig(one, ["protocol"]) in ("HTTP", "HTTPS") for one in self.listeners
        )

    @property
    def gateway_class(self) -> KubernetesView | None:
        """Return its GatewayClass; `None` if it is not in the stack."""
        name = dig(self.spec, ["gatewayClassName"])
        classes: list[KubernetesView] = self.seen.stack.of(GATEWAY_CLASS)
        if name is None or isinstance(name, Unknown):
            return None
        named = (one for one in classes if not isinstance(one.object_name, Unknown) and one.object_name == name)
        return next(named, None)

    @property
    def _controller(self) -> Any:
        used = self.gateway_class
        return None if used is None else dig(used.spec, ["controllerName"])

    @property
    def is_the_controllers(self) -> bool:
        """Whether the load balancer controller serves it: judged by its class, otherwise by its configuration.

        Raises:
            Later: the program may still declare the class.
        """
        if self.gateway_class is not None:
            return self._controller in (_ALB, _NLB)
        if dig(self.spec, ["infrastructure", "parametersRef", "group"]) == _OWN_API:
            return True
        if dig(self.spec, ["gatewayClassName"]) is not None and not self.seen.stack.complete:
            raise Later
        return False

    @property
    def _references(self) -> list[tuple[Any, Any]]:
        """Return namespace and name of each configuration that it uses: the class's, and its own."""
        used = self.gateway_class
        by_class = None if used is None else dig(used.spec, ["parametersRef"])
        own = dig(self.spec, ["infrastructure", "parametersRef"])
        named = [(dig(by_class, ["namespace"]), dig(by_class, ["name"])), (self.namespace, dig(own, ["name"]))]
        return [(namespace, name) for namespace, name in named if name is not None]

    @property
    def configurations(self) -> list[GatewayConfiguration]:
        """Return its configurations in the stack, the winning one first."""
        found = [
            one for place in self._references for one in self.seen.stack.alike(GATEWAY_CONFIGURATION, _place, place)
        ]
        return found[::-1] if found and dig(found[0].spec, ["mergingMode"]) == "prefer-gateway" else found

    @property
    def _knows_all(self) -> bool:
        """Whether the stack has everything that decides.

        Raises:
            Later: the program may still declare it.
        """
        missing = len(self.configurations) < len(self._references)
        if (missing or self.gateway_class is None) and not self.seen.stack.complete:
            raise Later
        return not missing

    def governed(self, fact: str) -> bool:
        """Say whether a configuration decides a fact: one in the stack, or one in another stack."""
        return any(one.says(fact) for one in self.configurations) or not self._knows_all

    @property
    def listeners(self) -> list[Any]:
        """Return the listeners."""
        return items(dig(self.spec, ["listeners"]))

    @property
    def target_type(self) -> Any:
        """Return nothing: a TargetGroupConfiguration has it."""
        return "ip"

    @property
    def scheme(self) -> Any:
        """Return the scheme."""
        return next((one.scheme for one in self.configurations if one.scheme is not None), None)

    @property
    def schemes(self) -> list[Any]:
        """Return none of its own: its configurations have it."""
        return []

    @property
    def source_ranges(self) -> list[Any]:
        """Return the networks that may connect."""
        return next((one.source_ranges for one in self.configurations if one.source_ranges), [])

    @property
    def limits_sources(self) -> bool:
        """Whether prefix lists or its own security groups decide who may connect."""
        return any(one.limits_sources for one in self.configurations)

    @property
    def web_acl(self) -> Any:
        """Return the web ACL."""
        return next((one.web_acl for one in self.configurations if one.web_acl is not None), None)

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes."""
        merged: dict[str, Any] = {}
        for one in reversed(self.configurations):
            merged |= one.attributes
        return merged

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change nothing: that would need a new configuration."""
        del name, value
        yield from ()

    @property
    def tls_policies(self) -> list[Any]:
        """Return `None` for each TLS listener without a security policy in a configuration."""
        given = {str(dig(listener, ["protocolPort"])) for one in self.configurations for listener in one.listeners}
        ports = [(dig(one, ["protocol"]), dig(one, ["port"])) for one in self.listeners]
        open_ones = [port for protocol, port in ports if protocol in _SECURE and not _among(protocol, port, given)]
        return [None for _ in open_ones] if open_ones and self._knows_all else []

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change nothing: that would need a new configuration."""
        del value
        yield from ()


def _place(view: KubernetesView) -> tuple[Any, Any]:
    return view.namespace, view.object_name


def _among(protocol: Any, port: Any, given: set[str]) -> bool:
    number = f"{port:g}" if isinstance(port, int | float) else str(port)
    return f"{protocol}:{number}" in given


class TargetGroups(Balancer):
    """TargetGroupConfiguration: settings for the target groups of a Service behind Gateways."""

    @property
    def target_type(self) -> Any:
        """Return the target type: of its target types, one that is not `ip` if there is one."""
        routes = items(dig(self.spec, ["routeConfigurations"]))
        kinds = [dig(self.spec, ["defaultConfiguration", "targetType"])]
        kinds += [dig(one, ["targetGroupProps", "targetType"]) for one in routes]
        given = [kind for kind in kinds if kind is not None]
        return next((kind for kind in given if isinstance(kind, Unknown) or kind != "ip"), given[0] if given else None)

    def set_target_type(self, value: str) -> Iterator[Edit]:
        """Change the target type."""
        yield Edit(("spec", "defaultConfiguration", "targetType"), value)
        for index, one in enumerate(items(dig(self.spec, ["routeConfigurations"]))):
            if dig(one, ["targetGroupProps", "targetType"]) is not None:
                yield Edit(("spec", "routeConfigurations", index, "targetGroupProps", "targetType"), value)


def _gateway(seen: Resource) -> GatewayBalancer | None:
    view = GatewayBalancer(seen)
    return view if view.is_the_controllers else None


GATEWAY: Final = objects("Gateway", [(_API, "Gateway")])
GATEWAY_CLASS: Final = objects("GatewayClass", [(_API, "GatewayClass")])
GATEWAY_BALANCER: Final = objects("Gateway of the controller's", [(_API, "Gateway")], _gateway)
GATEWAY_CONFIGURATION: Final = objects(
    "Gateway's LoadBalancerConfiguration", [(_OWN_API, "LoadBalancerConfiguration")], GatewayConfiguration
)
TARGET_GROUPS: Final = objects(
    "Gateway's TargetGroupConfiguration", [(_OWN_API, "TargetGroupConfiguration")], TargetGroups
)
LISTENER_RULE: Final = objects("Gateway's ListenerRuleConfiguration", [(_OWN_API, "ListenerRuleConfiguration")])
ROUTE: Final = objects(
    "Gateway route with host names", [(_API, kind) for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute")]
)
HTTP_ROUTE: Final = objects("HTTPRoute", [(_API, "HTTPRoute")])
