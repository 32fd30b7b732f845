"""Target group bindings and Gateway routes: whose traffic, to whom."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from kinds.kubernetes import KubernetesView, objects
from pack.controls import cis, guide
from pack.properties import Edit
from pack.registry import CRITICAL, HIGH, MANDATORY, MEDIUM, Messages, number, rule, texts
from pack.values import dig, items, unknown, words

_BINDINGS = (
    "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/"
)
_TENANTS = guide("security/multitenancy", "Tenant Isolation")

BINDING: Final = objects(
    "TargetGroupBinding", [(group, "TargetGroupBinding") for group in ("elbv2.k8s.aws", "eks.amazonaws.com")]
)
ROUTE: Final = objects(
    "Gateway route with host names",
    [("gateway.networking.k8s.io", kind) for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute")],
)
GATEWAY: Final = objects("Gateway", [("gateway.networking.k8s.io", "Gateway")])


@rule(
    "bindings-stay-in-admin-namespaces",
    on=BINDING,
    demand="Pods are bound to target groups by the platform only.",
    instead="Put the TargetGroupBinding into a namespace of adminNamespaces, or add its namespace there",
    source=_BINDINGS,
    severity=HIGH,
    dev=MANDATORY,
    controls=[_TENANTS, cis("4.5.1")],
    admin_namespaces=texts(["kube-system"], "namespaces that may have bindings"),
)
def bindings_stay_in_admin_namespaces(binding: KubernetesView, *, admin_namespaces: list[str]) -> Messages:
    """A binding names any target group of the account, and takes its other targets away.

    That is how one team gets another team's traffic.
    """
    if binding.namespace not in admin_namespaces:
        yield f"{binding.title} is in the namespace {binding.namespace}"


@rule(
    "binding-targets-are-pods",
    on=BINDING,
    demand="A binding registers pods, not nodes: target type ip.",
    instead="Set spec.targetType to ip, or leave it out with a target group of type ip",
    source=_BINDINGS,
    severity=MEDIUM,
    controls=[guide("networking/loadbalancing", "Register Pods as targets using IP Target-Type")],
    target_types=texts(["ip"], "the target types allowed"),
)
def binding_targets_are_pods(binding: KubernetesView, *, target_types: list[str]) -> Messages:
    """As load-balancer-targets-are-pods. Left out, the target group's own type counts."""
    kind = dig(binding.spec, ["targetType"])
    if kind is not None and kind not in target_types:
        yield f"{binding.title} has target type {kind}"


@rule(
    "binding-assumes-allowed-roles-only",
    on=BINDING,
    demand="A binding takes another account's role only with an external id, and only one that the profile allows.",
    instead="Give assumeRoleExternalId with iamRoleArnToAssume, and list the role in allowedRoles",
    source=f"{_BINDINGS}#assumerole-cross-account-targetgroups",
    severity=CRITICAL,
    dev=MANDATORY,
    controls=[_TENANTS],
    allowed_roles=texts([], "patterns of the role ARNs allowed"),
    min_external_id_length=number(2, "the shortest external id; STS takes 2 to 1224 characters"),
)
def binding_assumes_allowed_roles_only(
    binding: KubernetesView, *, allowed_roles: list[str], min_external_id_length: float
) -> Messages:
    """Whoever writes a binding makes the controller act as that role.

    Without an external id it can be talked into a role that trusts the controller for somebody else.
    """
    arn, secret = dig(binding.spec, ["iamRoleArnToAssume"]), dig(binding.spec, ["assumeRoleExternalId"])
    if arn is None:
        return
    if not unknown(secret) and len(str(secret or "")) < min_external_id_length:
        yield f"{binding.title} takes a role without an external id"
    if not unknown(arn) and not any(fnmatchcase(str(arn), pattern) for pattern in allowed_roles):
        yield f"{binding.title} takes the role {arn}"


@rule(
    "gateway-routes-name-their-hosts",
    on=ROUTE,
    demand="A route says for which host names it stands.",
    instead="Give spec.hostnames, without a bare *",
    source="https://gateway-api.sigs.k8s.io/api-types/httproute/#hostnames",
    severity=HIGH,
    controls=[_TENANTS],
    catch_alls=texts(["*"], "host names that catch everything"),
    exempt_namespaces=texts([], "namespaces whose routes may catch everything"),
)
def gateway_routes_name_their_hosts(
    route: KubernetesView, *, catch_alls: list[str], exempt_namespaces: list[str]
) -> Messages:
    """A route without hosts takes what no other route has claimed yet, and what others will claim later."""
    if route.namespace in exempt_namespaces:
        return
    names = items(dig(route.spec, ["hostnames"]))
    if not names:
        yield f"{route.title} names no host"
    elif any(name in catch_alls for name in words(names)):
        yield f"{route.title} stands for every host"


@rule(
    "gateway-listeners-choose-their-namespaces",
    on=GATEWAY,
    demand="A Gateway's listeners take routes of chosen namespaces.",
    instead='Set allowedRoutes.namespaces.from to "Same" or "Selector"',
    source="https://gateway-api.sigs.k8s.io/guides/multiple-ns/",
    severity=HIGH,
    controls=[_TENANTS],
    open_values=texts(["All"], "values of from that let everybody in"),
)
def gateway_listeners_choose_their_namespaces(gateway: KubernetesView, *, open_values: list[str]) -> Messages:
    """With All, or a selector that asks for nothing, any namespace attaches its routes to this load balancer.

    Left out, it is Same.
    """
    for listener in items(dig(gateway.spec, ["listeners"])):
        namespaces = dig(listener, ["allowedRoutes", "namespaces"])
        if dig(namespaces, ["from"]) in open_values or _selects_all(namespaces):
            yield f"{gateway.title} takes routes of all namespaces on {dig(listener, ['name'])}"


def _selects_all(namespaces: Any) -> bool:
    """Say whether a selector leaves nobody out, for it asks for nothing."""
    if dig(namespaces, ["from"]) != "Selector":
        return False
    asked = [dig(namespaces, ["selector", part]) for part in ("matchLabels", "matchExpressions")]
    return not any(unknown(part) or part for part in asked)


@gateway_listeners_choose_their_namespaces.remedy
def _fix_gateway_listeners_choose_their_namespaces(
    gateway: KubernetesView, *, open_values: list[str]
) -> Iterable[Edit]:
    for index, listener in enumerate(items(dig(gateway.spec, ["listeners"]))):
        namespaces = dig(listener, ["allowedRoutes", "namespaces"])
        if dig(namespaces, ["from"]) in open_values or _selects_all(namespaces):
            yield Edit(("spec", "listeners", index, "allowedRoutes", "namespaces", "from"), "Same")
