"""The path from a DNS name to a pod, and the first hop that is broken."""

from collections.abc import Iterator
from typing import Any

import pytest

from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.checks.paths import CHECK_OF
from eks_load_balancing.doctor.cli import examined
from eks_load_balancing.doctor.paths.hops import Hop
from eks_load_balancing.doctor.paths.ways import ways
from eks_load_balancing.doctor.report import WHOLE_SHOWN, machine, people
from tests.unit.doctor.cases import Case
from tests.unit.doctor.cases_paths import PATHS
from tests.unit.doctor.healthy import facts, healthy, pod
from tests.unit.doctor.healthy_aws import World, balancer_arn, group_arn, host
from tests.unit.doctor.plant import arguments, in_group, lose_balancer


def hops(hop: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield hop
    for one in hop["below"]:
        yield from hops(one)


def broken(world: World) -> list[tuple[str, str]]:
    """Kind and reason of the first broken hops, in the JSON."""
    told = machine(examined(facts(world), list(CHECKS)))
    return [(hop["kind"], hop["broken"]) for way in told["ways"] for hop in hops(way["start"]) if hop["firstBroken"]]


def picture(world: World) -> str:
    said = "\n".join(line.plain for line in people(examined(facts(world), list(CHECKS))))
    return said[said.index("DNS name") :] if "DNS name" in said else said


def down(hop: Hop) -> list[str]:
    """The kinds of hops on the first way down."""
    return [hop.kind, *(down(hop.below[0]) if hop.below else [])]


def test_a_path_goes_from_the_dns_name_to_the_pod() -> None:
    found = ways(facts(healthy()))
    assert [way.title for way in found] == ["Ingress alb/web", "Service nlb/web"]
    for way in found:
        assert down(way.start) == [
            "DNS name", "load balancer", "listener", "rule", "target group", "target", "interface", "pod"
        ]  # fmt: skip
        assert way.start.whole


def test_a_picture_names_every_hop() -> None:
    said = picture(healthy())
    for name in (host("alb"), "HTTP:80", "default", "10.0.10.6:8080 healthy", "eni-a (sg-cluster)", "alb/web-alb-1"):
        assert name in said
    assert "BROKEN" not in said


@pytest.mark.parametrize("case", PATHS, ids=lambda case: f"{case.check}: {case.says}")
def test_the_first_broken_hop_is_marked_and_is_of_the_kind_that_its_check_reports(case: Case) -> None:
    world = case.of()
    case.fault(world)
    kinds = {kind for kind, _ in broken(world)}
    assert kinds == {kind for kind, check in CHECK_OF.items() if check == case.check}
    assert "BROKEN HERE" in "\n".join(line.plain for line in people(examined(facts(world), list(CHECKS))))


@pytest.mark.parametrize("case", PATHS, ids=lambda case: f"{case.check}: {case.says}")
def test_a_hop_whose_check_is_left_out_is_not_marked_but_its_fault_is_written_beside_it(case: Case) -> None:
    world = case.of()
    case.fault(world)
    seen = examined(facts(world), [name for name in CHECKS if name not in CHECK_OF.values()])
    said = "\n".join(line.plain for line in people(seen))
    assert "BROKEN" not in said
    assert "(not checked: " in said
    assert not [finding for finding in seen.found if finding.check in CHECK_OF.values()]


def test_a_target_that_is_unhealthy_because_a_later_hop_is_broken_is_not_marked() -> None:
    world = healthy()
    world["security_groups"][0]["IpPermissions"].pop()
    for held in world["health"].values():
        for described in held:
            described["TargetHealth"] = {"State": "unhealthy", "Reason": "Target.Timeout"}
    assert {kind for kind, _ in broken(world)} == {"interface"}


def test_nothing_after_a_broken_hop_is_marked() -> None:
    world = healthy()
    world["ingresses"][0]["status"] = {}
    world["pods"].pop(2)
    assert [kind for kind, _ in broken(world)] == ["DNS name"]


def test_what_asks_for_a_load_balancer_and_has_none_is_broken_at_once() -> None:
    world = healthy()
    for name in ("alb", "nlb"):
        del world["listeners"][balancer_arn(name)]
    world["load_balancers"].clear()
    assert [kind for kind, _ in broken(world)] == ["DNS name", "DNS name"]


def test_an_ingress_in_a_group_has_the_groups_load_balancer() -> None:
    world = healthy()
    world["ingresses"][0]["metadata"]["annotations"] = {"alb.ingress.kubernetes.io/group.name": "payments"}
    world["tags"][balancer_arn("alb")]["ingress.k8s.aws/stack"] = "payments"
    assert [way.title for way in ways(facts(world))] == ["Ingress alb/web", "Service nlb/web"]
    assert broken(world) == []


def test_a_group_of_ingresses_is_one_path_with_all_its_members() -> None:
    world = healthy()
    in_group(world, "payments")
    assert [way.title for way in ways(facts(world))] == ["IngressGroup payments (alb/web, nlb/web)", "Service nlb/web"]
    assert ways(facts(world))[0].namespace is None


def test_what_another_namespaces_controller_would_serve_asks_for_nothing() -> None:
    world = healthy()
    lose_balancer(world)
    arguments(world).append("--watch-namespace=nlb")
    assert [way.title for way in ways(facts(world))] == ["Service nlb/web"]


def test_what_is_being_deleted_asks_for_nothing() -> None:
    world = healthy()
    world["services"][1]["metadata"]["deletionTimestamp"] = "2026-11-25T11:59:00Z"
    world["load_balancers"].pop()
    assert [way.title for way in ways(facts(world))] == ["Ingress alb/web"]


def test_many_whole_targets_are_counted_not_listed() -> None:
    world = healthy()
    for number in range(20, 40):
        address = f"10.0.10.{number}"
        world["pods"].append(pod(f"more-{number}", "alb", address))
        world["network_interfaces"][0]["PrivateIpAddresses"].append({"PrivateIpAddress": address})
        world["health"][group_arn("alb")].append(
            {"Target": {"Id": address, "Port": 8080}, "TargetHealth": {"State": "healthy"}}
        )
    said = picture(world)
    assert said.count(":8080 healthy") == WHOLE_SHOWN + 2  # the NLB has two
    assert f"and {22 - WHOLE_SHOWN} more targets without a fault" in said


def test_a_target_of_another_cluster_is_not_missed_here() -> None:
    world = healthy()
    world["bindings"][0]["spec"]["multiClusterTargetGroup"] = True
    world["pods"].pop(2)
    assert broken(world) == []
    assert "pod of another cluster" in picture(world)


def test_a_target_outside_the_vpc_is_judged_by_its_health_alone() -> None:
    world = healthy()
    world["pods"].append(pod("far", "alb", "192.168.0.9"))
    world["health"][group_arn("alb")] = [
        {"Target": {"Id": "192.168.0.9", "Port": 8080}, "TargetHealth": {"State": "healthy"}}
    ]
    assert broken(world) == []


def test_a_target_that_is_a_load_balancer_ends_the_way() -> None:
    world = healthy()
    world["target_groups"][1]["TargetType"] = "alb"
    world["health"][group_arn("nlb")] = [
        {"Target": {"Id": balancer_arn("alb"), "Port": 80}, "TargetHealth": {"State": "healthy"}}
    ]
    assert down(ways(facts(world))[1].start)[-1] == "target"
    assert broken(world) == []


def test_a_pod_in_its_nodes_network_is_found_by_its_port() -> None:
    world = healthy()
    for name, port in (("other", 9000), ("web", 8080)):
        one = pod(name, "alb", "10.0.10.4")
        one["spec"] |= {"hostNetwork": True, "containers": [{"ports": [{"containerPort": port}]}]}
        world["pods"].append(one)
    world["health"][group_arn("alb")] = [
        {"Target": {"Id": "10.0.10.4", "Port": 8080}, "TargetHealth": {"State": "healthy"}}
    ]
    assert "pod alb/web" in picture(world)


def test_an_instance_as_target_ends_at_its_interface() -> None:
    world = healthy()
    world["target_groups"][0]["TargetType"] = "instance"
    world["health"][group_arn("alb")] = [{"Target": {"Id": "i-a", "Port": 8080}, "TargetHealth": {"State": "healthy"}}]
    assert down(ways(facts(world))[0].start)[-2:] == ["target", "interface"]
