"""The controller's policy, upstream's and ours, on its intended calls and on similar ones."""

from typing import Any

import pytest

from fixtures.iam import upstream
from fixtures.iam.asks import (
    BLIND,
    CREATIONS,
    ELB,
    GROUP,
    MAKE_GROUP,
    OPEN,
    OTHER_VPC,
    OURS,
    PARTS,
    READS,
    TAGGED,
    UPSTREAM,
    VPC,
    Call,
    allowed,
    asked,
    ec2_tags,
    make_group,
    tags,
    verdict,
)
from fixtures.iam.sending import ACCOUNT, REGION
from sandbox.iam.language.evaluate import Policy, policy

BOTH = pytest.mark.parametrize("own", [UPSTREAM, OURS], ids=["upstream", "ours"])


@BOTH
@pytest.mark.parametrize("call", [*READS, *TAGGED, *OPEN, *BLIND], ids=lambda call: f"{call[0]}.{call[1]}")
def test_what_belongs_to_the_cluster_is_the_controllers(own: Policy, call: Call) -> None:
    assert allowed(own, call)


@BOTH
@pytest.mark.parametrize("call", CREATIONS, ids=lambda call: call[1])
def test_what_is_made_is_made_with_the_clusters_tag(own: Policy, call: Call) -> None:
    assert allowed(own, call, Tags=tags("demo"))
    assert not allowed(own, call, Tags=tags(None))
    assert not allowed(own, call)


@BOTH
def test_a_security_group_is_made_with_the_clusters_tag(own: Policy) -> None:
    assert make_group(own, "demo")
    assert not make_group(own, None)


@BOTH
@pytest.mark.parametrize("call", TAGGED, ids=lambda call: f"{call[0]}.{call[1]}")
def test_what_nobody_tagged_is_not_the_controllers(own: Policy, call: Call) -> None:
    assert not allowed(own, call, None)


@BOTH
def test_the_clusters_tag_itself_is_not_the_controllers_to_change(own: Policy) -> None:
    assert not allowed(own, ("ec2", "create_tags", {"Resources": ["sg-1"], "Tags": tags("demo")}))
    assert not allowed(own, ("elbv2", "add_tags", {"ResourceArns": [GROUP], "Tags": tags("demo")}))


@BOTH
@pytest.mark.parametrize(
    "call",
    [
        ("ec2", "delete_vpc", {"VpcId": VPC}),
        ("ec2", "create_tags", {"Resources": [VPC], "Tags": tags(None)}),
        ("ec2", "create_tags", {"Resources": ["sg-1", "subnet-1"], "Tags": tags(None)}),
        ("elbv2", "add_tags", {"ResourceArns": [ELB + "truststore/t/1"], "Tags": tags(None)}),
        ("iam", "create_service_linked_role", {"AWSServiceName": "eks.amazonaws.com"}),
        ("iam", "get_role", {"RoleName": "r"}),
        ("acm", "get_certificate", {"CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c"}),
        ("elb", "delete_load_balancer", {"LoadBalancerName": "c"}),
        ("shield", "create_subscription", {}),
    ],
    ids=lambda call: f"{call[0]}.{call[1]}",
)
def test_nothing_else_is_the_controllers(own: Policy, call: Call) -> None:
    assert not allowed(own, call, None)


@pytest.mark.parametrize("call", [*TAGGED, *OPEN], ids=lambda call: f"{call[0]}.{call[1]}")
def test_another_clusters_things_are_out_of_reach_with_ours_only(call: Call) -> None:
    assert allowed(UPSTREAM, call, "other")
    assert not allowed(OURS, call, "other")


@pytest.mark.parametrize("call", CREATIONS, ids=lambda call: call[1])
def test_nothing_is_made_for_another_cluster_with_ours_only(call: Call) -> None:
    assert allowed(UPSTREAM, call, Tags=tags("other"))
    assert not allowed(OURS, call, Tags=tags("other"))


@pytest.mark.parametrize("call", PARTS, ids=lambda call: call[1])
def test_no_listener_or_rule_is_tagged_for_another_cluster_with_ours_only(call: Call) -> None:
    assert allowed(UPSTREAM, call, Tags=tags("other"))
    assert not allowed(OURS, call, Tags=tags("other"))


def test_no_security_group_is_made_for_another_cluster_or_vpc_with_ours_only() -> None:
    for cluster, vpc in (("other", VPC), ("demo", OTHER_VPC)):
        assert make_group(UPSTREAM, cluster, vpc)
        assert not make_group(OURS, cluster, vpc)


def test_no_rule_is_written_in_another_vpc_with_ours_only() -> None:
    assert allowed(UPSTREAM, OPEN[0], None, OTHER_VPC)
    assert not allowed(OURS, OPEN[0], None, OTHER_VPC)
    assert allowed(OURS, OPEN[0], None, VPC), "the nodes' group carries no tag of the controller"


@pytest.mark.parametrize("call", BLIND, ids=lambda call: call[1])
def test_what_aws_cannot_condition_is_allowed_whatever_the_tag(call: Call) -> None:
    assert allowed(OURS, call, "other")


# The number of the upstream statement that each of these calls needs.
NEEDS = [
    (0, CREATIONS[0], {"Tags": tags("demo")}),
    (1, READS[0], {}),
    (2, READS[3], {}),
    (3, OPEN[0], {}),
    (4, MAKE_GROUP, {"TagSpecifications": ec2_tags("demo")}),
    (5, MAKE_GROUP, {"TagSpecifications": ec2_tags("demo")}),
    (6, TAGGED[12], {}),
    (7, TAGGED[0], {}),
    (8, CREATIONS[2], {"Tags": tags("demo")}),
    (9, PARTS[0], {}),
    (10, TAGGED[14], {}),
    (11, PARTS[1], {"Tags": tags("demo")}),
    (12, TAGGED[1], {}),
    (13, CREATIONS[0], {"Tags": tags("demo")}),
    (14, OPEN[8], {}),
    (15, BLIND[0], {}),
]


@pytest.mark.parametrize(("number", "call", "more"), NEEDS)
def test_every_statement_of_upstreams_is_needed_by_a_call(number: int, call: Call, more: dict[str, Any]) -> None:
    service, operation, parameters = call
    # Rules in groups that carry no tag are what statement 3 is for; those that do are 7's as well.
    found = asked(service, operation, None if number == 3 else "demo", VPC, {**parameters, **more})
    assert verdict(UPSTREAM, found).allowed
    assert not verdict(policy("less", upstream.policy(number)), found).allowed


def test_every_statement_of_upstreams_is_tried() -> None:
    assert [number for number, _, _ in NEEDS] == list(range(len(upstream.statements())))
