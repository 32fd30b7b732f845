"""What Ingresses share, and must not take from each other: load balancers, hosts, names, order."""

from collections.abc import Hashable
from typing import Any

from kinds.balancers import either
from kinds.every_balancer import OWN
from kinds.gateways import GATEWAY_BALANCER
from kinds.ingresses import CLASS_PARAMS, INGRESS
from kinds.services import SERVICE
from pack.controls import ALB_ANNOTATIONS, BY_CONTROLLER, CONTROLLER_DOCS, TENANTS, cis
from pack.registry import MEDIUM, Finding, Messages, Stack, number, rule, texts
from pack.values import Unknown, dig, unknown

_INGRESS_CLASS = f"{CONTROLLER_DOCS}/guide/ingress/ingress_class/"


@rule(
    on=CLASS_PARAMS,
    instead="Give spec.namespaceSelector with labels of the namespaces that may",
    source=f"{_INGRESS_CLASS}#specnamespaceselector",
    controls=[TENANTS, cis("4.5.1")],
    open_params=texts([], "IngressClassParams, by metadata.name, whose class anybody may use"),
)
def ingress_class_params_choose_their_namespaces(params: Any, *, open_params: list[str]) -> Messages:
    """IngressClassParams name the namespaces that may use their class.

    Without a selector, or with an empty one, any namespace can join the class's load balancer. IngressClassParams that
    set nothing, as those of the controller's chart, have nothing to join.
    """
    selector = dig(params.spec, ["namespaceSelector"])
    asked = [dig(selector, [part]) for part in ("matchLabels", "matchExpressions")]
    if params.sets_nothing or any(unknown(part) or part for part in asked) or params.object_name in open_params:
        return
    what = f"{params.title} lets every namespace use its class"
    yield Finding(what, f'add "{params.object_name}" to openParams')


@rule(
    on=INGRESS,
    instead="Give each of spec.rules a host without a wildcard, and no defaultBackend",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards",
    controls=[TENANTS],
    exempt_namespaces=texts([], "namespaces whose Ingresses may stand for any host"),
    allowed_hosts=texts([], "hosts with a wildcard that are allowed, such as *.shop.example.com"),
)
def ingress_rules_name_their_hosts(ingress: Any, *, exempt_namespaces: list[str], allowed_hosts: list[str]) -> Messages:
    """An Ingress names each of its hosts.

    Without a host it takes all requests that no other rule of the load balancer has claimed.
    """
    if ingress.namespace in exempt_namespaces:
        return
    exempt = f'add "{ingress.namespace}" to exemptNamespaces'
    for host in ingress.hosts:
        if unknown(host) or host in allowed_hosts:
            continue
        if host in (None, "", "*"):
            yield Finding(f"{ingress.title} matches every host", exempt)
            return
        if "*" in str(host):
            yield Finding(f"{ingress.title} stands for {host}", f'add "{host}" to allowedHosts')


_NAMED = either("load balancer with a name", INGRESS, SERVICE, GATEWAY_BALANCER, OWN)


@rule(
    on=_NAMED,
    instead="Leave the name out, or give each load balancer its own",
    source=f"{ALB_ANNOTATIONS}#load-balancer-name",
    severity=MEDIUM,
    controls=[BY_CONTROLLER],
    max_load_balancers=number(1, "how many load balancers may have a name, as in two regions"),
)
def load_balancer_name_is_given_once(balancer: Any, stack: Stack, *, max_load_balancers: float) -> Messages:
    """Two load balancers do not ask for the same name.

    A name is unique in an account and region, so the second load balancer is never made. Ingresses of one group share
    their load balancer, and its name.
    """
    name = balancer.balancer_name
    if name is None or name == "":
        return
    same = stack.alike(_NAMED, "balancer_name", name)
    if len({_place(one) for one in same}) > max_load_balancers and _place(balancer) != _place(same[0]):
        yield f"{balancer.title} asks for the name {name}, which {same[0].title} has"


def _place(balancer: Any) -> Hashable:
    """Return what distinguishes load balancers: the Ingress group, otherwise the resource."""
    group = getattr(balancer, "group", None)
    return (balancer.urn, balancer.name) if group is None or isinstance(group, Unknown) else str(group)


@rule(
    on=INGRESS,
    instead="Give each Ingress of the group a different group.order",
    source=f"{ALB_ANNOTATIONS}#group.order",
    severity=MEDIUM,
    controls=[TENANTS],
    max_ingresses=number(1, "how many Ingresses may have one order"),
)
def ingress_group_order_is_given_once(ingress: Any, stack: Stack, *, max_ingresses: float) -> Messages:
    """Two Ingresses of a group do not have the same order.

    With equal orders the Ingresses' names decide whose rules come first, so a new name changes the routing.
    """
    place = _order(ingress)
    if place is None:
        return
    same = stack.alike(INGRESS, _order, place)
    if len(same) > max_ingresses and same[0].urn != ingress.urn:
        yield f"{ingress.title} has the order {place[2]} in the group {place[1]}, as {same[0].title} has"


def _order(ingress: Any) -> tuple[Any, str, str] | None:
    """Return cluster, group and order, if it sets an order."""
    group, order = ingress.group, ingress.of_balancer("group.order")
    provider = ingress.seen.provider
    cluster = provider.urn if provider else None
    return None if group is None or order is None else (cluster, str(group), str(order).strip())
