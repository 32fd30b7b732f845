"""Target group bindings: which pods get whose traffic."""

from fnmatch import fnmatchcase
from functools import partial
from typing import Final

from kinds.cidrs import WIDEST, is_world
from kinds.kubernetes import KubernetesView, objects
from pack.controls import CONTROLLER_DOCS, POD_TARGETS, SECURITY_GROUPS, TENANTS, cis
from pack.registry import CRITICAL, MANDATORY, MEDIUM, Finding, Messages, number, rule, texts
from pack.values import dig, items, known, unknown

_BINDINGS = f"{CONTROLLER_DOCS}/guide/targetgroupbinding/targetgroupbinding/"

BINDING: Final = objects(
    "TargetGroupBinding", [(group, "TargetGroupBinding") for group in ("elbv2.k8s.aws", "eks.amazonaws.com")]
)

_on_binding = partial(rule, on=BINDING)


@_on_binding(
    instead="Put the TargetGroupBinding into a namespace of adminNamespaces, or add its namespace there",
    source=_BINDINGS,
    dev=MANDATORY,
    controls=[TENANTS, cis("4.5.1")],
    admin_namespaces=texts(["kube-system"], "namespaces that may have bindings"),
)
def bindings_stay_in_admin_namespaces(binding: KubernetesView, *, admin_namespaces: list[str]) -> Messages:
    """Pods are bound to target groups by the platform only.

    A binding can name any target group of the account, and removes its other targets. That is how one team gets another
    team's traffic.
    """
    if binding.namespace not in admin_namespaces:
        yield f"{binding.title} is in the namespace {binding.namespace}"


@_on_binding(
    instead="Set spec.targetType to ip, or leave it out with a target group of type ip",
    source=_BINDINGS,
    severity=MEDIUM,
    controls=[POD_TARGETS],
    target_types=texts(["ip"], "the target types allowed"),
)
def binding_targets_are_pods(binding: KubernetesView, *, target_types: list[str]) -> Messages:
    """A binding registers pods, not nodes: target type ip.

    See load-balancer-targets-are-pods. If it is left out, the target group's own type counts.
    """
    kind = dig(binding.spec, ["targetType"])
    if kind is not None and kind not in target_types:
        yield f"{binding.title} has target type {kind}"


@_on_binding(
    instead="Give assumeRoleExternalId with iamRoleArnToAssume, and list the role in allowedRoles",
    source=f"{_BINDINGS}#assumerole-cross-account-targetgroups",
    severity=CRITICAL,
    controls=[TENANTS],
    allowed_roles=texts([], "patterns of the role ARNs allowed"),
    min_external_id_length=number(2, "the shortest external id; STS takes 2 to 1224 characters"),
)
def binding_assumes_allowed_roles_only(
    binding: KubernetesView, *, allowed_roles: list[str], min_external_id_length: float
) -> Messages:
    """A binding takes another account's role only with an external id, and only one that the profile allows.

    Whoever writes a binding makes the controller act as that role. Without an external id, an author can use a role
    that trusts the controller on somebody else's behalf.
    """
    arn, secret = dig(binding.spec, ["iamRoleArnToAssume"]), dig(binding.spec, ["assumeRoleExternalId"])
    if arn is None:
        return
    if not unknown(secret) and len(str(secret or "")) < min_external_id_length:
        yield f"{binding.title} takes a role without an external id"
    if not unknown(arn) and not any(fnmatchcase(str(arn), pattern) for pattern in allowed_roles):
        yield f"{binding.title} takes the role {arn}"


@_on_binding(
    instead="Name the load balancer's security group in spec.networking.ingress[].from, or its subnets' networks",
    source=_BINDINGS,
    controls=[SECURITY_GROUPS],
    open_namespaces=texts([], "namespaces whose bindings may let everybody in"),
    **WIDEST,
)
def binding_networking_names_its_sources(
    binding: KubernetesView, *, open_namespaces: list[str], **widest: float
) -> Messages:
    """A binding opens the pods' security groups to named sources only.

    The controller writes spec.networking into the security groups of nodes and pods. With 0.0.0.0/0 everything that
    reaches the VPC reaches the pods past the load balancer.
    """
    if binding.namespace in open_namespaces:
        return
    for ingress in known(items(dig(binding.spec, ["networking", "ingress"]))):
        for source in known(items(dig(ingress, ["from"]))):
            cidr = dig(source, ["ipBlock", "cidr"])
            if not unknown(cidr) and is_world(cidr, **widest):
                yield Finding(f"{binding.title} lets in {cidr}", f'add "{binding.namespace}" to openNamespaces')
