"""Whatever breaks: the doctor reports each hop that the picture marks, exits with 1, and never with a traceback."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from eks_load_balancing.doctor import cli
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.report import machine
from tests.unit.doctor.cases import CASES, Case
from tests.unit.doctor.cases_objects import OBJECTS
from tests.unit.doctor.cases_paths import PATHS
from tests.unit.doctor.fine import FINE
from tests.unit.doctor.healthy import facts, healthy
from tests.unit.doctor.healthy_aws import World

_LISTS = (
    "pods", "services", "endpoint_slices", "ingresses", "ingress_classes", "ingress_class_params", "bindings",
    "deployments", "webhooks", "namespaces", "events", "subnets", "security_groups", "network_interfaces", "instances",
    "load_balancers", "target_groups",
)  # fmt: skip
_STATES = ("unhealthy", "unused", "unavailable", "initial", "draining", "healthy")


def _lose(fact: str, index: int) -> Callable[[World], object]:
    def fault(world: World) -> None:
        if world[fact]:
            world[fact].pop(index % len(world[fact]))
            known = {balancer["LoadBalancerArn"] for balancer in world["load_balancers"]}
            world["listeners"] = {arn: some for arn, some in world["listeners"].items() if arn in known}

    return fault


def _turn(index: int, state: str) -> Callable[[World], object]:
    def fault(world: World) -> None:
        held = [described for some in world["health"].values() for described in some]
        if held:
            held[index % len(held)]["TargetHealth"] = {"State": state}

    return fault


def _planted(index: int) -> Callable[[World], object]:
    known = [case.fault for case in (*PATHS, *OBJECTS, *CASES) if case.of is healthy] + [fault for _, fault in FINE]
    return known[index % len(known)]


FAULTS = st.one_of(
    st.builds(_lose, st.sampled_from(_LISTS), st.integers(0, 9)),
    st.builds(_turn, st.integers(0, 3), st.sampled_from(_STATES)),
    st.builds(_planted, st.integers(0, 200)),
)


def hops(hop: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield hop
    for one in hop["below"]:
        yield from hops(one)


def world_of(faults: list[Callable[[World], object]]) -> World:
    world = healthy()
    for fault in faults:
        try:
            fault(world)
        except (IndexError, KeyError, ValueError):
            continue  # an earlier fault has taken away what this one would break
    return world


@given(st.lists(FAULTS, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_every_broken_hop_is_a_finding_with_a_remedy(faults: list[Callable[[World], object]]) -> None:
    told = machine(cli.examined(facts(world_of(faults)), list(CHECKS)))
    for way in told["ways"]:
        marked = [hop for hop in hops(way["start"]) if hop["broken"] is not None]
        assert bool(marked) is not way["whole"]
        for hop in marked:
            (finding,) = [f for f in told["findings"] if _reports(f, way, hop)]
            if " more: " not in finding["what"]:
                assert hop["name"] in finding["what"]
                assert hop["fix"] in finding["fix"]
            assert finding["fix"]


def _reports(finding: dict[str, Any], way: dict[str, Any], hop: dict[str, Any]) -> bool:
    return (
        finding["where"] == way["title"]
        and finding["what"].startswith(f"{hop['kind']} ")
        and finding["what"].endswith(f": {hop['broken']}")
        and finding["namespace"] == way["namespace"]
    )


@given(st.lists(FAULTS, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_the_exit_code_is_1_if_and_only_if_something_is_found_and_a_mark_is_found(
    faults: list[Callable[[World], object]],
) -> None:
    world = world_of(faults)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli, "gather", lambda _where, _report: facts(world))
        done = CliRunner().invoke(cli.doctor, ["--cluster", "shop"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == (0 if "nothing found" in done.output else 1)
    assert "BROKEN HERE" not in done.output or done.exit_code == 1


@pytest.mark.parametrize("case", PATHS, ids=lambda case: f"{case.check}: {case.says}")
def test_a_broken_hop_alone_is_exit_code_1(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    world = case.of()
    case.fault(world)
    monkeypatch.setattr(cli, "gather", lambda _where, _report: facts(world))
    done = CliRunner().invoke(cli.doctor, ["--cluster", "shop"])
    assert done.exit_code == 1
    assert "BROKEN HERE" in done.output
