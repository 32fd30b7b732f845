"""Every annotation of the controller: one table, and the reading of values.

The table says what this stand-in does with each (`acts`); what it does not act on is reported on the object, never
passed over. `docs` makes the documentation from it. Values are read as the real controller reads them (Go's rules for
booleans and integers; `k=v` lists where a comma or backslash can be escaped).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.controller.model.schema import Shape, shaped

ALB = "alb.ingress.kubernetes.io"
NLB = "service.beta.kubernetes.io"
INGRESS_CLASS = "kubernetes.io/ingress.class"
_GUIDE = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/v3.5/guide"
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INTEGER = re.compile(r"[+-]?[0-9]+")


class AnnotationError(ValueError):
    """An annotation whose value cannot be read."""


@dataclass(frozen=True)
class Annotation:
    """One annotation.

    Attributes:
        suffix: what follows the prefix; ends with `.` where a name follows (`actions.NAME`).
        on: the kinds that carry it.
        value: the kind of its value.
        effect: what it does here, one line.
        acts: whether this stand-in acts on it.
    """

    prefix: str
    suffix: str
    on: tuple[str, ...]
    value: str
    effect: str
    acts: bool = True

    @property
    def key(self) -> str:
        """The whole key (a family's with its dot)."""
        return f"{self.prefix}/{self.suffix}"

    @property
    def link(self) -> str:
        """Where the real controller documents it."""
        anchor = self.suffix.removeprefix("aws-load-balancer-").rstrip(".")
        return f"{_GUIDE}/{'ingress' if self.prefix == ALB else 'service'}/annotations/#{anchor}"

    def matches(self, key: str) -> bool:
        """Whether an object's annotation key is this one, or of this family."""
        return key.startswith(self.key) if self.suffix.endswith(".") else key == self.key


def _alb(suffix: str, value: str, effect: str, *, service: bool = False, acts: bool = True) -> Annotation:
    return Annotation(ALB, suffix, ("Ingress", "Service") if service else ("Ingress",), value, effect, acts)


def _nlb(suffix: str, value: str, effect: str, *, acts: bool = True) -> Annotation:
    return Annotation(NLB, suffix, ("Service",), value, effect, acts)


TABLE: tuple[Annotation, ...] = (
    _alb("load-balancer-name", "string", "Name of the load balancer, at most 32 characters."),
    _alb("group.name", "string", "Ingresses with one group name share one load balancer."),
    _alb("group.order", "integer", "Place among the group's Ingresses, -1000 to 1000; lower rules come first."),
    _alb("tags", "stringMap", "Tags for everything made; a Service's are its target groups'.", service=True),
    _alb("ip-address-type", "string", "ipv4, dualstack or dualstack-without-public-ipv4."),
    _alb("scheme", "string", "internal or internet-facing."),
    _alb("subnets", "stringList", "Ids or Name tags of the load balancer's subnets."),
    _alb("security-groups", "stringList", "Ids or Name tags of its security groups, instead of a made one."),
    _alb("manage-backend-security-group-rules", "boolean", "With given security groups: also rules at the targets."),
    _alb("customer-owned-ipv4-pool", "string", "Pool of customer-owned addresses (Outposts)."),
    _alb("load-balancer-attributes", "stringMap", "Load balancer attributes; deletion_protection.enabled guards it."),
    _alb("wafv2-acl-arn", "string", "Associates the WAFv2 web ACL; none removes it."),
    _alb("wafv2-acl-name", "string", "The same by the web ACL's name."),
    _alb("waf-acl-id", "string", "WAF Classic web ACL.", acts=False),
    _alb("web-acl-id", "string", "WAF Classic web ACL (old name).", acts=False),
    _alb("shield-advanced-protection", "boolean", "Shield Advanced.", acts=False),
    _alb("listen-ports", "json", 'Listeners: [{"HTTP": 80}, {"HTTPS": 443}].'),
    _alb("ssl-redirect", "integer", "HTTP listeners redirect to this HTTPS port."),
    _alb("inbound-cidrs", "stringList", "Who may connect, as rules of the made security group."),
    _alb("security-group-prefix-lists", "stringList", "The same by managed prefix lists."),
    _alb("certificate-arn", "stringList", "Certificates; the first is the default. Else found in ACM by host."),
    _alb("ssl-policy", "string", "TLS policy of HTTPS listeners."),
    _alb("target-type", "string", "instance or ip.", service=True),
    _alb("backend-protocol", "string", "HTTP or HTTPS.", service=True),
    _alb("backend-protocol-version", "string", "HTTP1, HTTP2 or GRPC.", service=True),
    _alb("target-group-attributes", "stringMap", "Target group attributes.", service=True),
    _alb("healthcheck-port", "string", "Port, a Service port's name, or traffic-port.", service=True),
    _alb("healthcheck-protocol", "string", "HTTP or HTTPS.", service=True),
    _alb("healthcheck-path", "string", "Path of the health check.", service=True),
    _alb("healthcheck-interval-seconds", "integer", "Seconds between health checks.", service=True),
    _alb("healthcheck-timeout-seconds", "integer", "Seconds until a health check fails.", service=True),
    _alb("healthy-threshold-count", "integer", "Successes until healthy.", service=True),
    _alb("unhealthy-threshold-count", "integer", "Failures until unhealthy.", service=True),
    _alb("success-codes", "string", "HTTP or gRPC codes that count as healthy.", service=True),
    _alb("auth-type", "string", "none, oidc or cognito (HTTPS listeners).", service=True),
    _alb("auth-idp-cognito", "json", "The Cognito user pool.", service=True),
    _alb(
        "auth-idp-oidc", "json", "The OIDC provider; client id and secret come from the Secret it names.", service=True
    ),
    _alb("auth-on-unauthenticated-request", "string", "authenticate, allow or deny.", service=True),
    _alb("auth-scope", "string", "Claims to ask for.", service=True),
    _alb("auth-session-cookie", "string", "Name of the session cookie.", service=True),
    _alb("auth-session-timeout", "integer", "Seconds a session lasts.", service=True),
    _alb("jwt-validation", "json", "Validates JSON web tokens (HTTPS listeners)."),
    _alb("actions.", "json", "An action that a backend with port use-annotation names."),
    _alb("transforms.", "json", "Rewrites of host header and URL for a backend's rules."),
    _alb("conditions.", "json", "More conditions for a backend's rules."),
    _alb("use-regex-path-match", "boolean", "ImplementationSpecific paths are regular expressions."),
    _alb("target-node-labels", "stringMap", "Nodes that become instance targets.", service=True),
    _alb("mutual-authentication", "json", "mTLS by port."),
    _alb("multi-cluster-target-group", "boolean", "The target group is shared with other clusters.", service=True),
    _alb("listener-attributes.", "stringMap", "Attributes of the listener PROTOCOL-PORT."),
    _alb("minimum-load-balancer-capacity", "stringMap", "Reserved capacity.", acts=False),
    _alb("ipam-ipv4-pool-id", "string", "IPAM pool of the load balancer's addresses.", acts=False),
    _alb("target-control-port.", "integer", "Port of the target control agent.", acts=False),
    _alb("create-acm-cert", "boolean", "Certificates made by the controller.", acts=False),
    _alb("acm-pca-arn", "string", "Private CA of such certificates.", acts=False),
    _alb("dry-run-plan", "json", "Written by the real controller, never read.", acts=False),
    _alb("enable-frontend-nlb", "boolean", "A network load balancer before the ALB.", acts=False),
    *(
        _alb(f"frontend-nlb-{part}", "string", "Setting of that network load balancer.", acts=False)
        for part in (
            *("scheme", "subnets", "security-groups", "listener-port-mapping", "eip-allocations", "attributes", "tags"),
            *("healthcheck-port", "healthcheck-protocol", "healthcheck-path", "healthcheck-interval-seconds"),
            *("healthcheck-timeout-seconds", "healthcheck-healthy-threshold-count"),
            *("healthcheck-unhealthy-threshold-count", "healthcheck-success-codes"),
        )
    ),
    _nlb("load-balancer-source-ranges", "stringList", "Who may connect; spec.loadBalancerSourceRanges goes first."),
    _nlb("aws-load-balancer-type", "string", "external (with nlb-target-type) or nlb-ip make the Service ours."),
    _nlb("aws-load-balancer-nlb-target-type", "string", "ip or instance."),
    _nlb("aws-load-balancer-name", "string", "Name of the load balancer, at most 32 characters."),
    _nlb("aws-load-balancer-scheme", "string", "internal or internet-facing."),
    _nlb("aws-load-balancer-internal", "boolean", "The same, old: true is internal."),
    _nlb("aws-load-balancer-proxy-protocol", "string", "*: proxy protocol v2 on every target group."),
    _nlb("aws-load-balancer-proxy-protocol-per-target-group", "string", "Ports whose target groups have it."),
    _nlb("aws-load-balancer-ip-address-type", "string", "ipv4 or dualstack."),
    _nlb("aws-load-balancer-access-log-enabled", "boolean", "Access logs, old way."),
    _nlb("aws-load-balancer-access-log-s3-bucket-name", "string", "Their bucket."),
    _nlb("aws-load-balancer-access-log-s3-bucket-prefix", "string", "Their prefix."),
    _nlb("aws-load-balancer-cross-zone-load-balancing-enabled", "boolean", "Cross-zone load balancing, old way."),
    _nlb("aws-load-balancer-ssl-cert", "stringList", "Certificates of TLS listeners; the first is the default."),
    _nlb("aws-load-balancer-ssl-ports", "stringList", "Ports (numbers or names) with TLS; all where not given."),
    _nlb("aws-load-balancer-ssl-negotiation-policy", "string", "TLS policy."),
    _nlb("aws-load-balancer-backend-protocol", "string", "ssl: TLS to the targets too."),
    _nlb("aws-load-balancer-additional-resource-tags", "stringMap", "Tags for everything made."),
    _nlb("aws-load-balancer-healthcheck-healthy-threshold", "integer", "Successes until healthy."),
    _nlb("aws-load-balancer-healthcheck-unhealthy-threshold", "integer", "Failures until unhealthy."),
    _nlb("aws-load-balancer-healthcheck-timeout", "integer", "Seconds until a health check fails."),
    _nlb("aws-load-balancer-healthcheck-interval", "integer", "Seconds between health checks."),
    _nlb("aws-load-balancer-healthcheck-protocol", "string", "TCP, HTTP or HTTPS."),
    _nlb("aws-load-balancer-healthcheck-port", "string", "Port, a Service port's name, or traffic-port."),
    _nlb("aws-load-balancer-healthcheck-path", "string", "Path of an HTTP health check."),
    _nlb("aws-load-balancer-healthcheck-success-codes", "string", "Codes that count as healthy."),
    _nlb("aws-load-balancer-target-group-attributes", "stringMap", "Target group attributes."),
    _nlb("aws-load-balancer-target-group-attributes.", "stringMap", "The same for one port, on top."),
    _nlb("aws-load-balancer-subnets", "stringList", "Ids or Name tags of the load balancer's subnets."),
    _nlb("aws-load-balancer-eip-allocations", "stringList", "Elastic addresses, one a subnet (internet-facing)."),
    _nlb("aws-load-balancer-private-ipv4-addresses", "stringList", "Addresses, one a subnet (internal)."),
    _nlb("aws-load-balancer-ipv6-addresses", "stringList", "IPv6 addresses, one a subnet (dualstack)."),
    _nlb("aws-load-balancer-alpn-policy", "string", "ALPN policy of TLS listeners."),
    _nlb("aws-load-balancer-target-node-labels", "stringMap", "Nodes that become instance targets."),
    _nlb("aws-load-balancer-attributes", "stringMap", "Load balancer attributes."),
    _nlb("aws-load-balancer-security-groups", "stringList", "Security groups, instead of a made one."),
    _nlb("aws-load-balancer-manage-backend-security-group-rules", "boolean", "With those: also rules at the targets."),
    _nlb("aws-load-balancer-inbound-sg-rules-on-private-link-traffic", "string", "on or off."),
    _nlb("aws-load-balancer-security-group-prefix-lists", "stringList", "Who may connect, by prefix lists."),
    _nlb("aws-load-balancer-listener-attributes.", "stringMap", "Attributes of the listener PROTOCOL-PORT."),
    _nlb("aws-load-balancer-multi-cluster-target-group", "boolean", "The target group is shared with other clusters."),
    _nlb("aws-load-balancer-enable-prefix-for-ipv6-source-nat", "string", "IPv6 source NAT.", acts=False),
    _nlb("aws-load-balancer-source-nat-ipv6-prefixes", "stringList", "Its prefixes.", acts=False),
    _nlb("aws-load-balancer-minimum-load-balancer-capacity", "stringMap", "Reserved capacity.", acts=False),
    _nlb("aws-load-balancer-enable-icmp-for-path-mtu-discovery", "string", "on: ICMP rules for path MTU discovery."),
    _nlb("aws-load-balancer-enable-tcp-udp-listener", "boolean", "One TCP_UDP listener for a port of both protocols."),
    _nlb("aws-load-balancer-disable-nlb-sg", "boolean", "A load balancer without security groups."),
    _nlb("aws-load-balancer-quic-enabled-ports", "stringList", "QUIC.", acts=False),
    _nlb("aws-load-balancer-quic-enabled-containers", "string", "QUIC.", acts=False),
    _nlb("actions.", "json", "Weighted forwarding of the listener PROTOCOL-PORT."),
)


def not_acted_on(kind: str, annotations: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The annotations of an object that look like the controller's but change nothing here.

    Args:
        kind: `Ingress` or `Service`.
        annotations: the object's.

    Yields:
        Key, and why it changes nothing.
    """
    for key in sorted(annotations):
        if not key.startswith((f"{ALB}/", f"{NLB}/aws-load-balancer-")):
            continue
        known = next((a for a in TABLE if a.matches(key)), None)
        if known is None:
            yield key, "the controller knows no such annotation"
        elif kind not in known.on:
            yield key, f"it belongs on {' or '.join(known.on)}, not on {kind}"
        elif not known.acts:
            yield key, "this stand-in does not act on it"


def as_boolean(text: str) -> bool | None:
    """A text as a boolean, None for one that is none."""
    return text in _TRUE if text in _TRUE | _FALSE else None


class Reader:
    """Typed reading of one object's annotations under one prefix."""

    def __init__(self, prefix: str, *layers: Mapping[str, str] | None) -> None:
        """Read `layers`, of which the first that has a key wins."""
        self._prefix = prefix
        self._layers = [layer for layer in layers if layer]

    def text(self, suffix: str) -> str | None:
        """The value as it is; None where there is none."""
        key = f"{self._prefix}/{suffix}"
        return next((layer[key] for layer in self._layers if key in layer), None)

    def boolean(self, suffix: str) -> bool | None:
        """A boolean; raises AnnotationError for anything else."""
        text = self.text(suffix)
        if text is None:
            return None
        value = as_boolean(text)
        if value is None:
            raise self._error("bool", suffix, f'{text}: strconv.ParseBool: parsing "{text}": invalid syntax')
        return value

    def integer(self, suffix: str, *, bits: int = 32) -> int | None:
        """A signed integer of so many bits; raises AnnotationError for anything else."""
        text = self.text(suffix)
        if text is None:
            return None
        most = 2 ** (bits - 1)
        problem = "invalid syntax" if not _INTEGER.fullmatch(text) else "value out of range"
        if problem == "invalid syntax" or not -most <= int(text) < most:
            raise self._error(f"int{bits}", suffix, f'{text}: strconv.ParseInt: parsing "{text}": {problem}')
        return int(text)

    def strings(self, suffix: str) -> list[str] | None:
        """A list of strings: split at commas, trimmed, empty ones left out."""
        text = self.text(suffix)
        return None if text is None else [part for raw in text.split(",") if (part := raw.strip())]

    def mapping(self, suffix: str) -> dict[str, str] | None:
        """`k1=v1,k2=v2`; a backslash takes the next character as it is; raises AnnotationError for anything else."""
        text = self.text(suffix)
        if text is None:
            return None
        pairs: dict[str, str] = {}
        for part in _split_pairs(text):
            key, equals, value = part.partition("=")
            if not equals or not key.strip():
                raise self._error("stringMap", suffix, text)
            pairs[key.strip()] = value.strip()
        return pairs

    def json(self, suffix: str, shape: Shape) -> Any:
        """A JSON document in a shape of `model.schema`, None where there is none; else raises AnnotationError."""
        text = self.text(suffix)
        if text is None:
            return None
        try:
            value = json.loads(text)
            return None if value is None else shaped(value, shape)
        except ValueError as error:
            raise self._error("json", suffix, f"{text}: {error}") from error

    def _error(self, kind: str, suffix: str, text: str) -> AnnotationError:
        return AnnotationError(f"failed to parse {kind} annotation, {self._prefix}/{suffix}: {text}")


def _split_pairs(text: str) -> Sequence[str]:
    """Split at the commas that begin a new `k=v`; a trailing comma belongs to the value before it."""
    parts: list[str] = []
    current = ""
    i = 0
    while i < len(text):
        rest = text[i + 1 :].strip()
        if text[i] == "\\" and i + 1 < len(text):
            current += text[i + 1]
            i += 1
        elif text[i] == "," and "=" in rest:
            parts.append(current.strip())
            current = ""
        elif text[i] == "," and rest:
            return [*parts, current.strip(), rest]
        else:
            current += text[i]
        i += 1
    return [*parts, current.strip()] if current else parts
