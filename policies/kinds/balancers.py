"""The questions that rules ask about anything that creates a load balancer.

Annotations: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/ and
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
"""

from collections.abc import Iterator
from typing import Any, Final

from kinds.annotations import ALB
from kinds.kubernetes import KubernetesView, ObjectKind
from pack.properties import Edit
from pack.resources import Resource
from pack.values import Unknown, dig, items, known

PUBLIC: Final = "internet-facing"
ACCESS_LOGS: Final = "access_logs.s3.enabled"
DELETION_PROTECTION: Final = "deletion_protection.enabled"
DROP_HEADERS: Final = "routing.http.drop_invalid_header_fields.enabled"
DESYNC_MODE: Final = "routing.http.desync_mitigation_mode"
WAF_FAIL_OPEN: Final = "waf.fail_open.enabled"


def listed(value: Any) -> list[str]:
    """Read an annotation that is a list: `a, b`.

    Raises:
        NotYetKnown: it is unknown.
    """
    if isinstance(value, Unknown):
        str(value)
    if isinstance(value, list):
        return [str(part) for part in known(value)]
    return [part.strip() for part in str(value or "").split(",") if part.strip()]


def pairs(value: Any) -> dict[str, str]:
    """Read an annotation that is a map: `a=b, c=d`."""
    return {key.strip(): text.strip() for key, _, text in (part.partition("=") for part in listed(value))}


def joined(attributes: dict[str, str]) -> str:
    """Write an annotation that is a map."""
    return ",".join(f"{key}={text}" for key, text in attributes.items())


class Balancer(KubernetesView):
    """The questions that rules ask about anything that creates load balancers."""

    application = False
    """Whether it is an ALB: it speaks HTTP."""
    prefix = ALB
    owned = False
    """Whether the platform owns it, for many load balancers: the profile names it instead of its namespace."""
    keeps_logs = True
    """Whether such a load balancer can write access logs."""
    target_type_key = "target-type"
    """The annotation, after the prefix, with the target type."""
    tls_policy_key = "ssl-policy"
    """The annotation, after the prefix, with the security policy of TLS listeners."""

    def of_balancer(self, name: str) -> Any:
        """Return one of the load balancer's annotations by the part after the prefix."""
        return self.annotation(self.prefix + name)

    def has_of_balancer(self, name: str) -> bool:
        """Say whether one of the load balancer's annotations is set, to a known value or not."""
        return self.prefix + name in self.annotations

    def governed(self, fact: str) -> bool:  # noqa: ARG002 - what may be governed knows the fact
        """Say whether another object of the stack decides a fact, and is checked for it."""
        return False

    @property
    def speaks_alone(self) -> bool:
        """Whether no other object in the stack is checked for what this one leaves out.

        Raises:
            Later: the program may still declare one that is.
        """
        return True

    @property
    def identity(self) -> Any:
        """Its name in profiles: its actual name, which may differ from its name in the program."""
        return self.object_name

    @property
    def _known_by(self) -> Any:
        return self.identity if self.owned else self.namespace

    def is_among(self, namespaces: list[str], owners: list[str]) -> bool:
        """Say whether a profile names it: what the platform owns by its identity, anything else by its namespace."""
        return self._known_by in (owners if self.owned else namespaces)

    def how_to_allow(self, namespaces: str, owners: str) -> str:
        """Return which setting of a profile would allow it: the one for namespaces, or for what the platform owns."""
        return f'add "{self._known_by}" to {owners if self.owned else namespaces}'

    @property
    def scheme(self) -> Any:
        """Return `internal`, `internet-facing`, or `None` if it is not set."""
        return self.of_balancer("scheme")

    @property
    def schemes(self) -> list[Any]:
        """Return all schemes that it asks for."""
        return [self.scheme]

    @property
    def target_type(self) -> Any:
        """Return `ip`, `instance`, or `None` if it is not set."""
        return self.of_balancer(self.target_type_key)

    def set_target_type(self, value: str) -> Iterator[Edit]:
        """Change the target type."""
        yield self.annotate(self.prefix + self.target_type_key, value)

    @property
    def source_ranges(self) -> list[Any]:
        """Return the networks that may connect; none if they are not set."""
        return []

    @property
    def limits_sources(self) -> bool:
        """Whether prefix lists or its own security groups decide who may connect."""
        return False

    @property
    def web_acl(self) -> Any:
        """Return the web ACL's ARN or name."""
        return None

    @property
    def balancer_name(self) -> Any:
        """Return the load balancer's name in the account."""
        return None

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the load balancer's attributes."""
        return pairs(self.of_balancer("load-balancer-attributes"))

    def attribute(self, name: str) -> Any:
        """Return one of the load balancer's attributes."""
        return self.attributes.get(name)

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the load balancer's attributes."""
        yield self.annotate(f"{self.prefix}load-balancer-attributes", joined({**self.attributes, name: value}))

    @property
    def tls_policies(self) -> list[Any]:
        """Return the security policy of each TLS listener, `None` for the default."""
        return []

    def set_tls_policy(self, value: str) -> Iterator[Edit]:
        """Change the TLS listeners' security policy."""
        yield self.annotate(self.prefix + self.tls_policy_key, value)


class PlatformSettings(Balancer):
    """An object of the platform's whose spec applies to many load balancers."""

    owned = True
    ranges_key = ""
    """The key of its spec with the networks that may connect."""
    source_keys: tuple[str, ...] = ()
    """The keys of its spec with prefix lists, or with its own security groups."""

    @property
    def scheme(self) -> Any:
        """Return the scheme."""
        return dig(self.spec, ["scheme"])

    @property
    def source_ranges(self) -> list[Any]:
        """Return the networks that may connect."""
        return items(dig(self.spec, [self.ranges_key]))

    @property
    def limits_sources(self) -> bool:
        """Whether prefix lists or its own security groups decide who may connect."""
        return any(items(dig(self.spec, [name])) for name in self.source_keys)

    @property
    def balancer_name(self) -> Any:
        """Return the name of its load balancers."""
        return dig(self.spec, ["loadBalancerName"])

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes."""
        given = items(dig(self.spec, ["loadBalancerAttributes"]))
        return {str(dig(one, ["key"])): dig(one, ["value"]) for one in given}

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the attributes."""
        merged = {**self.attributes, name: value}
        yield Edit(("spec", "loadBalancerAttributes"), [{"key": key, "value": text} for key, text in merged.items()])


def either(name: str, *kinds: ObjectKind) -> ObjectKind:
    """Combine kinds whose views answer the same questions."""

    def read(seen: Resource) -> Any:
        return next((view for kind in kinds if (view := kind.view(seen)) is not None), None)

    return ObjectKind(
        name,
        frozenset(pair for kind in kinds for pair in kind.kinds),
        read,
        {token: reader for kind in kinds for token, reader in kind.others.items()},
    )
