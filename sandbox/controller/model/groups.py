"""Which Ingresses are ours, and which of them share a load balancer.

An Ingress is ours by the legacy class annotation or by an IngressClass whose controller is `ingress.k8s.aws/alb`. A
group is named by IngressClassParams or by the annotation `group.name`; an Ingress without one is a group of its own.
"""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.controller.annotations import ALB, INGRESS_CLASS, Reader
from sandbox.controller.model.objects import Objects, annotations, deleting, finalizers, key, matches, name_of
from sandbox.controller.model.stack import Json, ModelError, StackId
from sandbox.controller.settings import Settings

CONTROLLER = "ingress.k8s.aws/alb"
IMPLICIT_FINALIZER = "ingress.k8s.aws/resources"
EXPLICIT_FINALIZER = "group.ingress.k8s.aws/"
_GROUP_NAME = re.compile(r"([a-z0-9][-a-z0-9.]*)?[a-z0-9]")
_LONGEST_NAME = 63
_ORDERS = range(-1000, 1001)
_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


class ClassError(ModelError):
    """An Ingress whose class cannot be used."""


class GroupNameError(ModelError):
    """A group name that is none."""


@dataclass(frozen=True)
class Member:
    """An Ingress of ours with the spec of its IngressClassParams (empty where there are none)."""

    ingress: Json
    params: Json

    @property
    def name(self) -> str:
        """`namespace/name`."""
        return name_of(self.ingress)

    @property
    def namespace(self) -> str:
        """The Ingress's namespace."""
        return key(self.ingress)[0]

    def reader(self) -> Reader:
        """Its annotations."""
        return Reader(ALB, annotations(self.ingress))


@dataclass(frozen=True)
class Group:
    """Ingresses of one load balancer: members in order, and former members that still hold its finalizer."""

    id: StackId
    members: tuple[Member, ...]
    former: tuple[Json, ...]

    @property
    def finalizer(self) -> str:
        """What holds members until their part is gone from AWS."""
        return finalizer(self.id)


def finalizer(group: StackId) -> str:
    """The group's finalizer."""
    return IMPLICIT_FINALIZER if group.namespace else f"{EXPLICIT_FINALIZER}{group.name}"


def group_id(namespace: str, name: str) -> StackId:
    """The id of an Ingress's own group, or of a named one (no namespace)."""
    return StackId("ingress.k8s.aws", namespace, name)


def class_params(ingress: Json, objects: Objects, *, load_params: bool = True) -> tuple[Json | None, Json]:
    """The IngressClass of an Ingress and the spec of its IngressClassParams.

    Raises:
        ClassError: the class or its parameters are not there, or not for this namespace.
    """
    name = ingress["spec"].get("ingressClassName") or _default_class(objects)
    if not name:
        return None, {}
    found = objects.get("IngressClass", "", name)
    if found is None:
        raise ClassError(f'invalid ingress class: IngressClass.networking.k8s.io "{name}" not found')
    reference = found["spec"].get("parameters")
    if found["spec"].get("controller") != CONTROLLER or not reference or not load_params:
        return found, {}
    if reference.get("apiGroup") != "elbv2.k8s.aws" or reference.get("kind") != "IngressClassParams":
        raise ClassError(f"invalid ingress class: IngressClass {name} references unknown parameters")
    params = objects.get("IngressClassParams", "", reference["name"])
    if params is None:
        raise ClassError(f'invalid ingress class: IngressClassParams.elbv2.k8s.aws "{reference["name"]}" not found')
    spec = params.get("spec") or {}
    selector = spec.get("namespaceSelector")
    namespace = objects.get("Namespace", "", key(ingress)[0]) or {"metadata": {}}
    if selector is not None and not matches(selector, namespace["metadata"].get("labels") or {}):
        raise ClassError(f"invalid ingress class: namespaceSelector of IngressClassParams {reference['name']} mismatch")
    return found, spec


def _default_class(objects: Objects) -> str | None:
    defaults = [c for c in objects.list("IngressClass") if annotations(c).get(_DEFAULT_CLASS) == "true"]
    if len(defaults) > 1:
        raise ClassError("multiple default IngressClasses found")
    return key(defaults[0])[1] if defaults else None


def ours_by_annotation(value: str, settings: Settings) -> bool:
    """Whether a legacy class annotation means this controller."""
    return value == settings.ingress_class or (not settings.ingress_class and value == "alb")


def member(ingress: Json, objects: Objects, settings: Settings) -> Member | None:
    """The Ingress as a member of a group, None if it is not ours (any more).

    Raises:
        ClassError: see `class_params`.
    """
    if deleting(ingress):
        return None
    legacy = annotations(ingress).get(INGRESS_CLASS)
    if legacy is not None:
        return Member(ingress, {}) if ours_by_annotation(legacy, settings) else None
    found, params = class_params(ingress, objects)
    ours = found["spec"].get("controller") == CONTROLLER if found else not settings.ingress_class
    return Member(ingress, params) if ours else None


def group_of(one: Member) -> StackId:
    """The group a member belongs to.

    Raises:
        GroupNameError: its name is none.
    """
    explicit: Any = (one.params.get("group") or {}).get("name") or one.reader().text("group.name")
    if explicit is None:
        return group_id(*key(one.ingress))
    if not _GROUP_NAME.fullmatch(explicit):
        raise GroupNameError(
            "invalid ingress group: groupName must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character"
        )
    if len(explicit) > _LONGEST_NAME:
        raise GroupNameError(f"invalid ingress group: groupName must be no more than {_LONGEST_NAME} characters")
    return group_id("", explicit)


def groups_held(ingress: Json) -> list[StackId]:
    """Groups whose finalizer the Ingress holds."""
    held = [group_id(*key(ingress))] if IMPLICIT_FINALIZER in finalizers(ingress) else []
    explicit = [f for f in finalizers(ingress) if f.startswith(EXPLICIT_FINALIZER)]
    return held + [group_id("", f.removeprefix(EXPLICIT_FINALIZER)) for f in explicit]


def load(group: StackId, objects: Objects, settings: Settings) -> Group:
    """The group as it is now.

    Raises:
        ModelError: a member's class or order cannot be used.
    """
    members: list[tuple[int, str, Member]] = []
    former: list[Json] = []
    candidates = objects.list("Ingress", group.namespace or None)
    for ingress in candidates:
        if group.namespace and key(ingress) != (group.namespace, group.name):
            continue
        holds = group in groups_held(ingress)
        try:
            one = member(ingress, objects, settings)
            belongs = one is not None and group_of(one) == group
        except ClassError as error:
            if holds:
                raise ModelError(f"Ingress: {name_of(ingress)}: {error}") from error
            continue
        except GroupNameError:
            one, belongs = None, False
        if one and belongs:
            members.append((_order(one), one.name, one))
        elif holds:
            former.append(ingress)
    return Group(group, tuple(m for _, _, m in sorted(members, key=lambda m: m[:2])), tuple(former))


def _order(one: Member) -> int:
    order = one.reader().integer("group.order") or 0
    if order not in _ORDERS:
        raise ModelError(
            f"explicit Ingress group order must be within [-1000:1000], Ingress: {one.name}, order: {order}"
        )
    return order
