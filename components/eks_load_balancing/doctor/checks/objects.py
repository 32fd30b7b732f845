"""Objects that ask for a load balancer, and what the controller reports on them."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from eks_load_balancing.controller.guard import FINALIZERS
from eks_load_balancing.doctor.events import last_reports, moment, text_of, time_of
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH, log
from eks_load_balancing.doctor.lookups import called, key
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.doctor.remedies import remedy

_FINALIZERS: Final = "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/"
_EVENTS: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/"
STUCK_AFTER: Final = dt.timedelta(minutes=5)
"""Longer than the controller takes to remove a load balancer and its security groups."""
RECENT: Final = dt.timedelta(hours=1)


def _watched(facts: Facts) -> list[Object]:
    return [*facts.services, *facts.ingresses, *facts.bindings, *facts.gateways]


@check(link=_FINALIZERS)
def objects_are_not_stuck(facts: Facts) -> Iterator[Trouble]:
    """The controller removes its finalizers from a deleted object within minutes.

    If the controller is gone, or may not delete, its finalizers remain: object, namespace and destroy wait for ever. If
    no controller runs, the object is stuck at once.
    """
    running = any(d.get("status", {}).get("readyReplicas", 0) for d in facts.deployments)
    for thing in _watched(facts):
        meta = thing["metadata"]
        held = [f for f in meta.get("finalizers") or [] if f.startswith((*FINALIZERS, "gateway.k8s.aws"))]
        since = meta.get("deletionTimestamp")
        if not held or not since or (running and facts.now - moment(since) <= STUCK_AFTER):
            continue
        namespace, name = key(thing)
        patch = (
            f"`kubectl patch {thing['kind'].lower()} -n {namespace} {name} --type=merge"
            """ -p '{"metadata":{"finalizers":null}}'`"""
        )
        yield Trouble(
            called(thing),
            f"it was deleted at {since} and is held by {', '.join(held)}"
            + ("" if running else "; no controller runs that could remove them"),
            f"correct what the controller's log names; or delete its load balancer in AWS yourself, then {patch}"
            if running
            else f"run the controller again, which removes its load balancer: {REFRESH}, or"
            f" {_scaled(facts)}; if it is gone for good, delete what it made in AWS, then {patch}",
            namespace,
            log(facts) if running else "",
        )


def _scaled(facts: Facts) -> str:
    if not facts.deployments:
        return "install its chart again"
    namespace, name = key(facts.deployments[0])
    return f"`kubectl scale -n {namespace} deployment/{name} --replicas=2`"


@check(severity="medium", link=_EVENTS)
def objects_have_no_warnings(facts: Facts) -> Iterator[Trouble]:
    """The controller's last report on an object in the last hour is no Warning.

    Its Warnings name what it could not do; it tries again: FailedBuildModel, FailedDeployModel, BackendNotFound, ...
    Events of other components on the same objects do not count.
    """
    alive = {(thing["kind"], *key(thing)): thing for thing in _watched(facts)}
    for about, event in last_reports(facts).items():
        if event["type"] == "Warning" and about in alive and facts.now - time_of(event) < RECENT:
            thing = alive[about]
            fix, see = remedy(facts, thing, event)
            yield Trouble(called(thing), text_of(event), fix, key(thing)[0], see)
