"""Ingresses and Services as the controller sees them: classes, groups, annotations, Secrets."""

import difflib
import json
from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.checks import known_annotations
from eks_load_balancing.doctor.events import moment
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH, helm_upgrade
from eks_load_balancing.doctor.lookups import (
    CONTROLLER,
    DEFAULT_CLASS,
    GROUP_ANNOTATION,
    OLD_CLASS,
    annotations_of,
    called,
    class_of,
    group_of,
    image_version,
    is_served,
    key,
    oidc_secret,
)
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.versions import DEFAULT_CONTROLLER_VERSION, release

_GUIDE: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/"
_CLASSES: Final = f"{_GUIDE}ingress/ingress_class/"
_SERVED_SECONDS: Final = 60
_AUTO_MODE: Final = "eks.amazonaws.com/alb"
"""The controller of EKS Auto Mode: AWS runs it, and it reads some of the same annotations."""
_OIDC_KEYS: Final = (("clientID", "clientId"), ("clientSecret",))
"""Keys of a Secret for OpenID Connect; the controller also accepts the older spelling."""
_AWS: Final = f"{known_annotations.SERVICE}aws"
_ALIKE: Final = 0.6
"""How alike a prefix must be to count as misspelt (`difflib`'s ratio); its first label must be too."""


def _name_a_class(facts: Facts, ingress: Object) -> str:
    """Return how to give an Ingress a class of the controller: an existing one, or a new one."""
    namespace, name = key(ingress)
    ours = sorted(c["metadata"]["name"] for c in facts.ingress_classes if c["spec"].get("controller") == CONTROLLER)
    if not ours:
        return f"create a class of controller {CONTROLLER}: {_chart(facts)}"
    patch = json.dumps({"spec": {"ingressClassName": ours[0]}})
    return f"`kubectl patch ingress -n {namespace} {name} --type=merge -p '{patch}'`"


def _chart(facts: Facts) -> str:
    """Return how to restore an object of the controller's chart."""
    return f"{REFRESH}, or, if Helm made it, {helm_upgrade(facts)}"


@check(link=_CLASSES)
def ingresses_have_a_class(facts: Facts) -> Iterator[Trouble]:
    """Every Ingress names an IngressClass that exists, with its parameters, or there is one default class.

    No controller serves an Ingress without a class, or with one that does not exist: no address, no event.
    """
    classes = {c["metadata"]["name"]: c for c in facts.ingress_classes}
    default = sorted(name for name, one in classes.items() if annotations_of(one).get(DEFAULT_CLASS) == "true")
    for ingress in facts.ingresses:
        named = ingress["spec"].get("ingressClassName")
        restore = ""
        if OLD_CLASS in annotations_of(ingress):
            continue
        if named is not None and named not in classes:
            what = f"its class {named} does not exist (existing: {', '.join(sorted(classes)) or 'none'})"
            restore = f"restore class {named}: {_chart(facts)}; or "
        elif named is None and len(default) != 1:
            what = f"it names no class, and {', '.join(default) or 'no class'} {'are' if default else 'is'} the default"
        else:
            continue
        yield Trouble(called(ingress), what, restore + _name_a_class(facts, ingress), key(ingress)[0])
    params = {p["metadata"]["name"] for p in facts.ingress_class_params}
    for name, one in classes.items():
        wanted = (one["spec"].get("parameters") or {}).get("name")
        if one["spec"].get("controller") == CONTROLLER and wanted and wanted not in params:
            yield Trouble(
                called(one),
                f"its IngressClassParams {wanted} do not exist",
                f"restore them: {_chart(facts)}; or create class {name} again without spec.parameters",
            )


@check(link=_CLASSES)
def ingress_classes_have_a_controller(facts: Facts) -> Iterator[Trouble]:
    """A controller serves the class of every Ingress.

    A class may name a controller that is not installed, or that is misspelt: its Ingresses wait for an address.
    Ingresses of other controllers are checked at once if they have this controller's annotations. Otherwise they have a
    minute to get an address, and count only if no Ingress of their controller has one.
    """
    classes = {c["metadata"]["name"]: c["spec"].get("controller", "") for c in facts.ingress_classes}
    alive = {classes.get(class_of(facts, one) or "") for one in facts.ingresses if _has_an_address(facts, one)}
    for ingress in facts.ingresses:
        old, named = annotations_of(ingress).get(OLD_CLASS), class_of(facts, ingress)
        controller = classes.get(named or "", "")
        if is_served(facts, ingress) or (old is None and named not in classes) or _has_an_address(facts, ingress):
            continue
        meant = any(name.startswith(known_annotations.INGRESS) for name in annotations_of(ingress))
        age = (facts.now - moment(ingress["metadata"].get("creationTimestamp"))).total_seconds()
        if (meant and controller != _AUTO_MODE) or (age > _SERVED_SECONDS and controller not in alive):
            namespace, name = key(ingress)
            unset = f"`kubectl annotate ingress -n {namespace} {name} {OLD_CLASS}-` and " if old is not None else ""
            by_class = f"its class {named} is for the controller {controller or '(none)'}"
            yield Trouble(
                called(ingress),
                f"{by_class if old is None else f'its annotation {OLD_CLASS} is {old}'}, and no controller serves it",
                f"{unset}{_name_a_class(facts, ingress)}; or install the controller that is meant (the controller of a"
                " class cannot be changed: create the class again)",
                namespace,
            )


def _has_an_address(facts: Facts, ingress: Object) -> bool:
    """Return whether the status has an address; the address of a deleted load balancer does not count."""
    published = ((ingress.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    there = {balancer["DNSName"].lower() for balancer in facts.load_balancers}
    names = [one.get("hostname", "").lower() for one in published]
    return bool(published) and not all(".elb." in name and name not in there for name in names)


@check(severity="low", link=f"{_GUIDE}ingress/annotations/#ingressgroup")
def groups_stay_in_a_namespace(facts: Facts) -> Iterator[Trouble]:
    """The Ingresses of a group by annotation are in one namespace.

    Two teams that choose the same name share a load balancer by accident: one may take over the other's hosts. To share
    a group across namespaces on purpose, use IngressClassParams, which only an administrator writes.
    """
    members: dict[str, list[Object]] = {}
    for ingress in facts.ingresses:
        name = annotations_of(ingress).get(GROUP_ANNOTATION)
        if name and is_served(facts, ingress) and group_of(facts, ingress) == name:
            members.setdefault(name, []).append(ingress)
    for name, ingresses in members.items():
        spaces = sorted({key(ingress)[0] for ingress in ingresses})
        if len(spaces) > 1:
            namespace, last = key(ingresses[-1])
            yield Trouble(
                f"IngressGroup {name}",
                f"Ingresses of the namespaces {', '.join(spaces)} share its load balancer:"
                f" {', '.join('/'.join(key(ingress)) for ingress in ingresses)}",
                f"give one of them another group: `kubectl annotate ingress -n {namespace} {last} --overwrite"
                f" {GROUP_ANNOTATION}={namespace}-{name}`; or, if they are meant to share it, name the group in the"
                " IngressClassParams of their class",
            )


@check(severity="medium", link=f"{_GUIDE}ingress/annotations/")
def annotations_are_known(facts: Facts) -> Iterator[Trouble]:
    """The controller's version reads every annotation with its prefixes.

    The controller silently ignores an annotation that it does not know: a misspelt one changes nothing. This checks the
    Ingresses and Services that the controller serves, and the Services behind these Ingresses.
    """
    if not facts.deployments:
        return
    version = image_version(facts.deployments[0]) or DEFAULT_CONTROLLER_VERSION
    for thing in (*facts.ingresses, *facts.services):
        served = is_served(facts, thing)
        for name in annotations_of(thing):
            if not _concerns(name, thing, served=served):
                continue
            since = known_annotations.since(name)
            if since is not None and not _older(version, since):
                continue
            close = difflib.get_close_matches(name, known_annotations.names(), n=1)
            namespace, own = key(thing)
            remove = f"`kubectl annotate {thing['kind'].lower()} -n {namespace} {own} {name}-` removes it"
            yield Trouble(
                called(thing),
                f"controller {version} does not know the annotation {name}"
                + (f": version {since} introduced it" if since else ", and ignores it"),
                f"upgrade the controller to {since}; {remove}"
                if since
                else f"write {close[0]} instead; {remove}"
                if close
                else remove,
                namespace,
            )


def _concerns(name: str, thing: Object, *, served: bool) -> bool:
    """Return whether an annotation is meant for the controller: by its prefix, or by a similar one."""
    if name.startswith(known_annotations.INGRESS):
        return served or thing["kind"] == "Service"
    if name.startswith(_AWS):
        return served and thing["kind"] == "Service"
    prefix, _, own = name.partition("/")
    return served and any(
        known_annotations.since(known + own) is not None
        and prefix + "/" != known
        and _alike(prefix, known)
        and _alike(prefix.partition(".")[0], known.partition(".")[0])
        for known in (known_annotations.INGRESS, known_annotations.SERVICE)
    )


def _alike(one: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, one, other).ratio() > _ALIKE


def _older(version: str, since: str) -> bool:
    try:
        return release(version) < release(since)
    except ValueError:
        return False


@check(link=f"{_GUIDE}ingress/annotations/#authentication")
def auth_secrets_are_there(facts: Facts) -> Iterator[Trouble]:
    """The Secret that an auth-idp-oidc annotation names exists, with clientID and clientSecret.

    Without it the controller stops updating the whole load balancer: FailedBuildModel.
    """
    for thing in (*facts.ingresses, *facts.services):
        name, (namespace, _) = oidc_secret(thing), key(thing)
        if not name:
            continue
        keys = facts.secret_keys.get((namespace, name))
        missing = [spelling[0] for spelling in _OIDC_KEYS if not set(spelling) & (keys or set[str]())]
        create = f"kubectl create secret generic -n {namespace} {name}"
        values = "--from-literal=clientID=ID --from-literal=clientSecret=SECRET"
        if keys is None:
            yield Trouble(called(thing), f"Secret {namespace}/{name} does not exist", f"`{create} {values}`", namespace)
        elif missing:
            yield Trouble(
                called(thing),
                f"Secret {namespace}/{name} has no {' and no '.join(missing)}",
                f"`{create} {values} --dry-run=client -o yaml | kubectl apply -f -`",
                namespace,
            )
