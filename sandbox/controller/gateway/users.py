"""Who uses a GatewayClass or a configuration: what keeps it from going."""

from sandbox.controller.gateway.backends import configuration_references, service_references
from sandbox.controller.gateway.flavors import FLAVORS
from sandbox.controller.gateway.parameters import parameters_reference
from sandbox.controller.model.objects import Objects, key
from sandbox.controller.model.stack import Json


def routes(objects: Objects) -> list[Json]:
    """The routes of all kinds that are served."""
    return [route for flavor in FLAVORS.values() for kind in flavor.routes for route in objects.list(kind)]


def users(obj: Json, objects: Objects) -> list[Json]:
    """The objects that refer to it."""
    where = key(obj)
    match obj["kind"]:
        case "GatewayClass":
            return [one for one in objects.list("Gateway") if one["spec"]["gatewayClassName"] == where[1]]
        case "LoadBalancerConfiguration":
            by_class = [(one, one["spec"].get("parametersRef")) for one in objects.list("GatewayClass")]
            own = [(one, parameters_reference(one)) for one in objects.list("Gateway", where[0])]
            named = [(one, reference) for one, reference in [*by_class, *own] if reference]
            return [one for one, reference in named if (reference.get("namespace"), reference["name"]) == where]
        case "TargetGroupConfiguration":
            target = obj["spec"].get("targetReference")
            if target:
                return [one for one in routes(objects) if (where[0], target["name"]) in service_references(one)]
            configurations = objects.list("LoadBalancerConfiguration", where[0])
            named = [(one, one["spec"].get("defaultTargetGroupConfiguration")) for one in configurations]
            return [one for one, reference in named if reference and reference["name"] == where[1]]
        case _:
            return [
                one
                for one in routes(objects)
                if key(one)[0] == where[0]
                and any(where[1] in configuration_references(rule) for rule in one["spec"].get("rules") or [])
            ]
