"""What protects a load balancer: a web ACL, logs, and attributes that are off by default."""

from collections.abc import Callable, Iterable
from typing import Any

from kinds.aws import WEB_ACL_ASSOCIATION
from kinds.balancers import ACCESS_LOGS, DELETION_PROTECTION, DESYNC_MODE, DROP_HEADERS, PUBLIC, WAF_FAIL_OPEN, either
from kinds.every_balancer import BALANCER, OWN
from kinds.gateways import GATEWAY_BALANCER, GATEWAY_CONFIGURATION
from kinds.ingresses import CLASS_PARAMS, INGRESS
from pack.controls import ALB_ANNOTATIONS, hub
from pack.properties import Edit
from pack.registry import MEDIUM, Finding, Messages, Rule, Stack, rule, texts
from pack.values import truth, unknown

_ATTRIBUTES = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html"


@rule(
    on=either("ALB of an Ingress or Gateway", INGRESS, CLASS_PARAMS, GATEWAY_BALANCER, GATEWAY_CONFIGURATION),
    instead="Set wafv2-acl-arn or wafv2-acl-name (IngressClassParams: wafv2AclArn; "
    "LoadBalancerConfiguration: wafV2.webACL)",
    source=f"{ALB_ANNOTATIONS}#wafv2-acl-arn",
    severity=MEDIUM,
    controls=[hub("ELB.16")],
    exempt_namespaces=texts([], "namespaces whose public ALBs may go without"),
    exempt_owners=texts(
        [], "IngressClassParams by metadata.name and LoadBalancerConfigurations by NAMESPACE/NAME that may"
    ),
)
def public_alb_has_a_web_acl(balancer: Any, *, exempt_namespaces: list[str], exempt_owners: list[str]) -> Messages:
    """An internet-facing ALB has a web ACL (WAF).

    The ALB sees a whole request first, and can refuse it before a pod handles it.
    """
    if not balancer.application or balancer.scheme != PUBLIC:
        return
    if balancer.is_among(exempt_namespaces, exempt_owners):
        return
    if balancer.web_acl is None and balancer.speaks_alone:
        allowed_by = balancer.how_to_allow("exemptNamespaces", "exemptOwners")
        yield Finding(f"{balancer.title} faces the internet without a web ACL", allowed_by)


@rule(
    on=OWN,
    instead="Associate a web ACL with its ARN (aws.wafv2.WebAclAssociation)",
    severity=MEDIUM,
    controls=[hub("ELB.16")],
    exempt_names=texts([], "names in AWS of load balancers that may go without"),
)
def own_public_alb_has_a_web_acl(balancer: Any, stack: Stack, *, exempt_names: list[str]) -> Messages:
    """An ALB on the internet that the program makes itself is associated with a web ACL (WAF).

    The ALB sees a whole request first, and can refuse it before a pod handles it.
    """
    if not balancer.application or balancer.scheme != PUBLIC or balancer.identity in exempt_names:
        return
    links = stack.of(WEB_ACL_ASSOCIATION)
    if any(balancer in stack.named(link, "balancer", OWN, _arn) for link in links):
        return
    if any(unknown(link.balancer) and not stack.sources(link, "balancer", OWN) for link in links):
        return
    if links and unknown(balancer.own.arn):
        return
    yield f"{balancer.title} faces the internet without a web ACL"


def _arn(balancer: Any) -> Any:
    return balancer.own.arn


def _attribute_rule(
    name: str,
    attribute: str,
    demand: str,
    why: str,
    *,
    fits: Callable[[Any], bool] = lambda value: truth(value) is True,
    wanted: str = "true",
    by_default: bool = False,
    application_only: bool = False,
    **about: Any,
) -> Rule:
    """Register a rule that requires a value of a load balancer attribute; `by_default`: the default satisfies it."""

    def is_asked(balancer: Any) -> bool:
        able = balancer.keeps_logs or attribute != ACCESS_LOGS
        return able and (balancer.application or balancer.owned or not application_only)

    def check(balancer: Any, *, exempt_namespaces: list[str], exempt_owners: list[str]) -> Messages:
        if not is_asked(balancer) or balancer.is_among(exempt_namespaces, exempt_owners):
            return
        if balancer.governed(attribute):
            return
        value = balancer.attribute(attribute)
        if unknown(value) or (value is not None and fits(value)):
            return
        allowed_by = balancer.how_to_allow("exemptNamespaces", "exemptOwners")
        if value is not None:
            yield Finding(f"{balancer.title} sets {attribute}={str(value).lower()}", allowed_by)
        elif not by_default and balancer.speaks_alone and (balancer.application or not application_only):
            yield Finding(f"{balancer.title} does not set {attribute}={wanted}", allowed_by)

    check.__name__ = name.replace("-", "_")
    check.__doc__ = f"{demand}\n\n{why}"
    check.__module__ = __name__
    return rule(
        on=BALANCER,
        severity=MEDIUM,
        exempt_namespaces=texts([], "namespaces whose load balancers may go without"),
        exempt_owners=texts(
            [],
            "what else may: IngressClassParams by metadata.name, LoadBalancerConfigurations by NAMESPACE/NAME, "
            "the program's own load balancers by their name in AWS",
        ),
        **about,
    )(check)


def _setting(attribute: str, value: str = "true") -> Callable[..., Iterable[Edit]]:
    def remedy(balancer: Any, **_: Any) -> Iterable[Edit]:
        yield from balancer.set_attribute(attribute, value)

    return remedy


_attribute_rule(
    "load-balancer-writes-access-logs",
    ACCESS_LOGS,
    "Load balancers write access logs.",
    "Nothing else records requests that never reached a pod. There is no remediation, because the logs need a bucket.",
    instead="Add access_logs.s3.enabled=true, access_logs.s3.bucket=... to the load balancer's attributes",
    controls=[hub("ELB.5")],
)


_attribute_rule(
    "load-balancer-is-protected-from-deletion",
    DELETION_PROTECTION,
    "Load balancers cannot be deleted by one call.",
    "A new load balancer has another host name, so everything that points to the old one stays broken.",
    instead="Add deletion_protection.enabled=true to the load balancer's attributes",
    controls=[hub("ELB.6")],
).remedy(_setting(DELETION_PROTECTION))


_attribute_rule(
    "alb-drops-invalid-headers",
    DROP_HEADERS,
    "ALBs drop headers that are not valid.",
    "Request smuggling uses headers that two servers read differently.",
    instead="Add routing.http.drop_invalid_header_fields.enabled=true to the load balancer's attributes",
    controls=[hub("ELB.4")],
    application_only=True,
).remedy(_setting(DROP_HEADERS))


_attribute_rule(
    "alb-does-not-only-monitor-desync",
    DESYNC_MODE,
    "ALBs act on requests that two servers may read differently.",
    "In the mode monitor the load balancer passes such requests on and only counts them. Left out, the mode is "
    "defensive.",
    fits=lambda value: value in ("defensive", "strictest"),
    wanted="defensive",
    by_default=True,
    instead="Set routing.http.desync_mitigation_mode to defensive or strictest (desyncMitigationMode), or leave it out",
    controls=[hub("ELB.12")],
    application_only=True,
).remedy(_setting(DESYNC_MODE, "defensive"))


_attribute_rule(
    "alb-waf-fails-closed",
    WAF_FAIL_OPEN,
    "ALBs refuse requests that the web ACL could not look at.",
    "With fail-open every request passes while WAF does not answer, and an attacker may be able to cause that.",
    fits=lambda value: truth(value) is not True,
    wanted="false",
    by_default=True,
    instead="Set waf.fail_open.enabled to false (enableWafFailOpen), or leave it out",
    source=_ATTRIBUTES,
    controls=[hub("ELB.16")],
    application_only=True,
).remedy(_setting(WAF_FAIL_OPEN, "false"))
