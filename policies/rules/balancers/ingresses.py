"""What an Ingress's author may set: group, class and annotations."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from kinds.annotations import ALB, ALB_KNOWN, GUARDED, NLB, NLB_KNOWN
from kinds.balancers import either
from kinds.ingresses import ANY_INGRESS, CLASS_ANNOTATION
from kinds.services import ANY_SERVICE
from pack.controls import ALB_ANNOTATIONS, TENANTS
from pack.properties import REMOVE, Edit
from pack.registry import MANDATORY, MEDIUM, Messages, rule, texts

_PREFIXES: Final = (ALB, NLB)


@rule(
    on=ANY_INGRESS,
    instead="Set group.name in IngressClassParams with a namespaceSelector, and use its class",
    source=f"{ALB_ANNOTATIONS}#group.name",
    dev=MANDATORY,
    controls=[TENANTS],
    allowed_groups=texts([], "groups that may be joined by annotation"),
)
def ingress_group_is_not_shared_by_annotation(ingress: Any, *, allowed_groups: list[str]) -> Messages:
    """Ingresses join a shared load balancer by their class's IngressClassParams, not by group.name.

    Whoever writes the same name puts rules into the same load balancer. Those rules can come before the others' and
    take their traffic.
    """
    group = ingress.annotation(f"{ALB}group.name")
    if group is not None and str(group) not in allowed_groups:
        yield f"{ingress.title} joins the group {group} by annotation"


@rule(
    on=ANY_INGRESS,
    instead=f"Set spec.ingressClassName and leave the annotation {CLASS_ANNOTATION} out",
    source="https://kubernetes.io/docs/concepts/services-networking/ingress/#deprecated-annotation",
    severity=MEDIUM,
    controls=[TENANTS],
    default_classes=texts(["alb"], "the class that a remediation sets where none is named", allows=False),
)
def ingress_names_its_class_in_its_spec(ingress: Any, *, default_classes: list[str]) -> Messages:
    """An Ingress chooses its class by ingressClassName, not by annotation.

    The annotation bypasses IngressClass and IngressClassParams, where the platform sets limits. Without either, the
    cluster's default class decides.
    """
    del default_classes
    if CLASS_ANNOTATION in ingress.annotations:
        yield f"{ingress.title} chooses its class by annotation"
    elif ingress.class_name is None:
        yield f"{ingress.title} names no class"


@ingress_names_its_class_in_its_spec.remedy
def _fix_ingress_names_its_class_in_its_spec(ingress: Any, *, default_classes: list[str]) -> Iterable[Edit]:
    annotated = ingress.annotation(CLASS_ANNOTATION)
    if ingress.class_name is None:
        yield Edit(("spec", "ingressClassName"), annotated or default_classes[0])
    if annotated is not None:
        yield ingress.annotate(CLASS_ANNOTATION, REMOVE)


_ANNOTATED: Final = either("Service or Ingress", ANY_SERVICE, ANY_INGRESS)


def _fits(key: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


@rule(
    on=_ANNOTATED,
    instead="Spell the annotation as the controller does, or add it to allowedAnnotations",
    source=ALB_ANNOTATIONS,
    severity=MEDIUM,
    controls=[TENANTS],
    allowed_annotations=texts(
        [*(ALB + name for name in ALB_KNOWN), *(NLB + name for name in NLB_KNOWN)],
        "patterns of the annotations allowed",
    ),
    guarded_annotations=texts(GUARDED, "patterns that guarded-annotations-stay-in-admin-namespaces looks after"),
)
def load_balancer_annotations_are_on_the_allow_list(
    view: Any, *, allowed_annotations: list[str], guarded_annotations: list[str]
) -> Messages:
    """Load balancers have only annotations that the profile allows.

    The controller ignores an annotation that it does not know, so a misspelt limit has no effect. New annotations of a
    new version are refused until somebody has reviewed them.
    """
    for key in view.annotations:
        if key.startswith(_PREFIXES) and not _fits(key, [*allowed_annotations, *guarded_annotations]):
            yield f"{view.title} has the annotation {key}"


@rule(
    on=_ANNOTATED,
    instead="Let the platform set it, in a namespace of adminNamespaces or in IngressClassParams",
    source=ALB_ANNOTATIONS,
    controls=[TENANTS],
    admin_namespaces=texts(["kube-system"], "namespaces that may"),
    guarded_annotations=texts(GUARDED, "patterns of the annotations guarded"),
)
def guarded_annotations_stay_in_admin_namespaces(
    view: Any, *, admin_namespaces: list[str], guarded_annotations: list[str]
) -> Messages:
    """Only admin namespaces use annotations that log users in, forward elsewhere or open security groups.

    auth-* makes the controller read a Secret and send it to a host of the author's choice. actions.* forwards to any
    target group of the account, security-groups attaches any of its groups.
    """
    found = [key for key in view.annotations if _fits(key, guarded_annotations)]
    if found and view.namespace not in admin_namespaces:
        yield f"{view.title} in the namespace {view.namespace} has {', '.join(found)}"
