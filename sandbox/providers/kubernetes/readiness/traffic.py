"""When what traffic comes through is ready: Services and Ingresses."""

from collections.abc import Sequence
from typing import Any, Final

from sandbox.providers.kubernetes.kinds import Kind, Selection
from sandbox.providers.kubernetes.readiness.rule import SELF, Objects, Settling, at, labels_of

_SLICES: Final = Kind("discovery.k8s.io", "v1", "EndpointSlice")
_SERVICES: Final = Kind("", "v1", "Service")
_NO_SERVICE_BEHIND_IT: Final = "use-annotation"  # the port name of an ALB action: such a backend is no Service


def _waits_for_pods(item: Any) -> bool:
    spec = item["spec"]
    return spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None" and bool(spec.get("selector"))


def slices_of(item: Any) -> dict[str, Selection]:
    """The endpoint slices of a Service that has pods."""
    if not _waits_for_pods(item):
        return {}
    labels = f"kubernetes.io/service-name={item['metadata']['name']}"
    return {"slices": Selection(_SLICES, item["metadata"]["namespace"], labels=labels)}


def _no_ready_endpoint(slices: Sequence[Any], what: str) -> list[str]:
    """`what`, if no endpoint is ready: while there are any, it is theirs to become so."""
    endpoints = [endpoint for part in slices for endpoint in part.get("endpoints") or ()]
    # No word on readiness means ready (EndpointSlice API, `conditions.ready`).
    if any(at(endpoint, "conditions", "ready") is not False for endpoint in endpoints):
        return []
    return [what if endpoints else Settling(what)]


def service(objects: Objects) -> Sequence[str]:
    """It has a ready endpoint (if it selects pods at all) and, as a load balancer, an address."""
    (item,) = objects[SELF]
    lacking: list[str] = []
    if _waits_for_pods(item):
        what = f"no pod that matches {labels_of(item['spec']['selector'])} is ready"
        lacking += _no_ready_endpoint(objects.get("slices", ()), what)
    if item["spec"].get("type") == "LoadBalancer" and not at(item, "status", "loadBalancer", "ingress"):
        by = item["spec"].get("loadBalancerClass")
        lacking.append("it has no load balancer address" + (f" (its controller is {by})" if by else ""))
    return lacking


def _backends(item: Any) -> set[str]:
    spec = item["spec"]
    paths = (path for rule in spec.get("rules") or () for path in at(rule, "http", "paths") or ())
    backends = [spec.get("defaultBackend"), *(path.get("backend") for path in paths)]
    services = (at(backend, "service") for backend in backends)
    return {
        one["name"] for one in services if one and at(one, "port", "name") != _NO_SERVICE_BEHIND_IT and one.get("name")
    }


def around_an_ingress(item: Any) -> dict[str, Selection]:
    """The Services that an Ingress may mean, and their endpoint slices."""
    namespace = item["metadata"]["namespace"]
    if not _backends(item):
        return {}
    return {"services": Selection(_SERVICES, namespace), "slices": Selection(_SLICES, namespace)}


def ingress(objects: Objects) -> Sequence[str]:
    """It has an address, and the services behind it have endpoints."""
    (item,) = objects[SELF]
    services = {one["metadata"]["name"]: one for one in objects.get("services", ())}
    lacking: list[str] = []
    for name in sorted(_backends(item)):
        slices = [
            part
            for part in objects.get("slices", ())
            if at(part, "metadata", "labels", "kubernetes.io/service-name") == name
        ]
        if name not in services:
            lacking.append(Settling(f"its backend service {name} does not exist"))
        elif _waits_for_pods(services[name]):
            lacking += _no_ready_endpoint(slices, f"its backend service {name} has no ready pod")
    if not at(item, "status", "loadBalancer", "ingress"):
        by = item["spec"].get("ingressClassName")
        lacking.append("it has no load balancer address" + (f" (its class is {by})" if by else ""))
    return lacking
