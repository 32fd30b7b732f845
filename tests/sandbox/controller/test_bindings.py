"""A stack's bindings, against a cluster that is a dict."""

import threading
from collections.abc import Callable
from typing import Any

from sandbox.controller.deploy.bindings import Bindings
from sandbox.controller.model.objects import Key, key
from sandbox.controller.model.stack import Binding, Json, Ref, StackId

STACK = StackId("service.k8s.aws", "shop", "web")
ARNS = {Ref("target-group", "a"): "arn:a", Ref("target-group", "b"): "arn:b"}


class Cluster:
    """What `Bindings` needs of the API server and of the informers' store."""

    def __init__(self) -> None:
        self.bindings: dict[Key, Json] = {}

    def create(self, _: str, __: str, body: Json) -> Json:
        self.bindings[key(body)] = body
        return body

    def patch(self, _: str, namespace: str, name: str, body: Json) -> None:
        spec = self.bindings[namespace, name]["spec"] | body["spec"]
        self.bindings[namespace, name]["spec"] = {k: v for k, v in spec.items() if v is not None}

    def delete(self, _: str, namespace: str, name: str) -> None:
        del self.bindings[namespace, name]

    def list(self, _: str, __: str | None = None) -> list[Json]:
        return list(self.bindings.values())

    def get(self, _: str, namespace: str, name: str) -> Json | None:
        return self.bindings.get((namespace, name))

    def wait(self, condition: Callable[[], bool], _: float) -> bool:
        return condition()


def a_binding(name: str, group: str, **more: Any) -> Binding:
    return Binding("shop", name, group, {"targetGroupARN": Ref("target-group", group), "targetType": "ip", **more})


def brought(cluster: Cluster, *wanted: Binding) -> dict[str, str]:
    """The bindings' names with their target groups, after a deployment."""
    bindings = Bindings(cluster, cluster, threading.Event())  # pyright: ignore[reportArgumentType] - a stand-in
    bindings.delete(STACK, bindings.ensure(STACK, wanted, ARNS.__getitem__))
    return {name: one["spec"]["targetGroupARN"] for (_, name), one in sorted(cluster.bindings.items())}


def test_a_target_group_keeps_its_binding_when_it_would_be_called_otherwise() -> None:
    cluster = Cluster()
    assert brought(cluster, a_binding("first", "a")) == {"first": "arn:a"}
    assert brought(cluster, a_binding("second", "a", nodeSelector={})) == {"first": "arn:a"}
    assert cluster.bindings["shop", "first"]["spec"]["nodeSelector"] == {}


def test_a_binding_goes_with_its_target_group() -> None:
    cluster = Cluster()
    assert brought(cluster, a_binding("first", "a"), a_binding("other", "b")) == {"first": "arn:a", "other": "arn:b"}
    assert brought(cluster, a_binding("other", "b")) == {"other": "arn:b"}


def test_another_target_group_of_the_same_name_gets_a_binding_of_its_own() -> None:
    cluster = Cluster()
    brought(cluster, a_binding("first", "a"))
    assert brought(cluster, a_binding("first", "b")) == {"first": "arn:b"}


def test_what_a_binding_cannot_change_makes_a_new_one() -> None:
    cluster = Cluster()
    brought(cluster, a_binding("first", "a"))
    old = cluster.bindings["shop", "first"]
    brought(cluster, a_binding("first", "a", targetType="instance"))
    assert cluster.bindings["shop", "first"] is not old
