"""Services that make NLBs and Ingresses that make ALBs, seen alike.

Annotations: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/ and
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kinds.annotations import ALB, NLB
from kinds.kubernetes import KubernetesView, ObjectKind, objects
from pack.properties import Edit
from pack.registry import texts
from pack.resources import Resource, is_patch
from pack.values import Unknown, dig, items, parsed, truth

SOURCE_RANGES: Final = "service.beta.kubernetes.io/load-balancer-source-ranges"
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
PUBLIC: Final = "internet-facing"

ACCESS_LOGS: Final = "access_logs.s3.enabled"
DELETION_PROTECTION: Final = "deletion_protection.enabled"
CLASSES: Final = texts([], "ingress classes whose IngressClassParams say it for their Ingresses")

DROP_HEADERS: Final = "routing.http.drop_invalid_header_fields.enabled"


def listed(value: Any) -> list[str]:
    """Read an annotation that is a list: `a, b`.

    Raises:
        NotYetKnown: it is unknown.
    """
    if isinstance(value, Unknown):
        str(value)
    return [part.strip() for part in str(value or "").split(",") if part.strip()]


def pairs(value: Any) -> dict[str, str]:
    """Read an annotation that is a map: `a=b, c=d`."""
    return {key.strip(): text.strip() for key, _, text in (part.partition("=") for part in listed(value))}


class Balancer(KubernetesView):
    """What rules ask of a thing that makes load balancers."""

    application = False
    """Whether it is an ALB: it speaks HTTP."""
    decides_for_others = False
    """Whether it speaks for objects that are judged themselves: then only what it says counts, not what it leaves."""
    prefix = ALB
    in_cluster = True
    """Whether it is an object of a namespace or of the cluster, and no resource of AWS."""

    def of_balancer(self, name: str) -> Any:
        """Return one of the load balancer's annotations by the part after the prefix."""
        return self.annotation(self.prefix + name)

    def has_of_balancer(self, name: str) -> bool:
        """Say whether one of the load balancer's annotations is there, known or not."""
        return self.prefix + name in self.annotations

    @property
    def scheme(self) -> Any:
        """Return `internal`, `internet-facing`, or `None` if it is not said."""
        return self.of_balancer("scheme")

    @property
    def schemes(self) -> list[Any]:
        """Return all schemes that it asks for."""
        return [self.scheme]

    @property
    def target_type(self) -> Any:
        """Return `ip`, `instance`, or `None` if it is not said."""
        return self.of_balancer("target-type")

    def set_target_type(self, value: str) -> Edit:
        """Change the target type."""
        return self.annotate(f"{self.prefix}target-type", value)

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the load balancer's attributes."""
        return pairs(self.of_balancer("load-balancer-attributes"))

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the load balancer's attributes."""
        joined = ",".join(f"{key}={text}" for key, text in {**self.attributes, name: value}.items())
        yield self.annotate(f"{self.prefix}load-balancer-attributes", joined)

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy of each TLS listener, `None` where it is left to the default."""
        return []

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change the TLS listeners' security policy."""
        yield self.annotate(f"{self.prefix}ssl-policy", value)

    @property
    def class_name(self) -> Any:
        """Return the ingress class, which may decide what is left out here."""
        return None


class AlbIngress(Balancer):
    """An Ingress of the controller's."""

    application = True

    @property
    def class_name(self) -> Any:
        """Return the ingress class."""
        return dig(self.spec, ["ingressClassName"])

    @property
    def schemes(self) -> list[Any]:
        """Return the scheme of the ALB and of the NLB before it, if it asks for one."""
        return [self.scheme, self.of_balancer("frontend-nlb-scheme")]

    @property
    def web_acl(self) -> Any:
        """Return the web ACL's ARN or name; `none` is how the controller is told to take it off."""
        named = [self.of_balancer(name) for name in ("wafv2-acl-arn", "wafv2-acl-name")]
        return next(
            (acl for acl in named if acl is not None and (isinstance(acl, Unknown) or acl not in ("", "none"))), None
        )

    @property
    def listeners(self) -> list[tuple[str, Any]]:
        """Return protocol and port of each listener; the default is HTTPS if there is a certificate, else HTTP."""
        given = parsed(self.of_balancer("listen-ports"))
        if given is None:
            return [("HTTPS", 443)] if self.has_certificate else [("HTTP", 80)]
        return [
            (protocol, port) for entry in items(given) if isinstance(entry, dict) for protocol, port in entry.items()
        ]

    @property
    def has_certificate(self) -> bool:
        """Whether a certificate is named, or a host by which the controller finds one."""
        named = self.of_balancer("certificate-arn")
        return isinstance(named, Unknown) or bool(named) or bool(dig(self.spec, ["tls"]))

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy, if there is an HTTPS listener."""
        secure = any(protocol == "HTTPS" for protocol, _ in self.listeners)
        return [self.of_balancer("ssl-policy")] if secure else []


class NlbService(Balancer):
    """A Service of the controller's."""

    prefix = NLB

    @property
    def scheme(self) -> Any:
        """Return the scheme; the older annotation counts where the newer is missing."""
        scheme = self.of_balancer("scheme")
        if scheme is not None:
            return scheme
        internal = truth(self.of_balancer("internal"))
        return None if internal is None else ("internal" if internal else PUBLIC)

    @property
    def target_type(self) -> Any:
        """Return the target type; the older way to ask for `ip` counts too."""
        kind = self.of_balancer("type")
        return "ip" if not isinstance(kind, Unknown) and kind == "nlb-ip" else self.of_balancer("nlb-target-type")

    def set_target_type(self, value: str) -> Edit:
        """Change the target type."""
        return self.annotate(f"{NLB}nlb-target-type", value)

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes; the older annotation for access logs counts too."""
        older = truth(self.of_balancer("access-log-enabled"))
        logs = {} if older is None else {ACCESS_LOGS: str(older).lower()}
        return {**logs, **pairs(self.of_balancer("attributes"))}

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the load balancer's attributes."""
        given = pairs(self.of_balancer("attributes"))
        joined = ",".join(f"{key}={text}" for key, text in {**given, name: value}.items())
        yield self.annotate(f"{NLB}attributes", joined)

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy, if there is a certificate."""
        certificate = self.of_balancer("ssl-cert")
        return [self.of_balancer("ssl-negotiation-policy")] if certificate is not None else []

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change the TLS listeners' security policy."""
        yield self.annotate(f"{NLB}ssl-negotiation-policy", value)


def left_to_class(balancer: Any, classes: list[str]) -> bool:
    """Say whether what an object leaves out is none of its business: its class decides, or it decides for others."""
    return balancer.decides_for_others or (balancer.class_name is not None and balancer.class_name in classes)


def is_albs(view: KubernetesView) -> bool:
    """Say whether an Ingress is the controller's: by its class's name or by its annotations."""
    names = [dig(view.spec, ["ingressClassName"]), view.annotation(CLASS_ANNOTATION)]
    if any(isinstance(name, str) and "alb" in name for name in names):
        return True
    return any(key.startswith(ALB) for key in view.annotations)


# The controller's own, and EKS Auto Mode's, which reads the same annotations.
NLB_CLASSES: Final = ("service.k8s.aws/nlb", "eks.amazonaws.com/nlb")


def is_nlbs(view: KubernetesView, classes: Iterable[str] = NLB_CLASSES) -> bool:
    """Say whether a Service is the controller's: by its class or by the annotation that stood before classes."""
    if dig(view.spec, ["type"]) != "LoadBalancer":
        return False
    named = dig(view.spec, ["loadBalancerClass"])
    return named in classes if named is not None else view.annotation(f"{NLB}type") in ("external", "nlb-ip")


def _ingress(seen: Resource) -> AlbIngress | None:
    view = AlbIngress(seen)
    return view if is_albs(view) else None


def _service(seen: Resource) -> NlbService | None:
    view = NlbService(seen)
    return view if is_patch(seen) or is_nlbs(view) else None


_INGRESSES: Final = [("networking.k8s.io", "Ingress"), ("extensions", "Ingress")]
_SERVICES: Final = [("core", "Service")]
ANY_INGRESS: Final = objects("Ingress", _INGRESSES, AlbIngress)
ANY_SERVICE: Final = objects("Service", _SERVICES, NlbService)
INGRESS: Final = objects("Ingress of an ALB", _INGRESSES, _ingress)
SERVICE: Final = objects("Service of an NLB", _SERVICES, _service)


def either(name: str, *kinds: ObjectKind) -> ObjectKind:
    """Join kinds whose views answer the same questions."""

    def read(seen: Resource) -> Any:
        return next((view for kind in kinds if (view := kind.view(seen)) is not None), None)

    return ObjectKind(
        name,
        frozenset(pair for kind in kinds for pair in kind.kinds),
        read,
        {token: reader for kind in kinds for token, reader in kind.others.items()},
    )
