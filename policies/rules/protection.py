"""What protects a load balancer: a web ACL, logs, and attributes that are off unless asked for."""

from collections.abc import Callable, Iterable
from typing import Any

from kinds import balancers as lb
from kinds.balancers import CLASSES, left_to_class
from kinds.owners import BALANCER, CLASS_PARAMS
from pack.controls import hub
from pack.properties import Edit
from pack.registry import MEDIUM, Messages, Rule, rule, texts
from pack.values import truth, unknown

_ALB_ANNOTATIONS = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/"


@rule(
    "public-alb-has-a-web-acl",
    on=lb.either("Ingress of an ALB, or its IngressClassParams", lb.INGRESS, CLASS_PARAMS),
    demand="An ALB on the internet stands behind a web ACL (WAF).",
    instead="Set wafv2-acl-arn or wafv2-acl-name (in IngressClassParams: wafv2AclArn)",
    source=f"{_ALB_ANNOTATIONS}#wafv2-acl-arn",
    severity=MEDIUM,
    controls=[hub("ELB.16")],
    exempt_namespaces=texts([], "namespaces whose public ALBs may go without"),
    classes_with_params=CLASSES,
)
def public_alb_has_a_web_acl(ingress: Any, *, exempt_namespaces: list[str], classes_with_params: list[str]) -> Messages:
    """The ALB is the first that sees a request whole; there it can be refused before a pod works on it."""
    if ingress.scheme != lb.PUBLIC or ingress.namespace in exempt_namespaces:
        return
    left = not ingress.decides_for_others and left_to_class(ingress, classes_with_params)
    if ingress.web_acl is None and not left:
        yield f"{ingress.title} faces the internet without a web ACL"


def _attribute_rule(
    name: str, attribute: str, demand: str, source: str, why: str, *, application_only: bool = False, **about: Any
) -> Rule:
    """Register a rule that demands one attribute of load balancers."""

    def demanded(balancer: Any, classes: list[str], namespaces: list[str]) -> bool:
        if application_only and not balancer.application:
            return False
        left = left_to_class(balancer, classes) and attribute not in balancer.attributes
        return not left and balancer.namespace not in namespaces

    def check(balancer: Any, *, classes_with_params: list[str], exempt_namespaces: list[str]) -> Messages:
        if demanded(balancer, classes_with_params, exempt_namespaces):
            value = balancer.attributes.get(attribute)
            if not truth(value) and not unknown(value):
                yield f"{balancer.title} does not set {attribute}=true"

    check.__name__ = name.replace("-", "_")
    check.__doc__ = why
    check.__module__ = __name__
    return rule(
        name,
        on=BALANCER,
        demand=demand,
        source=source,
        classes_with_params=CLASSES,
        exempt_namespaces=texts([], "namespaces whose load balancers may go without"),
        **about,
    )(check)


def _setting(attribute: str) -> Callable[..., Iterable[Edit]]:
    def remedy(balancer: Any, **_: Any) -> Iterable[Edit]:
        yield from balancer.set_attribute(attribute, "true")

    return remedy


_attribute_rule(
    "load-balancer-writes-access-logs",
    lb.ACCESS_LOGS,
    "Load balancers write access logs.",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-5",
    "Who asked for what is seen nowhere else, least of all what never reached a pod. There is no remediation: the logs "
    "need a bucket.",
    instead="Add access_logs.s3.enabled=true, access_logs.s3.bucket=... to the load balancer's attributes",
    severity=MEDIUM,
    controls=[hub("ELB.5")],
)


_attribute_rule(
    "load-balancer-is-protected-from-deletion",
    lb.DELETION_PROTECTION,
    "Load balancers cannot be deleted by one call.",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-6",
    "A new load balancer has another host name: whatever points to the old one stays broken until somebody changes it.",
    instead="Add deletion_protection.enabled=true to the load balancer's attributes",
    severity=MEDIUM,
    controls=[hub("ELB.6")],
).remedy(_setting(lb.DELETION_PROTECTION))


_attribute_rule(
    "alb-drops-invalid-headers",
    lb.DROP_HEADERS,
    "ALBs drop headers that are not valid.",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-4",
    "What two servers read differently in one header is how requests are smuggled past the first.",
    instead="Add routing.http.drop_invalid_header_fields.enabled=true to the load balancer's attributes",
    severity=MEDIUM,
    controls=[hub("ELB.4")],
    application_only=True,
).remedy(_setting(lb.DROP_HEADERS))
