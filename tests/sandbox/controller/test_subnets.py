import pytest

from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.model.subnets import SubnetChoice
from sandbox.controller.settings import Settings
from tests.sandbox.controller.fakes import ELB, SETTINGS, FakeAws, subnet

CLUSTER: Json = {"kubernetes.io/cluster/demo": "shared"}
OTHER: Json = {"kubernetes.io/cluster/other": "owned"}


def choice(*subnets: Json, kind: str = "application", settings: Settings = SETTINGS) -> SubnetChoice:
    aws = FakeAws(all_subnets=list(subnets)) if subnets else FakeAws()
    return SubnetChoice(aws, settings, kind, "internet-facing", "ipv4")


def ids(found: list[Json]) -> list[str]:
    return [one["SubnetId"] for one in found]


def test_without_role_tags_the_route_table_decides() -> None:
    found = choice(
        subnet("public-1", "a", "10.0.0.0/24"), subnet("public-2", "b", "10.0.1.0/24"), subnet("x", "c", "10.0.2.0/24")
    ).discovered()
    assert ids(found) == ["subnet-public-1", "subnet-public-2"]


def test_in_one_zone_the_clusters_own_subnet_goes_first_and_then_the_smaller_id() -> None:
    found = choice(
        subnet("1", "a", "10.0.0.0/24", ELB),
        subnet("2", "a", "10.0.1.0/24", ELB | CLUSTER),
        subnet("3", "b", "10.0.2.0/24", ELB),
        subnet("4", "b", "10.0.3.0/24", ELB),
    ).discovered()
    assert ids(found) == ["subnet-2", "subnet-3"]


def test_subnets_of_other_clusters_and_full_ones_are_passed_over_with_their_number() -> None:
    with pytest.raises(ModelError, match="Evaluated 2 subnets: 1 are tagged for other clusters, 1 have insufficient"):
        choice(subnet("1", "a", "10.0.0.0/24", ELB | OTHER), subnet("2", "b", "10.0.1.0/24", ELB, free=7)).discovered()


def test_an_application_load_balancer_needs_two_zones_and_a_network_one_does_not() -> None:
    only = subnet("1", "a", "10.0.0.0/24", ELB)
    with pytest.raises(ModelError, match="minimal required count: 1 < 2"):
        choice(only).discovered()
    assert ids(choice(only, kind="network").discovered()) == ["subnet-1"]
    single = Settings(cluster_name="demo", aws_vpc_id="vpc-1", feature_gates={"ALBSingleSubnet": True})
    assert ids(choice(only, settings=single).discovered()) == ["subnet-1"]


def test_subnets_are_given_by_id_or_name_in_any_mix() -> None:
    assert ids(choice().given(["private-b", "subnet-private-a"])) == ["subnet-private-b", "subnet-private-a"]


def test_two_given_subnets_of_one_zone_are_refused() -> None:
    with pytest.raises(ModelError, match="multiple subnets in same Availability Zone us-west-2a"):
        choice().given(["public-a", "private-a"])


def test_a_name_that_nobody_has_is_named() -> None:
    with pytest.raises(ModelError, match="missing names: \\[nowhere\\]"):
        choice().given(["nowhere"])


def test_a_selector_picks_by_tags() -> None:
    assert ids(choice().selected({"tags": {"Name": ["private-a", "private-b"]}})) == [
        "subnet-private-a",
        "subnet-private-b",
    ]
