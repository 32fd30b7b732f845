"""Who attaches to a Gateway, and how everybody hears how it went."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sandbox.controller.gateway import status
from sandbox.controller.gateway.changes import Changes
from sandbox.controller.gateway.controller import gates
from sandbox.controller.gateway.flavors import ALB, CONFIGURATIONS, LISTENER_SETS, NLB
from sandbox.controller.gateway.listeners import ports
from sandbox.controller.gateway.parameters import of_gateway
from sandbox.controller.gateway.plan import Plan
from sandbox.controller.gateway.reconcilers import Work
from sandbox.controller.gateway.unsupported import idle_fields, idle_parameters
from sandbox.controller.gateway.users import users
from sandbox.controller.model.objects import Key, key
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.queue import WorkQueue
from sandbox.controller.watch import Store
from tests.sandbox.controller.fakes import SETTINGS, Cluster, a_service
from tests.sandbox.controller.gateways import (
    CONFIGURED,
    a_class,
    a_gateway,
    a_listener,
    a_route,
    an_object,
    balancer_configuration,
    planned,
    to,
)

WEB = a_service("web")


def outcome(plan: Plan) -> tuple[bool, bool, str]:
    (one,) = plan.outcomes
    return one.accepted, one.resolved, one.reason


def a_namespace(name: str, **labels: str) -> Json:
    return {"kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def conditions(of: Json) -> Mapping[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in of["conditions"]}


@pytest.mark.parametrize(
    ("listener", "route", "expected"),
    [
        ({}, {}, (True, True, "Accepted")),
        ({}, {"parent": {"sectionName": "http-80"}}, (True, True, "Accepted")),
        ({}, {"parent": {"sectionName": "other"}}, (False, True, "NoMatchingParent")),
        ({}, {"parent": {"port": 81}}, (False, True, "NoMatchingParent")),
        ({}, {"kind": "GRPCRoute"}, (False, True, "NotAllowedByListeners")),
        ({"allowedRoutes": {"kinds": [{"kind": "GRPCRoute"}]}}, {"kind": "GRPCRoute"}, (True, True, "Accepted")),
        ({"hostname": "a.example.com"}, {"hostnames": ["b.example.com"]}, (False, True, "NoMatchingListenerHostname")),
        ({}, {"rules": [{"backendRefs": [to("gone")]}]}, (True, False, "BackendNotFound")),
        ({}, {"rules": [{"backendRefs": [to("web", 81)]}]}, (True, False, "BackendNotFound")),
        ({}, {"rules": [{"backendRefs": [{"name": "web"}]}]}, (False, True, "UnsupportedValue")),
        ({}, {"rules": [{"backendRefs": [to("web", kind="Gateway")]}]}, (True, False, "InvalidKind")),
    ],
)
def test_a_route_hears_why_it_is_not_served(listener: Json, route: Json, expected: tuple[bool, bool, str]) -> None:
    made = a_route(**route)
    assert outcome(planned(a_class(), a_gateway(a_listener(80, "HTTP", **listener)), made, WEB)) == expected


@pytest.mark.parametrize(
    ("allowed", "accepted"),
    [
        ({}, False),
        ({"from": "All"}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "web"}}}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "other"}}}, False),
        ({"from": "None"}, False),
    ],
)
def test_routes_of_other_namespaces_attach_where_the_listener_lets_them(allowed: Json, *, accepted: bool) -> None:
    listener = a_listener(80, "HTTP", allowedRoutes={"namespaces": allowed})
    route = a_route({"backendRefs": []}, namespace="far")
    assert outcome(planned(a_class(), a_gateway(listener), route, a_namespace("far", team="web")))[0] is accepted


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        ({}, "Accepted"),
        ({"to": [{"group": "", "kind": "Service", "name": "web"}]}, "Accepted"),
        ({"to": [{"group": "", "kind": "Service", "name": "other"}]}, "RefNotPermitted"),
        ({"to": [{"group": "", "kind": "Secret"}]}, "RefNotPermitted"),
        (
            {"from": [{"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "namespace": "shop"}]},
            "RefNotPermitted",
        ),
    ],
)
def test_a_service_of_another_namespace_needs_a_grant_there(grant: Json, reason: str) -> None:
    far = WEB | {"metadata": WEB["metadata"] | {"namespace": "far"}}
    spec = {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}],
        "to": [{"group": "", "kind": "Service"}],
    } | grant
    route = a_route({"backendRefs": [to("web", namespace="far")]})
    cluster = (a_class(), a_gateway(), route, far)
    assert outcome(planned(*cluster))[2] == "RefNotPermitted"
    assert outcome(planned(*cluster, an_object("ReferenceGrant", "let", spec, "far")))[2] == reason


def test_of_two_listeners_that_contradict_each_other_the_first_stays() -> None:
    gateway = a_gateway(
        a_listener(80, "HTTP", hostname="a.example.com"),
        a_listener(80, "HTTPS"),
        a_listener(80, "HTTP", hostname="a.example.com") | {"name": "twin"},
        a_listener(53, "UDP"),
        a_listener(81, "HTTP", allowedRoutes={"kinds": [{"kind": "TCPRoute"}]}),
    )
    found = planned(a_class(), gateway).attachment
    assert [listener.reason for listener in found.listeners] == [
        "Accepted",
        "ProtocolConflict",
        "HostnameConflict",
        "UnsupportedProtocol",
        "InvalidRouteKinds",
    ]
    balancer = status.Balancer("arn:lb", "lb.example.com", active=True)
    said = status.of_gateway(gateway, found, balancer, SETTINGS)
    assert conditions(said) == {"Accepted": ("True", "ListenersNotValid"), "Programmed": ("True", "Programmed")}
    first, conflict, *_, kinds = map(conditions, said["listeners"])
    assert first["Programmed"] == ("True", "Programmed")
    assert conflict["Conflicted"] == ("True", "ProtocolConflict")
    assert kinds["ResolvedRefs"] == ("False", "InvalidRouteKinds")


def test_a_gateway_is_programmed_once_its_load_balancer_is_active() -> None:
    gateway = a_gateway()
    found = planned(a_class(), gateway, a_route(), WEB).attachment
    said = status.of_gateway(gateway, found, status.Balancer("arn:lb", "lb.example.com", active=False), SETTINGS)
    assert conditions(said)["Programmed"] == ("Unknown", "Pending")
    assert said["addresses"] == [{"type": "Hostname", "value": "lb.example.com"}]
    assert said["listeners"][0]["attachedRoutes"] == 1
    assert [kind["kind"] for kind in said["listeners"][0]["supportedKinds"]] == ["HTTPRoute"]


def a_listener_set(**meta: Any) -> Json:
    spec = {"parentRef": {"name": "edge"}, "listeners": [a_listener(8080, "HTTP")]}
    return an_object("ListenerSet", "more", spec, **meta)


@pytest.mark.parametrize(("let_in", "served"), [({}, []), ({"namespaces": {"from": "Same"}}, [80, 8080])])
def test_a_listener_set_adds_listeners_where_its_gateway_lets_it(let_in: Json, served: list[int]) -> None:
    route = a_route(parent={"kind": "ListenerSet", "name": "more"})
    gateway = a_gateway(allowedListeners=let_in)
    plan = planned(a_class(), gateway, a_listener_set(), route, WEB)
    assert [listener.spec["port"] for listener in plan.attachment.served] == (served or [80])
    assert [one["metadata"]["name"] for one in plan.attachment.rejected] == ([] if served else ["more"])
    assert len(plan.attachment.routes.get(8080, [])) == len(served) // 2
    off = replace(SETTINGS, feature_gates={LISTENER_SETS: False})
    only = planned(a_class(), gateway, a_listener_set(), settings=off).attachment
    assert [listener.spec["port"] for listener in only.served] == [80]


def test_what_others_said_of_a_route_stays() -> None:
    route = a_route()
    plan = planned(a_class(), a_gateway(), route, WEB)
    other = {"parentRef": {"name": "theirs"}, "controllerName": "example.com/other", "conditions": []}
    stale = {"parentRef": {"name": "before"}, "controllerName": ALB.controller, "conditions": []}
    said = status.of_route(route | {"status": {"parents": [other, stale]}}, plan.outcomes, ALB)
    assert [parent["parentRef"]["name"] for parent in said["parents"]] == ["theirs", "edge"]


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    old = status.condition("Accepted", True, "Accepted", "", 1) | {"lastTransitionTime": "before"}  # noqa: FBT003
    same = {"conditions": [status.condition("Accepted", True, "ListenersNotValid", "", 2)]}  # noqa: FBT003
    assert status.dated(same, {"conditions": [old]})["conditions"][0]["lastTransitionTime"] == "before"
    other = {"conditions": [status.condition("Accepted", False, "Invalid", "", 2)]}  # noqa: FBT003
    assert status.dated(other, {"conditions": [old]})["conditions"][0]["lastTransitionTime"] != "before"


def test_a_gateway_waits_for_its_class_and_configuration() -> None:
    with pytest.raises(ModelError, match="not accepted"):
        of_gateway(a_gateway(), a_class() | {"status": {}}, Cluster())
    with pytest.raises(ModelError, match="shop/edge not found"):
        of_gateway(a_gateway(infrastructure=CONFIGURED), a_class(), Cluster())


def served(*left_out: str) -> Any:
    everything = {
        "gateway.networking.k8s.io": {*ALB.kinds, *NLB.kinds, "ListenerSet"},
        "gateway.k8s.aws": {*CONFIGURATIONS},
    }
    return lambda group, _version: frozenset(everything[group] - {*left_out})


def test_what_lacks_its_kinds_is_off_unless_its_gate_was_given() -> None:
    def on(*left_out: str, **given: bool) -> list[bool]:
        settings = gates(replace(SETTINGS, feature_gates=given), served(*left_out))
        return [settings.gate(name) for name in (ALB.gate, NLB.gate, LISTENER_SETS)]

    assert on() == [True, True, True]
    assert on("TCPRoute") == [True, False, True]
    assert on("LoadBalancerConfiguration", "ListenerSet") == [False, False, False]
    assert on("HTTPRoute", ALBGatewayAPI=True) == [True, True, True]
    assert on(NLBGatewayAPI=False) == [True, False, True]


def test_a_field_that_changes_nothing_is_named() -> None:
    timed = a_route({"timeouts": {"request": "1s"}, "backendRefs": [to("web", filters=[{"type": "CORS"}])]})
    assert list(idle_fields(timed)) == ["spec.rules.timeouts", "spec.rules.backendRefs.filters"]
    capacity = balancer_configuration(minimumLoadBalancerCapacity={"capacityUnits": 1}, scheme="internal")
    assert list(idle_fields(capacity)) == ["spec.minimumLoadBalancerCapacity"]
    assert list(idle_fields(a_route())) == []
    spec = {"disableSecurityGroup": True, "listenerConfigurations": [{"protocolPort": "HTTPS:443"}]}
    wanted = ports(planned(a_class(), a_gateway()).attachment)
    assert list(idle_parameters(spec, ALB, wanted)) == [
        "spec.disableSecurityGroup",
        "spec.listenerConfigurations[HTTPS:443]",
    ]


def test_a_configuration_stays_while_somebody_refers_to_it() -> None:
    balancer = balancer_configuration(defaultTargetGroupConfiguration={"name": "all"})
    gateway = a_gateway(infrastructure=CONFIGURED)
    default = an_object("TargetGroupConfiguration", "all", {"defaultConfiguration": {}})
    of_web = an_object("TargetGroupConfiguration", "web", {"targetReference": {"name": "web"}})
    reference = {"group": "gateway.k8s.aws", "kind": "ListenerRuleConfiguration", "name": "rule"}
    rule = an_object("ListenerRuleConfiguration", "rule", {})
    extended = {"filters": [{"type": "ExtensionRef", "extensionRef": reference}], "backendRefs": [to("web")]}
    cluster = Cluster(balancer, gateway, default, of_web, rule, a_route(extended), a_class())
    used = {one["metadata"]["name"]: [user["kind"] for user in users(one, cluster)] for one in (default, of_web, rule)}
    assert used == {"all": ["LoadBalancerConfiguration"], "web": ["HTTPRoute"], "rule": ["HTTPRoute"]}
    assert [one["kind"] for one in users(balancer, cluster)] == ["Gateway"]
    assert [one["kind"] for one in users(a_class(), cluster)] == ["Gateway"]
    assert users(balancer, Cluster()) == []


@pytest.fixture
def asked() -> tuple[Store, Changes, list[Key], list[Work]]:
    """A store with a Gateway in it, its handlers, and what they asked for."""

    class Kept(WorkQueue[Any]):
        def __init__(self) -> None:
            super().__init__("kept", 1)
            self.keys: list[Any] = []

        def add(self, key: Any, after: float = 0.0) -> None:  # noqa: ARG002 - the interface hands it over
            self.keys.append(key)

    store, gateways, configurations = Store(), Kept(), Kept()
    for obj in (a_class(), a_gateway(), a_route()):
        store.put(obj["kind"], obj)
    return store, Changes(store, {ALB.controller: gateways}, configurations), gateways.keys, configurations.keys


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (a_route(), True),
        (a_route(parent={"name": "other"}), False),
        (WEB, True),
        (a_service("unused"), False),
        (a_gateway(), True),
        (an_object("ReferenceGrant", "let", {}, "far"), True),
        (balancer_configuration(), True),
        (a_class(), True),
    ],
)
def test_a_change_asks_for_the_gateways_it_is_about(asked: Any, changed: Json, *, expected: bool) -> None:
    _, changes, gateways, _ = asked
    handler = changes.handlers()[changed["kind"]]
    handler(None, changed)
    assert gateways == [], "nothing is asked for before everything is known"
    changes.everything()
    gateways.clear()
    handler(None, changed)
    assert (("shop", "edge") in gateways) is expected


def test_who_lets_go_of_a_configuration_that_wants_to_go_asks_for_it(asked: Any) -> None:
    store, changes, _, configurations = asked
    going = balancer_configuration()
    going["metadata"]["deletionTimestamp"] = "now"
    store.put("LoadBalancerConfiguration", going)
    changes.everything()
    configurations.clear()
    changes.handlers()["Gateway"](a_gateway(), None)
    assert ("LoadBalancerConfiguration", *key(going)) in configurations
