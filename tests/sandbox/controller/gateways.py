"""Gateways, routes and configurations as plain values, and the stack that they come to."""

from typing import Any

from sandbox.controller.gateway.balancer import build
from sandbox.controller.gateway.flavors import FLAVORS
from sandbox.controller.gateway.parameters import of_gateway
from sandbox.controller.gateway.plan import Plan, plan
from sandbox.controller.model.stack import Json, Stack
from sandbox.controller.settings import Settings
from tests.sandbox.controller.fakes import SETTINGS, Cluster, FakeAws

ACCEPTED: Json = {"conditions": [{"type": "Accepted", "status": "True"}]}


def an_object(kind: str, name: str, spec: Json, namespace: str = "shop", **meta: Any) -> Json:
    return {"kind": kind, "metadata": {"namespace": namespace, "name": name, "generation": 1} | meta, "spec": spec}


def a_class(flavor: str = "alb", **spec: Any) -> Json:
    spec = {"controllerName": f"gateway.k8s.aws/{flavor}"} | spec
    return {"kind": "GatewayClass", "metadata": {"name": flavor}, "spec": spec, "status": ACCEPTED}


def a_gateway(*listeners: Json, of: str = "alb", **more: Any) -> Json:
    meta = {"uid": "uid-gateway"} | more.pop("meta", {})
    default = a_listener(80, "HTTP" if of == "alb" else "TCP")
    spec = {"gatewayClassName": of, "listeners": list(listeners or [default])} | more
    return an_object("Gateway", "edge", spec, **meta)


def a_listener(port: int, protocol: str, **more: Any) -> Json:
    return {"name": f"{protocol.lower()}-{port}", "port": port, "protocol": protocol} | more


def a_route(*rules: Json, kind: str = "HTTPRoute", name: str = "shop", **more: Any) -> Json:
    namespace, meta = more.pop("namespace", "shop"), more.pop("meta", {})
    parent = {"name": "edge", "namespace": "shop"} | more.pop("parent", {})
    spec = {"parentRefs": [parent], "rules": list(rules) or [{"backendRefs": [to("web")]}]} | more
    return an_object(kind, name, spec, namespace, **meta)


def to(service: str, port: int = 80, **more: Any) -> Json:
    return {"name": service, "port": port} | more


def balancer_configuration(**spec: Any) -> Json:
    return an_object("LoadBalancerConfiguration", "edge", spec)


CONFIGURED: Json = {"parametersRef": {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "edge"}}
"""A Gateway's `infrastructure` that names it."""


def planned(*objects: Json, settings: Settings = SETTINGS) -> Plan:
    """A Gateway, its class and the rest of the cluster, read."""
    cluster = Cluster(*objects)
    (gateway,), (its_class,) = cluster.list("Gateway"), cluster.list("GatewayClass")
    flavor = FLAVORS[its_class["spec"]["controllerName"]]
    return plan(gateway, flavor, of_gateway(gateway, its_class, cluster), cluster, settings)


def gateway_stack(*objects: Json, settings: Settings = SETTINGS, aws: FakeAws | None = None) -> Stack:
    """What they come to; the class is the Gateway's where none is among them."""
    (gateway,) = Cluster(*objects).list("Gateway")
    if not Cluster(*objects).list("GatewayClass"):
        objects = (*objects, a_class(gateway["spec"]["gatewayClassName"]))
    flavor = FLAVORS[Cluster(*objects).list("GatewayClass")[0]["spec"]["controllerName"]]
    made = planned(*objects, settings=settings)
    return build(gateway, flavor, made, aws or FakeAws(), settings, existing=None)
