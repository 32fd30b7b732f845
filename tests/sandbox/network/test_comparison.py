"""`sandbox compare`, run."""

import json
import os
from typing import Any

import pytest

from sandbox.observe.compare.application import CROWD, NAMESPACE, REPLICAS, WAYS
from sandbox.observe.compare.measure import CONNECTIONS
from tests.sandbox.network.conftest import Traffic

pytestmark = [pytest.mark.sandbox, pytest.mark.soak]
SIZES, SECONDS, RUNS = ("10,100,1000", "4", 2) if os.environ.get("SOAK") else ("10", "1", 1)
TO_PODS = {way.name for way in WAYS if "ip" in way.name.split("-")}
COUNTED = ("rewritings", "rules", "translations")  # hops: a node may choose one of its own pods each time


@pytest.fixture(scope="module")
def runs(traffic: Traffic) -> list[dict[str, Any]]:
    """What it prints, run after run."""
    given = ("--services", SIZES, "--seconds", SECONDS, "--state-dir", str(traffic.sandbox.state.root), "--json")
    return [json.loads(traffic.sandbox.run("sandbox", "compare", *given, timeout=600)) for _ in range(RUNS)]


def figures(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [figure for run in runs for figure in run["figures"]]


def test_every_way_answers_every_request_with_every_pod(runs: list[dict[str, Any]]) -> None:
    assert {f["way"] for f in figures(runs)} == {way.name for way in WAYS}
    assert {(f["answered"], f["pods"]) for f in figures(runs)} == {(CONNECTIONS, REPLICAS)}


def test_addresses_are_rewritten_on_node_ports_and_nowhere_else(runs: list[dict[str, Any]]) -> None:
    for figure in figures(runs):
        to_pods = figure["way"] in TO_PODS
        assert (figure["rewritings"] == 0) == to_pods, figure
        assert (figure["translations"] == 0) == to_pods, figure
        assert (figure["crossings"] == 0) == to_pods, figure


def test_no_request_fails_in_a_careful_rollout_and_some_do_in_a_careless_one(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        assert {r["way"]: r["failed"] for r in run["rolled"] if r["careful"]} == {way.name: 0 for way in WAYS}
        careless = {r["way"]: r["failed"] for r in run["rolled"] if not r["careful"]}
        assert all(careless[way] for way in TO_PODS), careless


def test_every_run_puts_the_ways_to_pods_before_those_over_node_ports(runs: list[dict[str, Any]]) -> None:
    for run in runs:
        for size in {figure["services"] for figure in run["figures"]}:
            figures_at = [figure for figure in run["figures"] if figure["services"] == size]
            for counted in COUNTED:
                to_pods = [figure[counted] for figure in figures_at if figure["way"] in TO_PODS]
                over_ports = [figure[counted] for figure in figures_at if figure["way"] not in TO_PODS]
                assert max(to_pods) < min(over_ports), (size, counted)


def test_nothing_of_it_stays(traffic: Traffic, runs: list[dict[str, Any]]) -> None:
    assert runs
    names = {n["metadata"]["name"] for n in traffic.sandbox.get("namespaces")["items"]}
    assert not names & {NAMESPACE, CROWD}
    assert traffic.sandbox.aws("elb").describe_load_balancers()["LoadBalancerDescriptions"] == []
