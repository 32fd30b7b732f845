"""TLS on load balancers, and no traffic without it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from kinds.aws import LISTENER
from kinds.every_balancer import BALANCER
from kinds.gateways import GATEWAY_BALANCER, HTTP_ROUTE
from kinds.ingresses import INGRESS
from pack.controls import CONTROLLER_DOCS, cis, guide, hub
from pack.properties import Edit
from pack.registry import Messages, Setting, View, numbers, rule, text, texts
from pack.values import Later, dig, items, unknown

_TLS_POLICIES = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"
_POLICIES: Final[Setting] = texts(
    [
        "ELBSecurityPolicy-TLS13-1-2-*",
        "ELBSecurityPolicy-TLS13-1-3-*",
        "ELBSecurityPolicy-TLS-1-2-*",
        "ELBSecurityPolicy-FS-1-2-*",
    ],
    "patterns of the security policies allowed",
)
_REPLACEMENT: Final[Setting] = text(
    "ELBSecurityPolicy-TLS13-1-2-2021-06", "the policy that a remediation sets", allows=False
)


@rule(
    on=BALANCER,
    instead="Set ssl-policy (Service: ssl-negotiation-policy; IngressClassParams, Gateway configuration: sslPolicy) "
    "to ELBSecurityPolicy-TLS13-1-2-2021-06",
    source=_TLS_POLICIES,
    controls=[hub("ELB.17"), cis("5.4.5"), guide("security/network", "Use encryption with AWS Elastic load balancers")],
    policies=_POLICIES,
    replacement=_REPLACEMENT,
)
def load_balancer_tls_is_1_2_or_later(balancer: Any, *, policies: list[str], replacement: str) -> Messages:
    """TLS listeners speak TLS 1.2 or later.

    The controller's default, ELBSecurityPolicy-2016-08, still speaks TLS 1.0.
    """
    del replacement
    if balancer.governed("sslPolicy"):
        return
    for policy in balancer.tls_policies:
        if policy is None and balancer.speaks_alone:
            yield f"{balancer.title} leaves the TLS policy at ELBSecurityPolicy-2016-08"
        elif policy is not None and not _any_fits(policy, policies):
            yield f"{balancer.title} has the TLS policy {policy}"


@load_balancer_tls_is_1_2_or_later.remedy
def _fix_load_balancer_tls_is_1_2_or_later(balancer: Any, *, policies: list[str], replacement: str) -> Iterable[Edit]:
    del policies
    yield from balancer.set_tls_policy(replacement)


def _any_fits(policy: Any, patterns: list[str]) -> bool:
    return any(fnmatchcase(str(policy), pattern) for pattern in patterns)


@rule(
    on=LISTENER,
    instead="Set sslPolicy to ELBSecurityPolicy-TLS13-1-2-2021-06",
    source=_TLS_POLICIES,
    controls=[hub("ELB.17")],
    policies=_POLICIES,
    replacement=_REPLACEMENT,
)
def listener_tls_is_1_2_or_later(listener: View, *, policies: list[str], replacement: str) -> Messages:
    """TLS listeners that the program makes itself speak TLS 1.2 or later.

    The API's default for a listener is a policy that still speaks TLS 1.0.
    """
    del replacement
    if listener.protocol in ("HTTPS", "TLS") and not _any_fits(listener.tls_policy, policies):
        yield f"the listener has the TLS policy {listener.tls_policy or 'that is the default'}"


@listener_tls_is_1_2_or_later.remedy
def _fix_listener_tls_is_1_2_or_later(listener: View, *, policies: list[str], replacement: str) -> Iterable[Edit]:
    del policies
    yield listener.put("tls_policy", replacement)


@rule(
    on=LISTENER,
    instead='Give the listener the default action redirect with protocol "HTTPS"',
    controls=[hub("ELB.1"), hub("ELB.18"), cis("5.4.5")],
    plain_ports=numbers([], "the ports on which plain HTTP may be served"),
)
def listener_redirects_http_to_https(listener: View, *, plain_ports: list[float]) -> Messages:
    """An HTTP listener that the program makes itself redirects to HTTPS only.

    What a browser asks by HTTP, cookies included, is readable and changeable on its way.
    """
    if listener.protocol != "HTTP" or (listener.port is not None and listener.port in plain_ports):
        return
    redirects = [dig(action, [kind]) for action in listener.actions for kind in ("redirect", "redirectConfig")]
    if not any(dig(one, ["protocol"]) == "HTTPS" for one in redirects):
        yield f"the listener on port {listener.port} serves plain HTTP"


@rule(
    on=INGRESS,
    instead="Give certificate-arn, listen-ports with HTTPS, and ssl-redirect with the HTTPS port",
    source=f"{CONTROLLER_DOCS}/guide/tasks/ssl_redirect/",
    controls=[hub("ELB.1"), hub("ELB.18"), cis("5.4.5")],
    plain_namespaces=texts([], "namespaces whose Ingresses may serve plain HTTP"),
)
def alb_redirects_http_to_https(ingress: Any, *, plain_namespaces: list[str]) -> Messages:
    """An ALB answers HTTP with a redirect to HTTPS only.

    What a browser asks by HTTP, cookies included, is readable and changeable on its way.
    """
    if ingress.namespace in plain_namespaces:
        return
    plain = [port for protocol, port in ingress.listeners if protocol == "HTTP"]
    if plain and ingress.redirect is None:
        yield f"{ingress.title} serves plain HTTP on port {plain[0]}"


@rule(
    on=GATEWAY_BALANCER,
    instead="Attach an HTTPRoute to the listener whose rules only have a RequestRedirect with scheme https",
    source="https://gateway-api.sigs.k8s.io/guides/http-redirect-rewrite/",
    controls=[hub("ELB.1"), hub("ELB.18")],
    plain_namespaces=texts([], "namespaces whose Gateways may serve plain HTTP"),
)
def gateway_redirects_http_to_https(gateway: Any, *, plain_namespaces: list[str]) -> Messages:
    """A Gateway's HTTP listeners have routes that redirect to HTTPS only.

    What a browser asks by HTTP, cookies included, is readable and changeable on its way. A listener without a
    redirecting route in the stack is taken to serve.
    """
    plain = [one for one in gateway.listeners if dig(one, ["protocol"]) == "HTTP"]
    if not plain or gateway.namespace in plain_namespaces:
        return
    if not gateway.seen.stack.complete:
        raise Later
    routes = gateway.seen.stack.of(HTTP_ROUTE)
    for listener in plain:
        attached = [route for route in routes if _attaches(route, gateway, listener)]
        if not attached or not all(_only_redirects(route) for route in attached):
            yield f"{gateway.title} serves plain HTTP on port {dig(listener, ['port'])}"


def _attaches(route: Any, gateway: Any, listener: Any) -> bool:
    return any(
        dig(parent, ["name"]) == gateway.object_name
        and (dig(parent, ["namespace"]) or route.namespace) == gateway.namespace
        and dig(parent, ["sectionName"]) in (None, dig(listener, ["name"]))
        and dig(parent, ["port"]) in (None, dig(listener, ["port"]))
        for parent in items(dig(route.spec, ["parentRefs"]))
    )


def _only_redirects(route: Any) -> bool:
    rules = items(dig(route.spec, ["rules"]))
    return bool(rules) and all(
        any(unknown(one) or dig(one, ["requestRedirect", "scheme"]) == "https" for one in items(dig(rule, ["filters"])))
        for rule in rules
    )
