"""What a Service or an Ingress tells the controller. Functions of plain values, or of outputs that stand for them.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pulumi import Input, Output

SCHEMES: Final = ("internal", "internet-facing")
NLB_CLASS: Final = "service.k8s.aws/nlb"
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


def nlb_annotations(exposure: Exposure) -> dict[str, Input[str]]:
    """Return the annotations of a Service that an NLB serves.

    With a certificate every listener of the Service is a TLS listener. Source ranges are not among these: the
    Service's own field holds them.
    """
    annotations: dict[str, Input[str]] = {
        "scheme": exposure.scheme,
        "nlb-target-type": "ip",
        "target-group-attributes": _delay(exposure),
        "attributes": _attributes(exposure, {"load_balancing.cross_zone.enabled": "true"}),
    }
    if exposure.health_check_path is not None:
        annotations |= {"healthcheck-protocol": "http", "healthcheck-path": exposure.health_check_path}
    if exposure.certificate_arn is not None:
        annotations |= {"ssl-cert": exposure.certificate_arn, "ssl-negotiation-policy": exposure.tls_policy}
    return {_SERVICE + key: value for key, value in annotations.items()}


def alb_annotations(
    exposure: Exposure,
    inbound_cidrs: Input[Sequence[Input[str]]] | None = None,
    web_acl_arn: Input[str] | None = None,
) -> dict[str, Input[str]]:
    """Return the annotations of an Ingress that an ALB serves.

    With a certificate the ALB listens on 443 and redirects 80 there; without, on 80 alone. It drops header fields with
    invalid names in any case: nothing behind it should have to.
    """
    annotations: dict[str, Input[str]] = {
        "scheme": exposure.scheme,
        "target-type": "ip",
        "target-group-attributes": _delay(exposure),
        "load-balancer-attributes": _attributes(exposure, {"routing.http.drop_invalid_header_fields.enabled": "true"}),
        "listen-ports": json.dumps([{"HTTP": 80}]),
    }
    if exposure.health_check_path is not None:
        annotations["healthcheck-path"] = exposure.health_check_path
    if exposure.certificate_arn is not None:
        annotations |= {
            "listen-ports": json.dumps([{"HTTP": 80}, {"HTTPS": 443}]),
            "ssl-redirect": "443",
            "certificate-arn": exposure.certificate_arn,
            "ssl-policy": exposure.tls_policy,
        }
    if inbound_cidrs is not None:
        annotations["inbound-cidrs"] = cast(Output[Sequence[str]], Output.from_input(inbound_cidrs)).apply(",".join)
    if web_acl_arn is not None:
        annotations["wafv2-acl-arn"] = web_acl_arn
    return {_INGRESS + key: value for key, value in annotations.items()}


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


def _delay(exposure: Exposure) -> str:
    return f"deregistration_delay.timeout_seconds={exposure.deregistration_delay}"


def _attributes(exposure: Exposure, attributes: Mapping[str, str]) -> Input[str]:
    """Return a load balancer's attributes, those that are off too: the controller leaves alone what is not named.

    A protection that was on, and is merely no longer asked for, would stay on.
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#load-balancer-attributes
    """
    known = {
        **attributes,
        "deletion_protection.enabled": str(exposure.deletion_protection).lower(),
    }
    if exposure.access_logs_bucket is None:
        return _joined({**known, "access_logs.s3.enabled": "false"})
    return Output.from_input(exposure.access_logs_bucket).apply(
        lambda bucket: _joined({**known, "access_logs.s3.enabled": "true", "access_logs.s3.bucket": bucket})
    )


def _joined(attributes: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in attributes.items())
