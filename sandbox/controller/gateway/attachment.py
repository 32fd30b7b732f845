"""Which listeners of a Gateway are valid, and which routes attach to them.

Listeners come from the Gateway and from the ListenerSets that it lets in; of two that contradict each other the first
stays. A route attaches where its parentRef, the listener's namespaces and kinds, and both hostnames allow.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sandbox.controller.gateway.flavors import LISTENER_SETS, ROUTES_BY_PROTOCOL, Flavor
from sandbox.controller.gateway.hostnames import common, valid
from sandbox.controller.model.objects import Key, Objects, key, matches
from sandbox.controller.model.stack import Json
from sandbox.controller.settings import Settings

_PORTS = range(1, 65536)
_WITH_HOSTNAMES = ("HTTPRoute", "GRPCRoute", "TLSRoute")
ACCEPTED = "Accepted"


@dataclass
class Listener:
    """A listener as its owner (Gateway or ListenerSet) has it, and what became of it.

    `reason` is the Gateway API's: `Accepted`, or why it is not valid.
    """

    spec: Json
    owner: Json
    reason: str = ACCEPTED
    message: str = "Listener is accepted."
    kinds: tuple[str, ...] = ()
    attached: int = 0

    @property
    def valid(self) -> bool:
        """Whether it is served."""
        return self.reason == ACCEPTED


@dataclass(frozen=True)
class Served:
    """A route on a port, with the hostnames it is served for there (none: all)."""

    route: Json
    hostnames: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one parentRef of a route; `reason` and `message` of what is not true."""

    route: Json
    parent: Json
    accepted: bool = True
    resolved: bool = True
    reason: str = ACCEPTED
    message: str = ""


@dataclass
class Attachment:
    """Everything that was found out."""

    listeners: list[Listener] = field(default_factory=list[Listener])
    rejected: list[Json] = field(default_factory=list[Json])
    routes: dict[int, list[Served]] = field(default_factory=dict[int, list[Served]])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def of(self, owner: Json) -> list[Listener]:
        """An owner's listeners."""
        return [listener for listener in self.listeners if listener.owner is owner]

    @property
    def owners(self) -> list[Json]:
        """The Gateway and its ListenerSets."""
        return list({id(listener.owner): listener.owner for listener in self.listeners}.values())

    @property
    def served(self) -> list[Listener]:
        """The valid listeners."""
        return [listener for listener in self.listeners if listener.valid]


def attach(gateway: Json, flavor: Flavor, objects: Objects, settings: Settings) -> Attachment:
    """Who attaches to a Gateway."""
    result = Attachment()
    owners = [gateway]
    if settings.gate(LISTENER_SETS):
        sets = [one for one in objects.list("ListenerSet") if refers(one["spec"]["parentRef"], one, gateway)]
        let_in = [one for one in sets if _lets_in(gateway, one, objects)]
        result.rejected = [one for one in sets if one not in let_in]
        owners += sorted(let_in, key=lambda s: (s["metadata"].get("creationTimestamp", ""), key(s)))
    result.listeners = list(_validated(owners, flavor))
    found: dict[int, dict[tuple[str, Key], tuple[Json, dict[str, None]]]] = {}
    for listener in result.served:
        found.setdefault(listener.spec["port"], {})
    for kind in flavor.routes:
        for route in sorted(objects.list(kind), key=key):
            for parent in route["spec"].get("parentRefs") or []:
                owner = next((one for one in owners if refers(parent, route, one)), None)
                if owner is None:
                    continue
                refusals = _try_all(parent, route, result.of(owner), found, objects)
                result.outcomes.append(refusals[0] if refusals else Outcome(route, parent))
    for port, routes in found.items():
        result.routes[port] = [
            Served(route, tuple(hosts) or tuple(route["spec"].get("hostnames") or ()))
            for route, hosts in routes.values()
        ]
    return result


def refers(reference: Json, whose: Json, parent: Json) -> bool:
    """Whether a parentRef of an object means the Gateway or ListenerSet."""
    namespace = reference.get("namespace") or key(whose)[0]
    return (reference.get("kind") or "Gateway") == parent["kind"] and (namespace, reference["name"]) == key(parent)


def _try_all(
    parent: Json,
    route: Json,
    listeners: Iterable[Listener],
    found: dict[int, dict[tuple[str, Key], tuple[Json, dict[str, None]]]],
    objects: Objects,
) -> list[Outcome]:
    """Attach a route to the listeners its parentRef names; why to none of them, empty where it is attached."""
    refusals: list[Outcome] = []
    attached = False
    for listener in listeners:
        spec = listener.spec
        if parent.get("sectionName") not in (None, spec["name"]) or parent.get("port") not in (None, spec["port"]):
            continue
        hostnames, reason, message = _allowed(route, listener, objects)
        if reason:
            refusals.append(Outcome(route, parent, accepted=False, reason=reason, message=message))
            continue
        attached = True
        listener.attached += 1
        if listener.valid:
            _, known = found[spec["port"]].setdefault((route["kind"], key(route)), (route, {}))
            known.update(dict.fromkeys(hostnames))
    if attached:
        return []
    nowhere = Outcome(
        route, parent, accepted=False, reason="NoMatchingParent", message="no listener has this name and port"
    )
    return refusals or [nowhere]


def _allowed(route: Json, listener: Listener, objects: Objects) -> tuple[list[str], str, str]:
    """The hostnames a route and a listener share (none where neither limits the other), or why it is refused."""
    spec = listener.spec
    allowed = spec.get("allowedRoutes") or {}
    namespaces = allowed.get("namespaces") or {}
    if not _namespace_fits(namespaces, "Same", route, listener.owner, objects):
        return [], "NotAllowedByListeners", f"listener {spec['name']} does not take routes of this namespace"
    kinds = [one["kind"] for one in allowed.get("kinds") or []] or ROUTES_BY_PROTOCOL.get(spec["protocol"], ())
    if route["kind"] not in kinds:
        return [], "NotAllowedByListeners", f"listener {spec['name']} does not take routes of this kind"
    own, wanted = spec.get("hostname"), route["spec"].get("hostnames") or []
    if route["kind"] not in _WITH_HOSTNAMES or not own:
        return [], "", ""
    if not wanted:
        return [own], "", ""
    shared = [one for name in wanted if valid(name) and (one := common(name, own))]
    if not shared or not valid(own):
        return [], "NoMatchingListenerHostname", f"listener {spec['name']} serves {own}, none of the route's hostnames"
    return shared, "", ""


def _namespace_fits(namespaces: Json, default: str, obj: Json, owner: Json, objects: Objects) -> bool:
    match namespaces.get("from") or default:
        case "All":
            return True
        case "Same":
            return key(obj)[0] == key(owner)[0]
        case "Selector":
            namespace = objects.get("Namespace", "", key(obj)[0])
            selector = namespaces.get("selector")
            labels = namespace["metadata"].get("labels") or {} if namespace else {}
            return selector is not None and matches(selector, labels)
        case _:
            return False


def _lets_in(gateway: Json, listener_set: Json, objects: Objects) -> bool:
    namespaces = (gateway["spec"].get("allowedListeners") or {}).get("namespaces") or {}
    return _namespace_fits(namespaces, "None", listener_set, gateway, objects)


def _validated(owners: Iterable[Json], flavor: Flavor) -> Iterator[Listener]:
    protocols: dict[int, str] = {}
    hosts: set[tuple[int, str]] = set()
    for owner in owners:
        for spec in owner["spec"].get("listeners") or []:
            given = [one["kind"] for one in (spec.get("allowedRoutes") or {}).get("kinds") or []]
            kinds = tuple(k for k in given if k in flavor.routes)
            if not given:
                kinds = ROUTES_BY_PROTOCOL.get(spec["protocol"], ())
            reason, message = _problem(spec, given, flavor, protocols, hosts)
            if reason:
                yield Listener(spec, owner, reason, message, kinds)
                continue
            protocols.setdefault(spec["port"], spec["protocol"])
            if spec.get("hostname"):
                hosts.add((spec["port"], spec["hostname"]))
            yield Listener(spec, owner, kinds=kinds)


def _problem(
    spec: Json, kinds: Iterable[str], flavor: Flavor, protocols: dict[int, str], hosts: set[tuple[int, str]]
) -> tuple[str, str]:
    name, port, protocol = spec["name"], spec["port"], spec["protocol"]
    if unknown := [kind for kind in kinds if kind not in flavor.routes]:
        return "InvalidRouteKinds", f"listener {name}: {flavor.controller} serves no {unknown[0]}"
    if port not in _PORTS:
        return "PortUnavailable", f"listener {name}: there is no port {port}"
    if protocol not in flavor.protocols:
        return "UnsupportedProtocol", f"listener {name}: {flavor.controller} serves no {protocol}"
    before = protocols.get(port, protocol)
    if before != protocol and {before, protocol} != {"TCP", "UDP"}:
        return "ProtocolConflict", f"listener {name}: port {port} is {before} already"
    if spec.get("hostname") and (port, spec["hostname"]) in hosts:
        return "HostnameConflict", f"listener {name}: port {port} serves {spec['hostname']} already"
    return "", ""
