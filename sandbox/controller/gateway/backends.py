"""What a route's rules lead to: Services, target groups by name, and the ListenerRuleConfiguration of each rule.

A reference that leads nowhere makes the route unresolved, not the Gateway; a rule without any backend answers 500.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox.controller.gateway.flavors import GROUP, OWN_GROUP
from sandbox.controller.gateway.parameters import of_service, target_group_properties
from sandbox.controller.model.objects import Key, Objects, key, name_of
from sandbox.controller.model.stack import Json, ModelError

TARGET_GROUP_NAME = "TargetGroupName"
_HEAVIEST = 999
# Reasons that speak against the route itself; all others say that it is fine but leads nowhere.
_AGAINST_THE_ROUTE = frozenset({"UnsupportedValue", "IncompatibleFilters"})


@dataclass(frozen=True)
class Backend:
    """A Service's port with the properties of its target group, or a target group that is there already, by name."""

    weight: int
    service: Json | None = None
    port: Json | None = None
    properties: Json | None = None
    target_group: str = ""


@dataclass(frozen=True)
class RouteRule:
    """A route's rule with what it refers to."""

    spec: Json
    backends: tuple[Backend, ...]
    configuration: Json | None = None


RouteRules = dict[tuple[str, Key], list[RouteRule]]
"""The rules of routes, by kind and place."""


@dataclass(frozen=True)
class Problem:
    """Why a reference leads nowhere: the Gateway API's reason, and words."""

    reason: str
    message: str

    @property
    def accepted(self) -> bool:
        """Whether the route is accepted all the same."""
        return self.reason not in _AGAINST_THE_ROUTE


def rules(route: Json, defaults: Json | None, objects: Objects) -> tuple[list[RouteRule], list[Problem]]:
    """A route's rules, and what is wrong with their references.

    Args:
        route: the route.
        defaults: the Gateway's default TargetGroupConfiguration.
        objects: the cluster.

    Raises:
        ModelError: a weight that AWS does not take.
    """
    loaded: list[RouteRule] = []
    problems: list[Problem] = []
    for spec in route["spec"].get("rules") or []:
        backends: list[Backend] = []
        configuration = _configuration(route, spec, objects)
        if isinstance(configuration, Problem):
            problems.append(configuration)
            loaded.append(RouteRule(spec, ()))
            continue
        for reference in spec.get("backendRefs") or []:
            backend = _backend(route, reference, defaults, objects)
            if isinstance(backend, Problem):
                problems.append(backend)
            else:
                backends.append(backend)
        loaded.append(RouteRule(spec, tuple(backends), configuration))
    return loaded, problems


def service_references(route: Json) -> Iterator[Key]:
    """The Services that a route refers to."""
    for rule in route["spec"].get("rules") or []:
        for reference in rule.get("backendRefs") or []:
            if (reference.get("kind") or "Service") == "Service":
                yield reference.get("namespace") or key(route)[0], reference["name"]


def configuration_references(rule: Json) -> list[str]:
    """Names of the ListenerRuleConfigurations in a rule's filters."""
    extensions = [f.get("extensionRef") or {} for f in rule.get("filters") or [] if f["type"] == "ExtensionRef"]
    return [
        e["name"] for e in extensions if (e.get("group"), e.get("kind")) == (OWN_GROUP, "ListenerRuleConfiguration")
    ]


def _configuration(route: Json, rule: Json, objects: Objects) -> Json | Problem | None:
    names = configuration_references(rule)
    if not names:
        return None
    if len(names) > 1:
        return Problem("IncompatibleFilters", f"a rule takes one ListenerRuleConfiguration, not {', '.join(names)}")
    found = objects.get("ListenerRuleConfiguration", key(route)[0], names[0])
    if found is None:
        return Problem("IncompatibleFilters", f"ListenerRuleConfiguration {key(route)[0]}/{names[0]} not found")
    status = found.get("status") or {}
    if not status.get("accepted"):
        why = status.get("message") or "it was not looked at yet"
        return Problem("IncompatibleFilters", f"ListenerRuleConfiguration {name_of(found)} is not accepted: {why}")
    return found


def _backend(route: Json, reference: Json, defaults: Json | None, objects: Objects) -> Backend | Problem:
    weight = reference.get("weight", 1)
    if weight > _HEAVIEST:
        raise ModelError(f"weight {weight} of backend {reference['name']}: a load balancer takes at most {_HEAVIEST}")
    match reference.get("kind") or "Service":
        case "Service":
            return _service(route, reference, weight, defaults, objects)
        case str(kind) if kind == TARGET_GROUP_NAME:
            return Backend(weight, target_group=reference["name"])
        case kind:
            return Problem("InvalidKind", f"backend {reference['name']} is a {kind}: this stand-in serves none")


def _service(route: Json, reference: Json, weight: int, defaults: Json | None, objects: Objects) -> Backend | Problem:
    if reference.get("port") is None:
        return Problem("UnsupportedValue", f"backend {reference['name']} has no port")
    where = reference.get("namespace") or key(route)[0], reference["name"]
    # Whether the Service is there is nobody's business who may not refer to it.
    if where[0] != key(route)[0] and not granted(route, where, objects.list("ReferenceGrant", where[0])):
        return Problem("RefNotPermitted", f"no ReferenceGrant lets the route refer to Service {'/'.join(where)}")
    service = objects.get("Service", *where)
    if service is None:
        return Problem("BackendNotFound", f"Service {'/'.join(where)} not found")
    port = next((p for p in service["spec"].get("ports") or [] if p["port"] == reference["port"]), None)
    if port is None:
        return Problem("BackendNotFound", f"Service {'/'.join(where)} has no port {reference['port']}")
    properties = target_group_properties(route, of_service(where, objects), defaults)
    return Backend(weight, service, port, properties)


def granted(route: Json, service: Key, grants: Iterable[Json]) -> bool:
    """Whether one of the grants of a Service's namespace lets a route of another namespace refer to it."""
    wanted = {"group": GROUP, "kind": route["kind"], "namespace": key(route)[0]}
    return any(
        any(wanted.items() <= one.items() for one in grant["spec"].get("from") or [])
        and any(
            (one.get("group", ""), one.get("kind")) == ("", "Service") and one.get("name") in (None, service[1])
            for one in grant["spec"].get("to") or []
        )
        for grant in grants
    )
