"""TLS on load balancers, and nothing without it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from kinds import balancers as lb
from kinds.aws import LISTENER
from kinds.balancers import CLASSES, left_to_class
from kinds.owners import BALANCER
from pack.controls import cis, guide, hub
from pack.properties import Edit
from pack.registry import HIGH, Messages, View, rule, text, texts

_TLS_POLICIES = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"


@rule(
    "load-balancer-tls-is-1-2-or-later",
    on=BALANCER,
    demand="TLS listeners speak TLS 1.2 or later.",
    instead="Set ssl-policy (of a Service: ssl-negotiation-policy) to ELBSecurityPolicy-TLS13-1-2-2021-06",
    source=_TLS_POLICIES,
    severity=HIGH,
    controls=[hub("ELB.17"), cis("5.4.5"), guide("security/network", "Use encryption with AWS Elastic load balancers")],
    policies=texts(
        [
            "ELBSecurityPolicy-TLS13-1-2-*",
            "ELBSecurityPolicy-TLS13-1-3-*",
            "ELBSecurityPolicy-TLS-1-2-*",
            "ELBSecurityPolicy-FS-1-2-*",
        ],
        "patterns of the security policies allowed",
    ),
    replacement=text("ELBSecurityPolicy-TLS13-1-2-2021-06", "the policy that a remediation sets"),
    classes_with_params=CLASSES,
)
def load_balancer_tls_is_1_2_or_later(
    balancer: Any, *, policies: list[str], replacement: str, classes_with_params: list[str]
) -> Messages:
    """The controller's default, ELBSecurityPolicy-2016-08, still speaks TLS 1.0."""
    del replacement
    for policy in balancer.tls_policies:
        if policy is None and not left_to_class(balancer, classes_with_params):
            yield f"{balancer.title} leaves the TLS policy at ELBSecurityPolicy-2016-08"
        elif policy is not None and not _any_fits(policy, policies):
            yield f"{balancer.title} has the TLS policy {policy}"


@load_balancer_tls_is_1_2_or_later.remedy
def _fix_load_balancer_tls_is_1_2_or_later(
    balancer: Any, *, policies: list[str], replacement: str, classes_with_params: list[str]
) -> Iterable[Edit]:
    del policies, classes_with_params
    yield from balancer.set_tls_policy(replacement)


def _any_fits(policy: Any, patterns: list[str]) -> bool:
    return any(fnmatchcase(str(policy), pattern) for pattern in patterns)


@rule(
    "listener-tls-is-1-2-or-later",
    on=LISTENER,
    demand="TLS listeners that the program makes itself speak TLS 1.2 or later.",
    instead="Set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06",
    source=_TLS_POLICIES,
    severity=HIGH,
    controls=[hub("ELB.17")],
    policies=texts(
        ["ELBSecurityPolicy-TLS13-1-2-*", "ELBSecurityPolicy-TLS13-1-3-*", "ELBSecurityPolicy-TLS-1-2-*"],
        "patterns of the security policies allowed",
    ),
    replacement=text("ELBSecurityPolicy-TLS13-1-2-2021-06", "the policy that a remediation sets"),
)
def listener_tls_is_1_2_or_later(listener: View, *, policies: list[str], replacement: str) -> Messages:
    """The API's default for a listener is a policy that still speaks TLS 1.0."""
    del replacement
    if listener.protocol in ("HTTPS", "TLS") and not _any_fits(listener.tls_policy, policies):
        yield f"the listener has the TLS policy {listener.tls_policy or 'that is the default'}"


@listener_tls_is_1_2_or_later.remedy
def _fix_listener_tls_is_1_2_or_later(listener: View, *, policies: list[str], replacement: str) -> Iterable[Edit]:
    del policies
    yield listener.put("tls_policy", replacement)


@rule(
    "alb-redirects-http-to-https",
    on=lb.INGRESS,
    demand="An ALB answers HTTP with a redirect to HTTPS only.",
    instead="Give certificate-arn, listen-ports with HTTPS, and ssl-redirect with the HTTPS port",
    source="https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/tasks/ssl_redirect/",
    severity=HIGH,
    controls=[hub("ELB.1"), hub("ELB.18"), cis("5.4.5")],
    plain_namespaces=texts([], "namespaces whose Ingresses may serve plain HTTP"),
    classes_with_params=CLASSES,
)
def alb_redirects_http_to_https(
    ingress: Any, *, plain_namespaces: list[str], classes_with_params: list[str]
) -> Messages:
    """What a browser asks by HTTP, cookies included, is readable and changeable on its way."""
    if ingress.namespace in plain_namespaces or left_to_class(ingress, classes_with_params):
        return
    plain = [port for protocol, port in ingress.listeners if protocol == "HTTP"]
    if plain and ingress.of_balancer("ssl-redirect") is None:
        yield f"{ingress.title} serves plain HTTP on port {plain[0]:g}"
