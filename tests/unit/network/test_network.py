from typing import Any

import pytest

from eks_load_balancing import Network, NetworkArgs
from fixtures.declared import Declared, declare
from tests.unit.refusals import declares_nothing

ZONES = ["us-west-2a", "us-west-2b", "us-west-2c"]


def network(zones: list[str] | None = None, nat: str = "single") -> Declared:
    args: NetworkArgs = {"cidr": "10.0.0.0/16", "zones": zones or ZONES[:2], "nat": nat, "tags": {"team": "web"}}

    def program() -> dict[str, object]:
        made = Network("net", args)
        return {"vpc": made.vpc_id, "public": made.public_subnet_ids, "private": made.private_subnet_ids}

    return declare(program)


def test_each_zone_has_a_public_and_a_private_subnet_that_say_which_load_balancers_go_there() -> None:
    tags = {s.name: s.inputs["tags"] for s in network().of(":Subnet")}

    assert {name: {k for k in t if k.startswith("kubernetes.io/")} for name, t in tags.items()} == {
        "net-public-us-west-2a": {"kubernetes.io/role/elb"},
        "net-public-us-west-2b": {"kubernetes.io/role/elb"},
        "net-private-us-west-2a": {"kubernetes.io/role/internal-elb"},
        "net-private-us-west-2b": {"kubernetes.io/role/internal-elb"},
    }


def test_no_subnet_hands_out_public_addresses() -> None:
    assert {s.inputs["mapPublicIpOnLaunch"] for s in network().of(":Subnet")} == {False}


@pytest.mark.parametrize(("nat", "gateways"), [("none", 0), ("single", 1), ("per-zone", 3)])
def test_nat_gateways_are_as_many_as_asked_for(nat: str, gateways: int) -> None:
    declared = network(ZONES, nat)

    assert len(declared.of(":NatGateway")) == len(declared.of(":Eip")) == gateways


def test_without_nat_private_subnets_have_no_way_out() -> None:
    assert [route.name for route in network(nat="none").of(":Route")] == ["net-public-internet"]


def test_per_zone_a_private_subnet_goes_out_through_its_own_zone() -> None:
    routes = {r.name: r.inputs.get("natGatewayId") for r in network(ZONES, "per-zone").of(":Route")}

    for zone in ZONES:
        assert routes[f"net-private-{zone}-internet"] == f"net-nat-{zone}-id"


def test_everything_that_takes_tags_has_them() -> None:
    tagged = [r for r in network().resources if "tags" in r.inputs and r.type.startswith("aws:")]

    assert len(tagged) == 11
    assert all(r.inputs["tags"]["team"] == "web" for r in tagged)


def test_it_makes_no_security_group_and_no_peering() -> None:
    assert network().types() == [
        "aws:ec2/eip:Eip",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/route:Route",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
    ]


def test_its_outputs_follow_the_order_of_the_zones() -> None:
    outputs = network(ZONES).outputs

    assert outputs["private"] == [f"net-private-{zone}-id" for zone in ZONES]
    assert outputs["public"] == [f"net-public-{zone}-id" for zone in ZONES]
    assert outputs["vpc"] == "net-vpc-id"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"nat": "both"}, "nat 'both' is not known: give one of none, single, per-zone"),
        ({"zones": ZONES[:1]}, "two zones or three"),
    ],
)
def test_nothing_is_declared_when_the_arguments_cannot_work(changes: dict[str, Any], says: str) -> None:
    declares_nothing(lambda: Network("net", {"cidr": "10.0.0.0/16", "zones": ZONES, **changes}), says)  # pyright: ignore[reportArgumentType]
