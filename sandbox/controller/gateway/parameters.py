"""A Gateway's configuration: the class's LoadBalancerConfiguration and its own as one, and its target groups' defaults.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/loadbalancerconfig/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.controller.gateway.flavors import OWN_GROUP
from sandbox.controller.model.objects import Key, Objects, key, name_of
from sandbox.controller.model.stack import Json, ModelError

# Fields whose entries are put together, each entry known by a field of its own.
_LISTS: Mapping[str, str] = {
    "loadBalancerAttributes": "key",
    "listenerConfigurations": "protocolPort",
    "targetGroupAttributes": "key",
}
_LONGEST_RANK = 3


@dataclass(frozen=True)
class Parameters:
    """What was found: the merged spec, the defaults of target groups, and the objects that it was read from."""

    spec: Json = field(default_factory=dict)
    defaults: Json | None = None
    used: tuple[Json, ...] = ()


def parameters_reference(gateway: Json) -> Json | None:
    """The configuration a Gateway names, with its namespace."""
    reference = (gateway["spec"].get("infrastructure") or {}).get("parametersRef")
    return reference and reference | {"namespace": key(gateway)[0]}


def referenced(reference: Json | None, objects: Objects) -> Json | None:
    """The LoadBalancerConfiguration that a class or Gateway names; None where it names none.

    Raises:
        ModelError: it is of another kind, or not there.
    """
    if reference is None:
        return None
    if (reference["group"], reference["kind"]) != (OWN_GROUP, "LoadBalancerConfiguration"):
        raise ModelError(
            f"parametersRef is a {reference['group']}/{reference['kind']}, not a LoadBalancerConfiguration"
        )
    found = objects.get("LoadBalancerConfiguration", reference.get("namespace") or "", reference["name"])
    if found is None:
        raise ModelError(f"LoadBalancerConfiguration {reference.get('namespace')}/{reference['name']} not found")
    return found


def of_gateway(gateway: Json, gateway_class: Json, objects: Objects) -> Parameters:
    """The configuration of a Gateway.

    Raises:
        ModelError: something that it names is not there, or its class is not accepted (yet).
    """
    if not accepted(gateway_class):
        raise ModelError(f"GatewayClass {key(gateway_class)[1]} is not accepted")
    by_class = referenced(gateway_class["spec"].get("parametersRef"), objects)
    own = referenced(parameters_reference(gateway), objects)
    found = [one for one in (by_class, own) if one is not None]
    # The class goes first unless its configuration says otherwise.
    first = found[::-1] if by_class and by_class["spec"].get("mergingMode") == "prefer-gateway" else found
    defaults = [one for one in (_default(configuration, objects) for configuration in first) if one is not None]
    return Parameters(
        merged([one.get("spec") or {} for one in first]),
        _with_defaults(defaults),
        (*found, *defaults),
    )


def accepted(gateway_class: Json) -> bool:
    """Whether the class's condition says so."""
    conditions = (gateway_class.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Accepted" and one["status"] == "True" for one in conditions)


def merged(specs: Iterable[Json]) -> Json:
    """Specs (or target group properties) as one: the first that has a field wins, tags and lists are put together."""
    result: Json = {}
    for spec in specs:
        for name, value in spec.items():
            if name == "tags":
                result[name] = value | result.get(name, {})
            elif name in _LISTS:
                identity = _LISTS[name]
                have = {entry[identity] for entry in result.get(name, [])}
                result[name] = [*result.get(name, []), *(e for e in value if e[identity] not in have)]
            else:
                result.setdefault(name, value)
    return result


def _default(configuration: Json, objects: Objects) -> Json | None:
    reference = (configuration.get("spec") or {}).get("defaultTargetGroupConfiguration")
    if reference is None:
        return None
    namespace = key(configuration)[0]
    found = objects.get("TargetGroupConfiguration", namespace, reference["name"])
    if found is None:
        raise ModelError(
            f"TargetGroupConfiguration {namespace}/{reference['name']} not found, the default in "
            f"LoadBalancerConfiguration {name_of(configuration)}"
        )
    if found["spec"].get("targetReference"):
        raise ModelError(f"TargetGroupConfiguration {name_of(found)} has a targetReference: it cannot be a default")
    return found


def _with_defaults(configurations: list[Json]) -> Json | None:
    if not configurations:
        return None
    first = configurations[0]["spec"]
    return first | {"defaultConfiguration": merged(c["spec"].get("defaultConfiguration") or {} for c in configurations)}


def of_service(service: Key, objects: Objects) -> Json | None:
    """The TargetGroupConfiguration of a Service."""
    for one in sorted(objects.list("TargetGroupConfiguration", service[0]), key=key):
        target = one["spec"].get("targetReference") or {}
        if target.get("kind", "Service") == "Service" and target.get("name") == service[1]:
            return one
    return None


def target_group_properties(route: Json, configuration: Json | None, defaults: Json | None) -> Json:
    """The properties of a route's target groups: the Service's own configuration goes before the Gateway's default."""
    specs = [configuration["spec"]] if configuration else []
    return merged(_for_route(route, spec) for spec in [*specs, *([defaults] if defaults else [])])


def _for_route(route: Json, spec: Json) -> Json:
    best: Json = {}
    rank = 0
    for entry in spec.get("routeConfigurations") or []:
        this = _rank(route, entry["routeIdentifier"])
        if this > rank:
            best, rank = entry["targetGroupProps"], this
    return merged([best, spec.get("defaultConfiguration") or {}])


def _rank(route: Json, identifier: Json) -> int:
    """How closely an identifier names a route: 3 by its name, 2 by its namespace, 1 by its kind, 0 not at all."""
    namespace, name = key(route)
    if identifier.get("kind") != route["kind"]:
        return 0
    given = identifier.get("namespace") or "", identifier.get("name") or ""
    ranks = {(namespace, name): _LONGEST_RANK, (namespace, ""): 2, ("", ""): 1}
    return ranks.get(given, 0)
