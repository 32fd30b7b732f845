"""How it went, in the words of the Gateway API: conditions of classes, Gateways, listeners, ListenerSets and routes."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.controller.gateway.attachment import ACCEPTED, Attachment, Listener, Outcome
from sandbox.controller.gateway.flavors import GROUP, LISTENER_SETS, Flavor
from sandbox.controller.model.stack import Json
from sandbox.controller.settings import Settings

_CONFLICTS = ("HostnameConflict", "ProtocolConflict")
_NOT_ACCEPTED = ("PortUnavailable", "UnsupportedProtocol", *_CONFLICTS)
_LONGEST = 32000


@dataclass(frozen=True)
class Balancer:
    """A load balancer as its Gateway's status shows it."""

    arn: str
    host: str
    active: bool


def condition(kind: str, status: bool | None, reason: str, message: str, generation: int) -> Json:  # noqa: FBT001
    """One condition; `status` None stands for Unknown."""
    return {
        "type": kind,
        "status": "Unknown" if status is None else str(status),
        "reason": reason,
        "message": message[:_LONGEST],
        "observedGeneration": generation,
    }


def _generation(obj: Json) -> int:
    return obj["metadata"].get("generation", 0)


def of_class(gateway_class: Json, problem: tuple[str, str] | None) -> Json:
    """The status of a GatewayClass; `problem` is reason and message of one that is not accepted."""
    reason, message = problem or (ACCEPTED, ACCEPTED)
    return {"conditions": [condition("Accepted", problem is None, reason, message, _generation(gateway_class))]}


def of_gateway(gateway: Json, attachment: Attachment, balancer: Balancer, settings: Settings) -> Json:
    """The status of a Gateway whose load balancer is there."""
    generation, active = _generation(gateway), balancer.active
    all_valid = all(listener.valid for listener in attachment.listeners)
    reason = ACCEPTED if all_valid else "ListenersNotValid"
    programmed = (
        (True, "Programmed", balancer.arn) if active else (None, "Pending", "the load balancer is not active yet")
    )
    status: Json = {
        "addresses": [{"type": "Hostname", "value": balancer.host}],
        "conditions": [
            condition("Accepted", bool(attachment.served), reason, "", generation),
            condition("Programmed", *programmed, generation),
        ],
        "listeners": [_listener(listener, generation, programmed=active) for listener in attachment.of(gateway)],
    }
    if settings.gate(LISTENER_SETS):
        owners = {id(listener.owner) for listener in attachment.served if listener.owner is not gateway}
        status["attachedListenerSets"] = len(owners)
    return status


def of_failed_gateway(gateway: Json, message: str) -> Json:
    """The status of a Gateway from which nothing can be made."""
    return {"conditions": [condition("Accepted", False, "Invalid", message, _generation(gateway))]}  # noqa: FBT003


def of_listener_set(listener_set: Json, listeners: Sequence[Listener], *, active: bool) -> Json:
    """The status of a ListenerSet that its Gateway lets in."""
    generation = _generation(listener_set)
    some, everything = any(ls.valid for ls in listeners), all(ls.valid for ls in listeners)
    accepted = (ACCEPTED, ACCEPTED) if everything else ("ListenersNotValid", "some listeners are not valid")
    programmed = ("Programmed", "Programmed")
    if not active:
        programmed = ("Pending", "the Gateway is not programmed yet")
    elif not some:
        programmed = ("ListenersNotValid", "no listener is valid")
    return {
        "conditions": [
            condition("Accepted", some, *accepted, generation),
            condition("Programmed", active and some, *programmed, generation),
        ],
        "listeners": [_listener(listener, generation, programmed=active and some) for listener in listeners],
    }


def of_rejected_set(listener_set: Json) -> Json:
    """The status of a ListenerSet that its Gateway does not let in."""
    why = ("NotAllowed", "the Gateway does not let this ListenerSet in", _generation(listener_set))
    return {"conditions": [condition(kind, False, *why) for kind in ("Accepted", "Programmed")], "listeners": []}  # noqa: FBT003


def _listener(listener: Listener, generation: int, *, programmed: bool) -> Json:
    reason, message = listener.reason, listener.message
    conflict = (True, reason, message) if reason in _CONFLICTS else (False, "NoConflicts", "")
    accepted = (False, reason, message) if reason in _NOT_ACCEPTED else (True, ACCEPTED, "")
    resolved = (False, reason, message) if reason == "InvalidRouteKinds" else (True, "ResolvedRefs", "")
    served = (True, "Programmed", "") if programmed else (False, "Pending", "the load balancer is not active yet")
    if not listener.valid:
        served = (False, reason, message)
    return {
        "name": listener.spec["name"],
        "supportedKinds": [{"group": GROUP, "kind": kind} for kind in listener.kinds],
        "attachedRoutes": listener.attached,
        "conditions": [
            condition("Conflicted", *conflict, generation),
            condition("Accepted", *accepted, generation),
            condition("ResolvedRefs", *resolved, generation),
            condition("Programmed", *served, generation),
        ],
    }


def of_route(route: Json, outcomes: Iterable[Outcome], flavor: Flavor) -> Json:
    """The status of a route: what these outcomes say, and what others (and other Gateways of ours) said before."""
    generation = _generation(route)
    entries = {_parent_key(o.parent): _route_parent(o, flavor, generation) for o in outcomes}
    parents = {_parent_key(parent) for parent in route["spec"].get("parentRefs") or []}
    result: list[Json] = []
    for entry in (route.get("status") or {}).get("parents") or []:
        identity = _parent_key(entry["parentRef"])
        if entry["controllerName"] != flavor.controller:
            result.append(entry)
        elif identity in entries:
            result.append(entries.pop(identity))
        elif identity in parents:
            result.append(entry)
    return {"parents": [*result, *entries.values()]}


def _route_parent(outcome: Outcome, flavor: Flavor, generation: int) -> Json:
    accepted = (True, ACCEPTED, "") if outcome.accepted else (False, outcome.reason, outcome.message)
    resolved = (True, "ResolvedRefs", "") if outcome.resolved else (False, outcome.reason, outcome.message)
    return {
        "parentRef": outcome.parent,
        "controllerName": flavor.controller,
        "conditions": [
            condition("Accepted", *accepted, generation),
            condition("ResolvedRefs", *resolved, generation),
        ],
    }


def _parent_key(parent: Json) -> tuple[object, ...]:
    return tuple(parent.get(field) for field in ("group", "kind", "namespace", "name", "sectionName", "port"))


def dated(wanted: Json, current: Json | None) -> Json:
    """A status with the times of its conditions: as before where a condition's status is as before."""
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return _dated(wanted, current or {}, now)


def _dated(wanted: Json, current: Json, now: str) -> Json:
    result = dict(wanted)
    for field, identity in (("listeners", "name"), ("parents", "parentRef")):
        before = {str(one[identity]): one for one in current.get(field) or []}
        if field in wanted:
            result[field] = [_dated(one, before.get(str(one[identity]), {}), now) for one in wanted[field]]
    if "conditions" in wanted:
        old = {one["type"]: one for one in current.get("conditions") or []}
        kept = [one for kind, one in old.items() if kind not in {c["type"] for c in wanted["conditions"]}]
        result["conditions"] = [
            *kept,
            *(_condition_dated(one, old.get(one["type"]), now) for one in wanted["conditions"]),
        ]
    return result


def _condition_dated(wanted: Json, old: Json | None, now: str) -> Json:
    same = old is not None and old["status"] == wanted["status"]
    return wanted | {"lastTransitionTime": old["lastTransitionTime"] if old and same else now}
