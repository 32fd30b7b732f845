"""What decides for many load balancers, and load balancers that the program makes itself.

Resource as `kinds.balancers` sees Services and Ingresses.
"""

from collections.abc import Iterator
from typing import Any, Final

from kinds.aws import LOAD_BALANCER
from kinds.balancers import ACCESS_LOGS, DELETION_PROTECTION, DROP_HEADERS, INGRESS, PUBLIC, SERVICE, Balancer, either
from kinds.kubernetes import objects
from pack.properties import Edit
from pack.resources import Resource
from pack.values import Unknown, dig, items, truth
from pack.views import View


class ClassParams(Balancer):
    """IngressClassParams: what it says holds for every Ingress of its classes, over their annotations."""

    application = True
    decides_for_others = True

    @property
    def scheme(self) -> Any:
        """Return the scheme."""
        return dig(self.spec, ["scheme"])

    @property
    def target_type(self) -> Any:
        """Return the target type."""
        return dig(self.spec, ["targetType"])

    def set_target_type(self, value: str) -> Edit:
        """Change the target type."""
        return Edit(("spec", "targetType"), value)

    @property
    def web_acl(self) -> Any:
        """Return the web ACL's ARN or name."""
        named = [dig(self.spec, [name]) for name in ("wafv2AclArn", "wafv2AclName")]
        return next((acl for acl in named if acl is not None), None)

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes."""
        given = items(dig(self.spec, ["loadBalancerAttributes"]))
        return {str(dig(one, ["key"])): dig(one, ["value"]) for one in given}

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the attributes."""
        merged = {**self.attributes, name: value}
        entries = [{"key": key, "value": text} for key, text in merged.items()]
        yield Edit(("spec", "loadBalancerAttributes"), entries)

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy if it gives one."""
        policy = dig(self.spec, ["sslPolicy"])
        return [] if policy is None else [policy]

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change the security policy."""
        yield Edit(("spec", "sslPolicy"), value)


class GatewayConfiguration(ClassParams):
    """LoadBalancerConfiguration: the same for Gateways."""

    application = False

    @property
    def target_type(self) -> Any:
        """Return nothing: a TargetGroupConfiguration says it."""
        return None

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policies that it gives."""
        listeners = items(dig(self.spec, ["listenerConfigurations"]))
        return [policy for one in listeners if (policy := dig(one, ["sslPolicy"])) is not None]

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change each security policy that it gives."""
        for index, one in enumerate(items(dig(self.spec, ["listenerConfigurations"]))):
            if dig(one, ["sslPolicy"]) is not None:
                yield Edit(("spec", "listenerConfigurations", index, "sslPolicy"), value)


class OwnBalancer(Balancer):
    """A load balancer that the program makes by AWS's API, for bindings to target groups."""

    called = "the load balancer"
    in_cluster = False
    _fields: Final = {
        ACCESS_LOGS: "access_logs",
        DELETION_PROTECTION: "deletion_protection",
        DROP_HEADERS: "drops_headers",
    }

    def __init__(self, seen: Resource) -> None:
        super().__init__(seen)
        self._view: View = LOAD_BALANCER.view(seen)
        self.application = self._view.kind in (None, "application")

    @property
    def namespace(self) -> Any:
        """Return no namespace: it stands outside of Kubernetes."""
        return ""

    @property
    def scheme(self) -> Any:
        """Return the scheme; a load balancer is internet-facing unless it says otherwise."""
        internal = self._view.internal
        return internal if isinstance(internal, Unknown) else ("internal" if internal else PUBLIC)

    @property
    def target_type(self) -> Any:
        """Return nothing: its target groups say it."""
        return "ip"

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes that rules ask about."""
        if self._view.has("attributes"):
            return self._view.attributes or {}
        return {name: getattr(self._view, field) for name, field in self._fields.items()}

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the attributes."""
        if self._view.has("attributes"):
            merged = {**self.attributes, name: value}
            yield self._view.put("attributes", [{"key": key, "value": text} for key, text in merged.items()])
        else:
            yield self._view.put(self._fields[name], truth(value))


class BackendService(Balancer):
    """A Service behind an ALB: what it says of its target group holds over the Ingress."""

    application = True
    decides_for_others = True


def _backend(seen: Resource) -> BackendService | None:
    view = BackendService(seen)
    return view if any(key.startswith(view.prefix) for key in view.annotations) else None


BACKEND: Final = objects("Service behind an ALB", [("core", "Service")], _backend)
CLASS_PARAMS: Final = objects(
    "IngressClassParams",
    [(group, "IngressClassParams") for group in ("elbv2.k8s.aws", "eks.amazonaws.com")],
    ClassParams,
)
GATEWAY_CONFIGURATION: Final = objects(
    "Gateway's LoadBalancerConfiguration", [("gateway.k8s.aws", "LoadBalancerConfiguration")], GatewayConfiguration
)
OWN: Final = objects("load balancer of the program's own", [], others=dict.fromkeys(LOAD_BALANCER.shapes, OwnBalancer))
BALANCER: Final = either("load balancer", INGRESS, SERVICE, CLASS_PARAMS, GATEWAY_CONFIGURATION, OWN)
