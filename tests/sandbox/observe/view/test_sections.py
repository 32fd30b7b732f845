"""What the page says of Kubernetes' and AWS's documents; without a browser."""

import asyncio
from typing import Any

import pytest

from sandbox.observe.view import calls, paths, provisions, watches
from sandbox.observe.view.board import Board
from sandbox.observe.view.follow import choose, missing
from tests.sandbox.observe.view.objects import (
    BALANCER,
    GROUP,
    cluster,
    endpoints,
    named,
    node,
    pod,
    provisioned,
    rule,
    service,
)


def test_a_service_waits_until_it_has_a_host_name() -> None:
    assert watches.service(service())["mood"] == "wait"
    done = watches.service(service(hosts=("nlb.test",)))
    assert (done["mood"], "nlb.test" in done["refs"]) == ("", True)


def test_a_pod_is_good_when_it_is_ready_and_stays() -> None:
    going = pod()
    going["metadata"]["deletionTimestamp"] = "2026-11-26T00:00:00Z"
    assert [watches.pod(p)["mood"] for p in (pod(), pod(ready=False), going)] == ["good", "wait", "wait"]


@pytest.mark.parametrize(("reason", "mood"), [("CrashLoopBackOff", "bad"), ("ContainerCreating", "wait")])
def test_a_pod_that_cannot_start_says_why_and_comes_first(reason: str, mood: str) -> None:
    stuck = pod("web-9", ready=False)
    stuck["status"]["containerStatuses"] = [{"state": {"waiting": {"reason": reason}}}]
    listed: Any = next(each["items"] for each in watches.section({"Pod": [pod(), stuck]}) if each["kind"] == "Pod")
    assert [entry["mood"] for entry in listed] == (["bad", "good"] if mood == "bad" else ["good", "wait"])
    assert (reason in listed[0]["note"]) == (mood == "bad")


def test_endpoints_say_how_many_are_ready() -> None:
    assert watches.endpoint_slice(endpoints(("10.0.1.7", "node-a")))["note"] == "1 of 1 ready"
    assert watches.endpoint_slice(endpoints(("10.0.1.7", "node-a"), ready=False))["note"] == "0 of 1 ready"


def test_a_service_without_any_endpoint_is_not_good() -> None:
    section = watches.endpoint_slice({"metadata": {"namespace": "web", "name": "web-1"}, "endpoints": []})

    assert (section["note"], section["mood"]) == ("0 of 0 ready", "wait")


def test_an_event_that_says_nothing_new_is_no_line() -> None:
    def line(verb: str, before: str) -> str | None:
        found = watches.line(1, 0.0, verb, pod(), kind="Pod", before=before)
        return found and f"{found['time']} {found['note']}"

    assert line("MODIFIED", "10.0.1.7 ready") is None
    assert line("MODIFIED", "10.0.1.7 Pending, not ready") == "00:00:00 10.0.1.7 ready"
    assert line("DELETED", "10.0.1.7 ready") == "00:00:00 deleted"


def test_a_binding_and_its_target_group_share_a_reference() -> None:
    spec = {"serviceRef": {"name": "web", "port": 80}, "targetGroupARN": GROUP, "targetType": "ip"}
    bound = watches.binding(named("k8s-web", spec=spec))
    (group,) = provisions.section(provisioned(), {})["groups"]
    assert set(bound["refs"]) & set(group["refs"]) == {GROUP}


def test_a_pods_target_bears_the_pods_name() -> None:
    (group,) = provisions.section(provisioned(), cluster().names())["groups"]
    assert group["items"][0]["note"] == "shop/web-1 healthy"


@pytest.mark.parametrize(("state", "mood"), [("healthy", "good"), ("unhealthy", "bad"), ("initial", "wait")])
def test_a_target_has_the_mood_of_its_health(state: str, mood: str) -> None:
    (group,) = provisions.section(provisioned(states=(state,)), {})["groups"]
    assert group["items"][0]["mood"] == mood


def test_rules_stand_in_the_order_in_which_they_are_tried() -> None:
    rules = [rule(), rule("10"), rule("9", path_pattern=["/a*"])]
    (balancer,) = provisions.section(provisioned(*rules), {})["balancers"]
    assert [r["title"] for r in balancer["items"][0]["items"]] == ["rule 9", "rule 10", "rule default"]


def test_what_is_another_vpcs_is_not_shown() -> None:
    assert provisions.section(provisioned().within("vpc-2"), {}) == {"balancers": [], "groups": []}


def hops(way: paths.Path) -> list[str]:
    return [f"{hop['kind']} {hop['name']}" for hop in way["hops"]]


def test_with_ip_targets_the_way_leads_straight_to_the_pod() -> None:
    way = paths.section(provisioned(), cluster(), {})[0]
    assert (way["way"], way["stopped"], way["url"]) == ("ip", "", "http://web.test/")
    assert hops(way) == ["client client", "balancer ALB web", "node node-a", "pod shop/web-1"]


def test_through_a_node_port_a_pod_elsewhere_costs_another_node() -> None:
    known = cluster("Cluster", ("10.0.1.7", "node-a"), ("10.0.2.7", "node-b"))
    way = paths.section(provisioned(kind="instance", target="i-a"), known, {})[0]
    assert hops(way)[2:] == ["node node-a", "node node-b", "pod shop/web-2"]
    assert any("DNAT" in words for words in way["hops"][2]["does"])


def test_with_traffic_policy_local_the_node_sends_to_its_own_pods_only() -> None:
    known = cluster("Local", ("10.0.1.7", "node-a"), ("10.0.2.7", "node-b"))
    way = paths.section(provisioned(kind="instance", target="i-a"), known, {})[0]
    assert hops(way)[2:] == ["node node-a", "pod shop/web-1"]
    empty = paths.section(provisioned(kind="instance", target="i-a"), cluster("Local", ("10.0.2.7", "node-b")), {})[0]
    assert "no ready endpoint on this node" in empty["hops"][2]["does"]


def test_without_a_healthy_target_the_way_says_where_it_ends() -> None:
    way = paths.section(provisioned(states=("unhealthy",)), cluster(), {})[0]
    assert (hops(way)[-1], way["stopped"]) == ("balancer ALB web", "no healthy target: unhealthy")


def test_a_rule_that_answers_with_an_error_itself_is_where_the_way_ends() -> None:
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    condition = {"Field": "path-pattern", "Values": ["/gone"]}
    wrong = {"RuleArn": "wrong", "Priority": "2", "Conditions": [condition], "Actions": [answer]}
    way = paths.section(provisioned(rule("1"), wrong), cluster(), {})[0]
    assert (way["url"], way["stopped"].startswith("the rule itself answers HTTP 503")) == ("http://web.test/gone", True)


def test_a_rule_gives_the_request_that_it_takes() -> None:
    way = paths.section(provisioned(rule("1", host_header=["*.shop.test"], path_pattern=["/a/*"])), cluster(), {})[0]
    assert (way["url"], way["headers"]) == ("http://web.test/a/", ["Host: .shop.test"])


def test_without_a_load_balancer_onto_nodes_a_node_port_stands_for_that_way() -> None:
    found = paths.section(provisioned(), cluster("Cluster", ("10.0.1.7", "node-a")), {})
    assert [way["way"] for way in found] == ["ip", "instance"]
    assert "no load balancer" in found[1]["title"]


def test_what_does_not_arrive_comes_first() -> None:
    known = cluster("Cluster", ("10.0.1.7", "node-a"))
    found = paths.section(provisioned(states=("unhealthy",)), known, {})
    assert [bool(way["stopped"]) for way in found] == [True, False]


def test_a_trace_takes_the_place_of_what_the_apis_say() -> None:
    way = paths.section(provisioned(), cluster(), {})[0]
    hop = {"kind": "pod", "name": "shop/web-1", "flow": "10.0.0.9 → 10.0.1.7", "does": ["answers"]}
    totals = {"hops": 1, "rewritings": 0, "rules": 3, "entries": 0, "translations": 0}
    trace = {"hops": [hop], "totals": totals, "arrived": True, "status": 200, "seconds": 0.001, "stopped": None}
    measured = paths.section(provisioned(), cluster(), {way["id"]: trace})[0]
    assert hops(measured) == ["pod shop/web-1"]
    assert measured["measured"].startswith("HTTP 200 after 1.0 ms: 1 hops, 0 rewritings")


def entry(
    action: str = "elasticloadbalancing:RegisterTargets", verdict: str = "allowed", **more: Any
) -> dict[str, Any]:
    return {
        "time": 0.0,
        "principal": "arn:aws:sts::123456789012:assumed-role/controller/session",
        "action": action,
        "resource": GROUP,
        "verdict": verdict,
        "why": "",
        "statements": [],
        "keys": {},
        **more,
    }


def test_the_same_call_again_is_one_line_that_counts() -> None:
    told = calls.section([entry(), entry(), entry(verdict="denied")], {})["recent"]
    assert [(line["time"], line["note"], line["mood"]) for line in told] == [
        ("00:00:00", "denied tg-web", "bad"),
        ("00:00:00", "2 times, tg-web", ""),
    ]


def test_calls_that_were_refused_are_listed_by_themselves_too() -> None:
    told = calls.section([entry(), entry(verdict="denied")], {})
    assert [line["id"] for line in told["denied"]] == [told["recent"][0]["id"]]


def test_a_call_shares_a_reference_with_what_it_is_about() -> None:
    listener = BALANCER.replace(":loadbalancer/", ":listener/") + "/fedcba9876543210"
    line = calls.call([entry("elasticloadbalancing:CreateRule", resource=listener)])
    (balancer,) = provisions.section(provisioned(), {})["balancers"]
    assert "balancer web" in set(line["refs"]) & set(balancer["refs"])


def test_people_and_the_sandbox_itself_are_left_out_of_the_calls() -> None:
    assert calls.recent([entry(principal="arn:aws:iam::123456789012:root")]) == []


def test_the_same_said_again_wakes_nobody() -> None:
    async def play() -> None:
        board = Board()
        board.put("a", 1)
        version, sections = board.since(0)
        board.put("a", 1)
        assert (board.since(version), sections) == ((version, {}), {"a": "1"})
        board.put("a", 2)
        await asyncio.wait_for(board.until_changed(version), 5)
        assert board.since(version)[1] == {"a": "2"}

    asyncio.run(play())


def test_one_cluster_is_shown_and_of_several_the_one_that_is_named() -> None:
    assert [choose(*case) for case in ((["a"], None), (["a", "b"], None), (["a", "b"], "b"), (["a"], "b"))] == [
        "a", "", "b", "",
    ]  # fmt: skip
    assert "--cluster" in missing(["a", "b"], None)


def test_a_node_is_known_by_its_instance() -> None:
    assert "i-a" in watches.node(node())["refs"]
