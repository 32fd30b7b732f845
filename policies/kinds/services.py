"""Services: those for which the controller creates NLBs, and those behind ALBs."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kinds.annotations import NLB
from kinds.balancers import ACCESS_LOGS, PUBLIC, Balancer, joined, listed, pairs
from kinds.kubernetes import KubernetesView, objects
from pack.properties import Edit
from pack.resources import Resource, is_patch
from pack.values import Unknown, dig, items, truth

SOURCE_RANGES: Final = "service.beta.kubernetes.io/load-balancer-source-ranges"
# The controller's own, and EKS Auto Mode's, which reads the same annotations.
NLB_CLASSES: Final = ("service.k8s.aws/nlb", "eks.amazonaws.com/nlb")


class NlbService(Balancer):
    """A Service of the controller's."""

    prefix = NLB
    target_type_key = "nlb-target-type"
    tls_policy_key = "ssl-negotiation-policy"

    @property
    def scheme(self) -> Any:
        """Return the scheme; the older annotation counts if the newer one is missing."""
        scheme = self.of_balancer("scheme")
        if scheme is not None:
            return scheme
        internal = truth(self.of_balancer("internal"))
        return None if internal is None else ("internal" if internal else PUBLIC)

    @property
    def target_type(self) -> Any:
        """Return the target type; the older way to request `ip` counts too."""
        kind = self.of_balancer("type")
        return "ip" if not isinstance(kind, Unknown) and kind == "nlb-ip" else self.of_balancer(self.target_type_key)

    @property
    def source_ranges(self) -> list[Any]:
        """Return the networks that may connect; the field wins over the annotation."""
        field = dig(self.spec, ["loadBalancerSourceRanges"])
        return items(field) or listed(self.annotation(SOURCE_RANGES))

    @property
    def limits_sources(self) -> bool:
        """Whether prefix lists or its own security groups decide who may connect."""
        return any(self.has_of_balancer(name) for name in ("security-group-prefix-lists", "security-groups"))

    @property
    def balancer_name(self) -> Any:
        """Return the load balancer's name."""
        return self.of_balancer("name")

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes; the older annotation for access logs counts too."""
        older = truth(self.of_balancer("access-log-enabled"))
        logs = {} if older is None else {ACCESS_LOGS: str(older).lower()}
        return {**logs, **pairs(self.of_balancer("attributes"))}

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the load balancer's attributes."""
        yield self.annotate(f"{NLB}attributes", joined({**pairs(self.of_balancer("attributes")), name: value}))

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy, if it has a certificate."""
        certificate = self.of_balancer("ssl-cert")
        return [self.of_balancer(self.tls_policy_key)] if certificate is not None else []


class BackendService(Balancer):
    """A Service behind an ALB: its target group settings win over the Ingress's."""

    application = True

    @property
    def speaks_alone(self) -> bool:
        """Whether it is checked for what it leaves out; it is not, because the Ingress is."""
        return False


def is_nlbs(view: KubernetesView, classes: Iterable[str] = NLB_CLASSES) -> bool:
    """Say whether a Service is the controller's: judged by its class, or by the annotation used before classes."""
    if dig(view.spec, ["type"]) != "LoadBalancer":
        return False
    named = dig(view.spec, ["loadBalancerClass"])
    return named in classes if named is not None else view.annotation(f"{NLB}type") in ("external", "nlb-ip")


def _service(seen: Resource) -> NlbService | None:
    view = NlbService(seen)
    return view if is_patch(seen) or is_nlbs(view) else None


def _backend(seen: Resource) -> BackendService | None:
    view = BackendService(seen)
    return view if any(key.startswith(view.prefix) for key in view.annotations) else None


_SERVICES: Final = [("core", "Service")]
ANY_SERVICE: Final = objects("Service", _SERVICES, NlbService)
SERVICE: Final = objects("Service of an NLB", _SERVICES, _service)
BACKEND: Final = objects("Service behind an ALB", _SERVICES, _backend)
