"""Objects that ask for a load balancer, and do not get on."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from eks_load_balancing.controller_guard import FINALIZERS
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import annotations_of, called, key
from eks_load_balancing.doctor.registry import Trouble, check

_FINALIZERS: Final = "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/"
_EVENTS: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/"
_CLASSES: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/"
CONTROLLER: Final = "ingress.k8s.aws/alb"
"""What an IngressClass of the controller's names as its controller."""
STUCK_AFTER: Final = dt.timedelta(minutes=5)
"""Longer than the controller takes to remove a load balancer and its security groups."""
RECENT: Final = dt.timedelta(hours=1)
_DEFAULT_CLASS: Final = "ingressclass.kubernetes.io/is-default-class"
_OLD_CLASS: Final = "kubernetes.io/ingress.class"


def moment(text: str | None) -> dt.datetime:
    """Return a time as Kubernetes writes it; long ago for none."""
    return dt.datetime.fromisoformat(text) if text else dt.datetime.min.replace(tzinfo=dt.UTC)


def _watched(facts: Facts) -> list[Object]:
    return [*facts.services, *facts.ingresses, *facts.bindings, *facts.gateways]


@check(
    "objects-are-not-stuck",
    demand="What is deleted is gone within minutes: the controller takes its finalizers back.",
    severity="high",
    link=_FINALIZERS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A controller that is gone, or may not delete, leaves its finalizers.

    The object, its namespace and a destroy wait for ever.
    """
    for thing in _watched(facts):
        meta = thing["metadata"]
        held = [f for f in meta.get("finalizers") or [] if f.startswith((*FINALIZERS, "gateway.k8s.aws"))]
        since = meta.get("deletionTimestamp")
        if held and since and facts.now - moment(since) > STUCK_AFTER:
            namespace, name = key(thing)
            yield Trouble(
                called(thing),
                f"it is being deleted since {since} and held by {', '.join(held)}",
                "see the controller's log; if it is gone for good, remove what carries its tags, then"
                f" kubectl patch {thing['kind'].lower()} -n {namespace} {name} --type=merge"
                """ -p '{"metadata":{"finalizers":null}}'""",
                namespace,
            )


@check(
    "objects-have-no-warnings",
    demand="The controller's last word on an object within the hour is no Warning.",
    severity="medium",
    link=_EVENTS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """It says what it could not do, and goes on trying: FailedBuildModel, FailedDeployModel, BackendNotFound, ..."""
    alive = {(t["kind"], *key(t)) for t in _watched(facts)}
    last: dict[tuple[str, str, str], Object] = {}
    for event in sorted(facts.events, key=_time):
        about = event["involvedObject"]
        last[about["kind"], about.get("namespace", ""), about["name"]] = event
    for (kind, namespace, name), event in last.items():
        if event["type"] == "Warning" and (kind, namespace, name) in alive and facts.now - _time(event) < RECENT:
            yield Trouble(
                f"{kind} {namespace}/{name}",
                f"{event['reason']}: {' '.join(event.get('message', '').split())}",
                f"kubectl describe {kind.lower()} -n {namespace} {name}",
                namespace,
            )


def _time(event: Object) -> dt.datetime:
    series = (event.get("series") or {}).get("lastObservedTime")
    return max(
        moment(text)
        for text in (series, event.get("lastTimestamp"), event.get("eventTime"), event.get("firstTimestamp"))
    )


@check(
    "ingresses-have-a-class",
    demand="Every Ingress names an IngressClass that is there, with its parameters, or there is a default one.",
    severity="high",
    link=_CLASSES,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """An Ingress of no class, or of one that nobody made, is nobody's: no address, no event, no log line."""
    classes = {c["metadata"]["name"]: c for c in facts.ingress_classes}
    default = any(annotations_of(c).get(_DEFAULT_CLASS) == "true" for c in facts.ingress_classes)
    for ingress in facts.ingresses:
        named = ingress["spec"].get("ingressClassName")
        if named is not None and named not in classes:
            what = f"its class {named} is not there (there are: {', '.join(sorted(classes)) or 'none'})"
        elif named is None and _OLD_CLASS not in annotations_of(ingress) and not default:
            what = "it names no class, and no class is the default"
        else:
            continue
        namespace, name = key(ingress)
        yield Trouble(
            called(ingress),
            what,
            f"kubectl patch ingress -n {namespace} {name} --type=merge"
            """ -p '{"spec":{"ingressClassName":"alb"}}', or make the class with controller """ + CONTROLLER,
            namespace,
        )
    params = {p["metadata"]["name"] for p in facts.ingress_class_params}
    for name, one in classes.items():
        wanted = (one["spec"].get("parameters") or {}).get("name")
        if one["spec"].get("controller") == CONTROLLER and wanted and wanted not in params:
            yield Trouble(
                called(one),
                f"its IngressClassParams {wanted} are not there",
                f"make IngressClassParams {wanted}, or make class {name} anew without spec.parameters",
            )
