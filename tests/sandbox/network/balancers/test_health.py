"""What checks mean for a target, and the report to AWS; without packets."""

import pytest

from sandbox.network.balancers.health import FAILED, TIMED_OUT, Health, Outcome, after, matches, receiving, report
from sandbox.network.balancers.names import hosts
from sandbox.network.balancers.plan import Node, nodes
from sandbox.network.balancers.pools import Check
from tests.sandbox.network.balancers.api import documents, forward, group, listener, rule, target

CHECK = Check("HTTP", None, rise=3, fall=2)
WELL = Outcome()


def walk(*outcomes: Outcome) -> list[str]:
    health, states = Health(), list[str]()
    for outcome in outcomes:
        health = after(health, CHECK, outcome)
        states.append(health.state)
    return states


def test_the_first_good_check_makes_a_new_target_healthy() -> None:
    assert walk(FAILED, WELL) == ["initial", "healthy"]


def test_a_new_target_is_unhealthy_after_as_many_bad_checks_as_any() -> None:
    assert walk(FAILED, TIMED_OUT) == ["initial", "unhealthy"]


def test_an_unhealthy_target_wants_good_checks_in_a_row() -> None:
    assert walk(FAILED, FAILED, WELL, WELL, FAILED, WELL, WELL, WELL)[2:] == ["unhealthy"] * 5 + ["healthy"]


def test_one_bad_check_among_good_ones_changes_nothing() -> None:
    assert walk(WELL, FAILED, WELL, FAILED, WELL) == ["healthy"] * 5


@pytest.mark.parametrize(("codes", "good"), [("200", {200}), ("200,301", {200, 301}), ("200-299", {200, 204, 299})])
def test_a_matcher_lists_codes_and_ranges(codes: str, good: set[int]) -> None:
    assert {c for c in (200, 204, 299, 301, 404) if matches(c, codes)} == good


def two_nodes() -> list[Node]:
    given = group()
    given["Targets"] = [target("10.0.0.7"), target("10.0.1.7", "us-west-2b")]
    return nodes(documents(listener(rule(forward("web"))), groups=[given]))


def healths(**states: str) -> dict[tuple[str, str, str], Health]:
    return {
        (node, "tg-web", f"10.0.{key[-1]}.7:8080"): Health(state, outcome=TIMED_OUT)
        for key, state in states.items()
        for node in (["eni-0", "eni-1"] if "_" not in key else [f"eni-{key[1]}"])
    }


def test_healthy_targets_get_connections_and_others_not() -> None:
    node = two_nodes()[0]
    assert receiving(node, healths(t0="healthy", t1="unhealthy")) == {"tg-web": {"10.0.0.7:8080"}}
    assert receiving(node, healths(t0="initial")) == {"tg-web": frozenset()}


def test_if_all_are_unhealthy_all_get_connections() -> None:
    node = two_nodes()[0]
    found = receiving(node, healths(t0="unhealthy", t1="unhealthy"))
    assert found == {"tg-web": {"10.0.0.7:8080", "10.0.1.7:8080"}}


def test_a_target_is_healthy_when_every_node_finds_it_so() -> None:
    told = report(two_nodes(), healths(n0_0="healthy", n1_0="unhealthy", n0_1="healthy", n1_1="healthy"), [])
    assert [(t["id"], t["state"], t.get("reason")) for t in told] == [
        ("10.0.0.7", "unhealthy", "Target.Timeout"),
        ("10.0.1.7", "healthy", None),
    ]


def test_a_name_leads_to_nodes_with_targets_or_to_all() -> None:
    given = group(protocol="TCP")
    given["Targets"] = [target("10.0.0.7"), target("10.0.1.7", "us-west-2b")]
    found = nodes(documents(listener(rule(forward("web")), protocol="TCP"), kind="net", groups=[given]))
    name = "web-1.us-west-2.elb.amazonaws.com"
    assert hosts(found, healths(t0="healthy")) == f"10.0.0.5 {name}\n10.0.0.5 us-west-2a.{name}\n"
    assert hosts(found, {}).count(f" {name}\n") == 2


def test_a_load_balancer_that_is_provisioned_has_no_name_yet() -> None:
    given = documents(listener(rule(forward("web")), protocol="TCP"), kind="net")
    given.balancers[0]["State"] = {"Code": "provisioning"}
    assert hosts(nodes(given), {}) == ""
