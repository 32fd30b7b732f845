"""What a Service or an Ingress tells the controller. Functions of plain values, or of outputs that stand for them.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from pulumi import Input, Output

from eks_load_balancing.outputs import applied, given

SCHEMES: Final = ("internal", "internet-facing")
ALB_CLASS: Final = "alb"
DEFAULT_TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"""

_SERVICE: Final = "service.beta.kubernetes.io/aws-load-balancer-"
_INGRESS: Final = "alb.ingress.kubernetes.io/"


@dataclass(frozen=True)
class Exposure:
    """How a workload is exposed, whichever load balancer does it."""

    scheme: str
    deregistration_delay: int
    """Seconds that a load balancer gives connections to end after a target is taken out."""
    health_check_path: str | None = None
    """The path to ask for over HTTP; None leaves the load balancer's default."""
    certificate_arn: Input[str] | None = None
    tls_policy: str = DEFAULT_TLS_POLICY
    deletion_protection: bool = False
    access_logs_bucket: Input[str] | None = None
    certificate_arns: Input[Sequence[Input[str]]] = ()
    """More certificates; the first of all is the listener's default."""
    ip_address_type: str | None = None
    subnet_ids: Input[Sequence[Input[str]]] | None = None
    security_group_ids: Input[Sequence[Input[str]]] | None = None
    attributes: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """More attributes of the load balancer, over ours."""
    target_group_attributes: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """More attributes of its target groups, over ours."""
    annotations: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    """More annotations by their whole names, over all others."""

    @property
    def has_certificate(self) -> bool:
        """Whether listeners speak TLS."""
        return self.certificate_arn is not None or given(self.certificate_arns)


@dataclass(frozen=True)
class NetworkOptions:
    """What only an NLB can do."""

    eip_allocation_ids: Input[Sequence[Input[str]]] | None = None
    private_ipv4_addresses: Input[Sequence[Input[str]]] | None = None
    preserve_client_ip: bool | None = None
    proxy_protocol: bool | None = None
    tls_ports: Sequence[int] = ()
    """The listeners that speak TLS where there is a certificate; none stands for all of them."""


def nlb_annotations(exposure: Exposure, options: NetworkOptions | None = None) -> dict[str, Input[str]]:
    """Return the annotations of a Service that an NLB serves.

    With a certificate every listener of the Service is a TLS listener, unless `tls_ports` names some. Source ranges are
    not among these: the Service's own field holds them.
    """
    options = options or NetworkOptions()
    wanted = {
        "preserve_client_ip.enabled": options.preserve_client_ip,
        "proxy_protocol_v2.enabled": options.proxy_protocol,
    }
    known = {key: str(value).lower() for key, value in wanted.items() if value is not None}
    annotations: dict[str, Input[str]] = {
        "scheme": exposure.scheme,
        "nlb-target-type": "ip",
        "target-group-attributes": _target_group_attributes(exposure, known),
        "attributes": _attributes(exposure, {"load_balancing.cross_zone.enabled": "true"}),
        **_placed(exposure),
    }
    if exposure.health_check_path is not None:
        annotations |= {"healthcheck-protocol": "http", "healthcheck-path": exposure.health_check_path}
    if exposure.has_certificate:
        annotations |= {"ssl-cert": _certificates(exposure), "ssl-negotiation-policy": exposure.tls_policy}
        if options.tls_ports:
            annotations["ssl-ports"] = ",".join(map(str, options.tls_ports))
    if options.eip_allocation_ids is not None:
        annotations["eip-allocations"] = applied(",".join, options.eip_allocation_ids)
    if options.private_ipv4_addresses is not None:
        annotations["private-ipv4-addresses"] = applied(",".join, options.private_ipv4_addresses)
    return {**{_SERVICE + key: value for key, value in annotations.items()}, **exposure.annotations}


def alb_annotations(
    exposure: Exposure,
    inbound_cidrs: Input[Sequence[Input[str]]] | None = None,
    web_acl_arn: Input[str] | None = None,
    actions: Mapping[str, Input[str]] | None = None,
) -> dict[str, Input[str]]:
    """Return the annotations of an Ingress that an ALB serves.

    With a certificate the ALB listens on 443 and redirects 80 there; without, on 80 alone. It drops header fields with
    invalid names in any case: nothing behind it should have to.

    Args:
        exposure: how it is exposed.
        inbound_cidrs: ranges that may connect.
        web_acl_arn: a WAF web ACL.
        actions: what listeners and rules do beside that, as `alb_actions` says it.
    """
    annotations: dict[str, Input[str]] = {
        "scheme": exposure.scheme,
        "target-type": "ip",
        "target-group-attributes": _target_group_attributes(exposure, {}),
        "load-balancer-attributes": _attributes(exposure, {"routing.http.drop_invalid_header_fields.enabled": "true"}),
        "listen-ports": json.dumps([{"HTTP": 80}]),
        **_placed(exposure),
    }
    if exposure.health_check_path is not None:
        annotations["healthcheck-path"] = exposure.health_check_path
    if exposure.has_certificate:
        annotations |= {
            "listen-ports": json.dumps([{"HTTP": 80}, {"HTTPS": 443}]),
            "ssl-redirect": "443",
            "certificate-arn": _certificates(exposure),
            "ssl-policy": exposure.tls_policy,
        }
    if inbound_cidrs is not None:
        annotations["inbound-cidrs"] = cast(Output[Sequence[str]], Output.from_input(inbound_cidrs)).apply(",".join)
    if web_acl_arn is not None:
        annotations["wafv2-acl-arn"] = web_acl_arn
    annotations |= actions or {}
    return {**{_INGRESS + key: value for key, value in annotations.items()}, **exposure.annotations}


def _placed(exposure: Exposure) -> dict[str, Input[str]]:
    """Return where a load balancer is, and what its addresses are; both kinds have the same words for it."""
    annotations: dict[str, Input[str]] = {}
    if exposure.ip_address_type is not None:
        annotations["ip-address-type"] = exposure.ip_address_type
    if exposure.subnet_ids is not None:
        annotations["subnets"] = applied(",".join, exposure.subnet_ids)
    if exposure.security_group_ids is not None:
        annotations["security-groups"] = applied(",".join, exposure.security_group_ids)
        # With your own security groups, the controller opens the pods' groups only if this annotation says so.
        annotations["manage-backend-security-group-rules"] = "true"
    return annotations


def _certificates(exposure: Exposure) -> Input[str]:
    first = [] if exposure.certificate_arn is None else [exposure.certificate_arn]
    return applied(lambda known, more: ",".join([*known, *more]), first, exposure.certificate_arns)


def instance_annotations(balancer: str, scheme: str, deregistration_delay: int) -> dict[str, str]:
    """Return the annotations of a Service or Ingress whose load balancer sends to node ports.

    Args:
        balancer: `classic`, `nlb` or `alb`.
        scheme: one of `SCHEMES`.
        deregistration_delay: seconds that connections have to end after a node is taken out.
    """
    delay = f"deregistration_delay.timeout_seconds={deregistration_delay}"
    if balancer == "alb":
        return {
            f"{_INGRESS}scheme": scheme,
            f"{_INGRESS}target-type": "instance",
            f"{_INGRESS}target-group-attributes": delay,
        }
    if balancer == "nlb":
        return {
            f"{_SERVICE}scheme": scheme,
            f"{_SERVICE}nlb-target-type": "instance",
            f"{_SERVICE}target-group-attributes": delay,
        }
    # The cloud controller's own words: https://cloud-provider-aws.sigs.k8s.io/service_controller/
    draining = {
        f"{_SERVICE}connection-draining-enabled": str(deregistration_delay > 0).lower(),
        **({f"{_SERVICE}connection-draining-timeout": str(deregistration_delay)} if deregistration_delay else {}),
    }
    return draining if scheme == "internet-facing" else {f"{_SERVICE}internal": "true", **draining}


def _target_group_attributes(exposure: Exposure, attributes: Mapping[str, str]) -> Input[str]:
    delay = {"deregistration_delay.timeout_seconds": str(exposure.deregistration_delay)}
    return applied(_joined, {**delay, **attributes, **exposure.target_group_attributes})


def _attributes(exposure: Exposure, attributes: Mapping[str, str]) -> Input[str]:
    """Return a load balancer's attributes, those that are off too: the controller leaves alone what is not named.

    A protection that was on, and is merely no longer asked for, would stay on.
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#load-balancer-attributes
    """
    bucket = exposure.access_logs_bucket
    known: dict[str, Input[str]] = {
        **attributes,
        "deletion_protection.enabled": str(exposure.deletion_protection).lower(),
        "access_logs.s3.enabled": str(bucket is not None).lower(),
        **({} if bucket is None else {"access_logs.s3.bucket": bucket}),
        **exposure.attributes,
    }
    return applied(_joined, known)


def _joined(attributes: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in attributes.items())
