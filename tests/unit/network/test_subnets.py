from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.network.subnets import NARROWEST, WIDEST, plan_subnets, region_of

TWO = ["us-west-2a", "us-west-2b"]
THREE = [*TWO, "us-west-2c"]


def test_a_sixteen_gives_each_zone_a_quarter_for_pods_and_a_sixteenth_for_load_balancers() -> None:
    plan = plan_subnets("10.0.0.0/16", TWO)

    assert [(z.zone, z.private, z.public) for z in plan] == [
        ("us-west-2a", "10.0.0.0/18", "10.0.192.0/20"),
        ("us-west-2b", "10.0.64.0/18", "10.0.208.0/20"),
    ]


def test_a_third_zone_moves_no_subnet_of_the_first_two() -> None:
    assert plan_subnets("10.0.0.0/16", THREE)[:2] == plan_subnets("10.0.0.0/16", TWO)


@given(
    prefix=st.integers(WIDEST, NARROWEST),
    address=st.integers(0, 2**32 - 1),
    zones=st.sampled_from([TWO, THREE]),
)
def test_subnets_lie_in_the_range_apart_from_each_other_and_large_enough_for_a_load_balancer(
    prefix: int, address: int, zones: list[str]
) -> None:
    vpc = IPv4Network((address & ~(2 ** (32 - prefix) - 1), prefix))
    subnets = [IPv4Network(s) for z in plan_subnets(str(vpc), zones) for s in (z.public, z.private)]

    assert all(s.subnet_of(vpc) and s.prefixlen <= 27 for s in subnets)
    assert not any(a.overlaps(b) for a, b in combinations(subnets, 2))


@pytest.mark.parametrize(
    ("cidr", "zones", "says"),
    [
        ("10.0.0.0/24", TWO, "too small for its subnets: give a range between /16 and /23"),
        ("10.0.0.0/8", TWO, "larger than a VPC can be: give a range between /16 and /23"),
        ("10.0.0.1/16", TWO, "host bits set"),
        ("office", TWO, "such as 10.0.0.0/16"),
        ("fd00::/56", TWO, "such as 10.0.0.0/16"),
        ("10.0.0.0/16", ["us-west-2a"], "zones us-west-2a: EKS and the load balancers want two zones or three"),
        ("10.0.0.0/16", [], "zones none: EKS"),
        ("10.0.0.0/16", [*THREE, "us-west-2d"], "two zones or three"),
        ("10.0.0.0/16", ["us-west-2a", "us-west-2a"], "named twice"),
        ("10.0.0.0/16", ["us-west-2a", "eu-west-1a"], "different regions"),
        ("10.0.0.0/16", ["us-west-2a", "us-west-2-lax-1a"], "is not an availability zone"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(cidr: str, zones: list[str], says: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan_subnets(cidr, zones)

    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_zone_names_its_region_in_every_partition() -> None:
    assert region_of("us-gov-west-1a") == "us-gov-west-1"
    assert region_of("cn-north-1b") == "cn-north-1"
