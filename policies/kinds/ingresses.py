"""The controller's Ingresses, and the IngressClassParams that apply to them.

An Ingress names an IngressClass, which names IngressClassParams. Their settings win over the Ingress's own annotations
(pkg/ingress of the controller). Both are looked up in the stack; the profile lists classes from elsewhere.
"""

from collections.abc import Iterator
from typing import Any, Final

from kinds.annotations import ALB
from kinds.balancers import Balancer, PlatformSettings, listed
from kinds.kubernetes import KubernetesView, objects
from pack.properties import Edit
from pack.resources import Resource
from pack.values import Later, Unknown, dig, items, parsed

CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
CONTROLLERS: Final = ("ingress.k8s.aws/alb", "eks.amazonaws.com/alb")
_PARAMS_GROUPS: Final = ("elbv2.k8s.aws", "eks.amazonaws.com")


class ClassParams(PlatformSettings):
    """IngressClassParams: its settings apply to every Ingress of its classes, and win over their annotations."""

    application = True
    ranges_key = "inboundCIDRs"
    source_keys = ("prefixListsIDs", "PrefixListsIDs")

    def fact(self, name: str) -> Any:
        """Return a fact: a key of its spec, or an attribute."""
        if name in self.attributes:
            return self.attributes[name]
        value = dig(self.spec, [name])
        # EKS Auto Mode's spelling
        return dig(self.spec, ["certificateARNs"]) if value is None and name == "certificateArn" else value

    def says(self, fact: str) -> bool:
        """Say whether it decides a fact."""
        return self.fact(fact) not in (None, "", [])

    @property
    def speaks_alone(self) -> bool:
        """Whether no Ingress of the stack uses it: otherwise the Ingresses are checked for what it leaves out.

        Where it sets nothing at all, as the one of the controller's chart, every Ingress is checked in its own stack.
        """
        if self.sets_nothing or any(self._is_of(one) for one in self.seen.stack.of(INGRESS)):
            return False
        if not self.seen.stack.complete:
            raise Later
        return True

    @property
    def sets_nothing(self) -> bool:
        """Whether its class gives an Ingress nothing: no setting, no shared load balancer."""
        return not isinstance(self.spec, Unknown) and not self.spec

    def _is_of(self, ingress: "AlbIngress") -> bool:
        params = ingress.params
        return params is not None and params.urn == self.urn and params.name == self.name

    @property
    def target_type(self) -> Any:
        """Return the target type."""
        return dig(self.spec, ["targetType"])

    def set_target_type(self, value: str) -> Iterator[Edit]:
        """Change the target type."""
        yield Edit(("spec", "targetType"), value)

    @property
    def web_acl(self) -> Any:
        """Return the web ACL's ARN or name."""
        named = [dig(self.spec, [name]) for name in ("wafv2AclName", "wafv2AclArn")]
        return next((acl for acl in named if isinstance(acl, Unknown) or acl), None)

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy, if it has one."""
        policy = dig(self.spec, ["sslPolicy"])
        return [] if policy is None else [policy]

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change the security policy."""
        yield Edit(("spec", "sslPolicy"), value)


class AlbIngress(Balancer):
    """An Ingress of the controller: its own settings, and those of its class's parameters, which win."""

    application = True

    @property
    def class_name(self) -> Any:
        """Return the ingress class."""
        return dig(self.spec, ["ingressClassName"])

    @property
    def ingress_class(self) -> KubernetesView | None:
        """Return its IngressClass, by default the cluster's default one; `None` if it is not in the stack."""
        classes: list[KubernetesView] = self.seen.stack.of(INGRESS_CLASS)
        name = self.class_name
        if isinstance(name, Unknown):
            return None
        if name is None and CLASS_ANNOTATION not in self.annotations:
            return next((one for one in classes if one.annotation(DEFAULT_CLASS) == "true"), None)
        named = (one for one in classes if not isinstance(one.object_name, Unknown) and one.object_name == name)
        return next(named, None)

    @property
    def params(self) -> ClassParams | None:
        """Return the parameters of its class; `None` if they are not in the stack."""
        used = self.ingress_class
        reference = None if used is None else dig(used.spec, ["parameters"])
        name = dig(reference, ["name"])
        if name is None or isinstance(name, Unknown):
            return None
        every: list[ClassParams] = self.seen.stack.of(CLASS_PARAMS)
        return next(
            (one for one in every if not isinstance(one.object_name, Unknown) and one.object_name == name), None
        )

    @property
    def _undecided(self) -> bool:
        """Whether the program may still declare the class, or its parameters."""
        if self.seen.stack.complete or self.class_name is None or isinstance(self.class_name, Unknown):
            return False
        used = self.ingress_class
        return used is None or (dig(used.spec, ["parameters"]) is not None and self.params is None)

    def governed(self, fact: str) -> bool:
        """Say whether the class's parameters decide a fact."""
        params = self.params
        return params is not None and params.says(fact)

    def _said(self, fact: str, own: Any) -> Any:
        """Return a fact: the class's parameters win over its own annotation.

        Raises:
            Later: it is not set, and the program may still declare the class that sets it.
        """
        params = self.params
        if params is not None and params.says(fact):
            return params.fact(fact)
        if own in (None, [], "") and self._undecided:
            raise Later
        return own

    @property
    def scheme(self) -> Any:
        """Return the scheme."""
        return self._said("scheme", self.of_balancer("scheme"))

    @property
    def schemes(self) -> list[Any]:
        """Return the scheme of the ALB, unless its class has it, and of the NLB in front of it, if there is one."""
        own = None if self.governed("scheme") else self.of_balancer("scheme")
        return [own, self.of_balancer("frontend-nlb-scheme")]

    @property
    def target_type(self) -> Any:
        """Return the target type."""
        return self._said("targetType", self.of_balancer(self.target_type_key))

    @property
    def source_ranges(self) -> list[Any]:
        """Return the networks that may connect."""
        return items(self._said("inboundCIDRs", listed(self.of_balancer("inbound-cidrs"))))

    @property
    def limits_sources(self) -> bool:
        """Whether prefix lists or its own security groups decide who may connect."""
        own = any(self.has_of_balancer(name) for name in ("security-group-prefix-lists", "security-groups"))
        params = self.params
        return own or (params is not None and params.limits_sources)

    @property
    def web_acl(self) -> Any:
        """Return the web ACL's ARN or name; `none` tells the controller to remove it."""
        params = self.params
        if params is not None and params.web_acl is not None:
            return params.web_acl
        named = [self.of_balancer(name) for name in ("wafv2-acl-name", "wafv2-acl-arn")]
        own = (acl for acl in named if acl is not None and (isinstance(acl, Unknown) or acl not in ("", "none")))
        return self._said("wafv2AclArn", next(own, None))

    @property
    def balancer_name(self) -> Any:
        """Return the load balancer's name."""
        return self._said("loadBalancerName", self.of_balancer("load-balancer-name"))

    @property
    def group(self) -> Any:
        """Return the group whose load balancer it shares; its class's group wins over its own."""
        params = self.params
        name = None if params is None else dig(params.spec, ["group", "name"])
        return self.of_balancer("group.name") if name is None else name

    def attribute(self, name: str) -> Any:
        """Return one of the load balancer's attributes."""
        return self._said(name, self.attributes.get(name))

    @property
    def listeners(self) -> list[tuple[str, Any]]:
        """Return protocol and port of each listener; by default HTTPS if it names a certificate, otherwise HTTP."""
        given = parsed(self.of_balancer("listen-ports"))
        if given is None:
            named = self._said("certificateArn", self.of_balancer("certificate-arn"))
            return [("HTTPS", 443)] if isinstance(named, Unknown) or named else [("HTTP", 80)]
        return [
            (protocol, port) for entry in items(given) if isinstance(entry, dict) for protocol, port in entry.items()
        ]

    @property
    def redirect(self) -> Any:
        """Return the HTTPS port to which HTTP is redirected."""
        return self._said("sslRedirectPort", self.of_balancer("ssl-redirect"))

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy, if there is an HTTPS listener."""
        secure = any(protocol == "HTTPS" for protocol, _ in self.listeners)
        return [self._said("sslPolicy", self.of_balancer(self.tls_policy_key))] if secure else []

    @property
    def hosts(self) -> list[Any]:
        """Return the host of each of its rules, `None` for any host; a default backend also means any host."""
        default = dig(self.spec, ["defaultBackend"])
        hosts = [dig(rule, ["host"]) for rule in items(dig(self.spec, ["rules"]))]
        return hosts if default is None else [*hosts, None]


def is_albs(view: AlbIngress) -> bool:
    """Say whether an Ingress is the controller's: judged by its class, otherwise by its annotations.

    If the class is not in the stack, its name decides: the chart calls it `alb`.

    Raises:
        Later: the program may still declare the class.
    """
    names = [name for name in (view.class_name, view.annotation(CLASS_ANNOTATION)) if isinstance(name, str)]
    used = view.ingress_class
    if used is not None:
        return dig(used.spec, ["controller"]) in CONTROLLERS
    if any("alb" in name for name in names) or any(key.startswith(ALB) for key in view.annotations):
        return True
    if isinstance(view.class_name, str) and not view.seen.stack.complete:
        raise Later
    return False


def _ingress(seen: Resource) -> AlbIngress | None:
    view = AlbIngress(seen)
    return view if is_albs(view) else None


_INGRESSES: Final = [("networking.k8s.io", "Ingress"), ("extensions", "Ingress")]
ANY_INGRESS: Final = objects("Ingress", _INGRESSES, AlbIngress)
INGRESS: Final = objects("Ingress of an ALB", _INGRESSES, _ingress)
INGRESS_CLASS: Final = objects("IngressClass", [("networking.k8s.io", "IngressClass")])
CLASS_PARAMS: Final = objects(
    "IngressClassParams", [(group, "IngressClassParams") for group in _PARAMS_GROUPS], ClassParams
)
