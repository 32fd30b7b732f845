"""Gateways and their routes: whose traffic goes where."""

from collections.abc import Iterable
from typing import Any

from kinds.gateways import GATEWAY, LISTENER_RULE, ROUTE
from kinds.kubernetes import KubernetesView
from pack.controls import CONTROLLER_DOCS, TENANTS
from pack.properties import Edit
from pack.registry import Finding, Messages, rule, texts
from pack.values import dig, items, known, unknown, words


@rule(
    on=ROUTE,
    instead="Give spec.hostnames, without a bare *",
    source="https://gateway-api.sigs.k8s.io/api-types/httproute/#hostnames",
    controls=[TENANTS],
    catch_alls=texts(["*"], "host names that catch everything"),
    exempt_namespaces=texts([], "namespaces whose routes may catch everything"),
)
def gateway_routes_name_their_hosts(
    route: KubernetesView, *, catch_alls: list[str], exempt_namespaces: list[str]
) -> Messages:
    """A route names its hosts.

    A route without hosts takes all requests that no other route has claimed yet.
    """
    if route.namespace in exempt_namespaces:
        return
    names = items(dig(route.spec, ["hostnames"]))
    if not names:
        yield Finding(f"{route.title} names no host", f'add "{route.namespace}" to exemptNamespaces')
    elif any(name in catch_alls for name in words(names)):
        yield f"{route.title} matches every host"


@rule(
    on=GATEWAY,
    instead='Set allowedRoutes.namespaces.from to "Same" or "Selector"',
    source="https://gateway-api.sigs.k8s.io/guides/multiple-ns/",
    controls=[TENANTS],
    open_values=texts(["All"], "values of from that let everybody in"),
)
def gateway_listeners_choose_their_namespaces(gateway: KubernetesView, *, open_values: list[str]) -> Messages:
    """A Gateway's listeners accept routes from chosen namespaces.

    With All, or with an empty selector, any namespace can attach its routes to this load balancer. The default is Same.
    """
    for listener in items(dig(gateway.spec, ["listeners"])):
        namespaces = dig(listener, ["allowedRoutes", "namespaces"])
        if dig(namespaces, ["from"]) in open_values or _selects_all(namespaces):
            yield f"{gateway.title} takes routes of all namespaces on {dig(listener, ['name'])}"


def _selects_all(namespaces: Any) -> bool:
    """Say whether a selector excludes nobody because it is empty."""
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


@rule(
    on=LISTENER_RULE,
    instead="Let the platform set it, in a namespace of adminNamespaces",
    source=f"{CONTROLLER_DOCS}/guide/gateway/customization/",
    controls=[TENANTS],
    admin_namespaces=texts(["kube-system"], "namespaces that may"),
    guarded_actions=texts(
        ["authenticate-oidc", "authenticate-cognito", "jwt-validation"], "the types of action guarded"
    ),
)
def gateway_logins_stay_in_admin_namespaces(
    view: KubernetesView, *, admin_namespaces: list[str], guarded_actions: list[str]
) -> Messages:
    """Only admin namespaces have listener rules that log users in.

    A log-in makes the controller read a Secret and send it to a host of the author's choice. The same by annotation of
    an Ingress is guarded-annotations-stay-in-admin-namespaces.
    """
    kinds = words([dig(action, ["type"]) for action in known(items(dig(view.spec, ["actions"])))])
    found = [kind for kind in kinds if kind in guarded_actions]
    if found and view.namespace not in admin_namespaces:
        what = f"{view.title} in the namespace {view.namespace} has the action {', '.join(found)}"
        yield Finding(what, f'add "{view.namespace}" to adminNamespaces')
