"""The controller's policy, upstream's and ours, on the calls that it is made for and on those one step beside."""

from typing import Any

import pytest

from eks_load_balancing.controller_policy import controller_policy
from sandbox.iam.conditions import Context
from sandbox.iam.evaluate import Decision, Policies, Policy, Principal, Request, evaluate, policy
from sandbox.iam.operations import operation_of
from sandbox.iam.reference import Place
from sandbox.iam.requests import Demand, Facts, demands
from tests.sandbox.iam import upstream
from tests.sandbox.iam.sending import ACCOUNT, REGION, call_of, signed

VPC, OTHER_VPC = "vpc-0123456789abcdef0", "vpc-0fedcba9876543210"
UPSTREAM = policy("upstream", upstream.policy())
OURS = policy("ours", controller_policy("3.5.0", "aws", "demo", REGION, VPC))
CONTROLLER = Principal(
    "session", f"arn:aws:sts::{ACCOUNT}:assumed-role/c/pod", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/c"
)

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:"
BALANCER, LISTENER, GROUP = ELB + "loadbalancer/app/a/1", ELB + "listener/app/a/1/2", ELB + "targetgroup/t/3"
RULE = ELB + "listener-rule/app/a/1/2/4"
TAG = upstream.TAG


def tags(cluster: str | None) -> list[dict[str, str]]:
    return [{"Key": TAG, "Value": cluster}] if cluster else [{"Key": "other", "Value": "x"}]


def ec2_tags(cluster: str | None) -> list[dict[str, Any]]:
    return [{"ResourceType": "security-group", "Tags": tags(cluster)}]


def asked(service: str, operation: str, cluster: str | None, vpc: str, parameters: dict[str, Any]) -> list[Demand]:
    """What is asked when everything there is carries the cluster's tag (or none) and is in the VPC."""
    known = Facts("", {TAG: cluster} if cluster else {}, {"ec2:vpc": [EC2 + "vpc/" + vpc]})

    def look(arn: str) -> Facts | None:
        return None if "aws-service-role" in arn else Facts(arn, known.tags, known.keys)

    return demands(operation_of(call_of(signed(service, operation, parameters))), Place("aws", REGION, ACCOUNT), look)


def verdict(own: Policy, found: list[Demand]) -> Decision:
    """The first refusal, else the last allowance."""
    decisions = [
        evaluate(Request(CONTROLLER, d.action, d.resource, Context(d.context.values)), Policies([own])) for d in found
    ]
    return next((decision for decision in decisions if not decision.allowed), decisions[-1])


Call = tuple[str, str, dict[str, Any]]

MAKE_GROUP: Call = ("ec2", "create_security_group", {"GroupName": "g", "Description": "d", "VpcId": VPC})
CREATIONS: list[Call] = [
    ("elbv2", "create_load_balancer", {"Name": "a", "Subnets": ["subnet-1"]}),
    ("elbv2", "create_load_balancer", {"Name": "a", "Type": "network", "Subnets": ["subnet-1"]}),
    ("elbv2", "create_target_group", {"Name": "t"}),
]
PARTS: list[Call] = [
    ("elbv2", "create_listener", {"LoadBalancerArn": BALANCER, "DefaultActions": []}),
    ("elbv2", "create_rule", {"ListenerArn": LISTENER, "Conditions": [], "Priority": 1, "Actions": []}),
]
TAGGED: list[Call] = [
    ("ec2", "delete_security_group", {"GroupId": "sg-1"}),
    ("elbv2", "modify_load_balancer_attributes", {"LoadBalancerArn": BALANCER, "Attributes": []}),
    ("elbv2", "set_ip_address_type", {"LoadBalancerArn": BALANCER, "IpAddressType": "ipv4"}),
    ("elbv2", "set_security_groups", {"LoadBalancerArn": BALANCER, "SecurityGroups": []}),
    ("elbv2", "set_subnets", {"LoadBalancerArn": BALANCER, "Subnets": []}),
    ("elbv2", "delete_load_balancer", {"LoadBalancerArn": BALANCER}),
    ("elbv2", "modify_target_group", {"TargetGroupArn": GROUP}),
    ("elbv2", "modify_target_group_attributes", {"TargetGroupArn": GROUP, "Attributes": []}),
    ("elbv2", "delete_target_group", {"TargetGroupArn": GROUP}),
    ("elbv2", "modify_listener_attributes", {"ListenerArn": LISTENER, "Attributes": []}),
    ("elbv2", "modify_capacity_reservation", {"LoadBalancerArn": BALANCER}),
    ("elbv2", "modify_ip_pools", {"LoadBalancerArn": BALANCER}),
    ("ec2", "create_tags", {"Resources": ["sg-1"], "Tags": tags(None)}),
    ("ec2", "delete_tags", {"Resources": ["sg-1"], "Tags": tags(None)}),
    ("elbv2", "add_tags", {"ResourceArns": [GROUP], "Tags": tags(None)}),
    ("elbv2", "remove_tags", {"ResourceArns": [BALANCER], "TagKeys": ["other"]}),
]
OPEN: list[Call] = [
    ("ec2", "authorize_security_group_ingress", {"GroupId": "sg-1", "IpPermissions": []}),
    ("ec2", "revoke_security_group_ingress", {"GroupId": "sg-1", "IpPermissions": []}),
    ("elbv2", "delete_listener", {"ListenerArn": LISTENER}),
    ("elbv2", "delete_rule", {"RuleArn": RULE}),
    ("elbv2", "modify_listener", {"ListenerArn": LISTENER}),
    ("elbv2", "modify_rule", {"RuleArn": RULE}),
    ("elbv2", "add_listener_certificates", {"ListenerArn": LISTENER, "Certificates": []}),
    ("elbv2", "remove_listener_certificates", {"ListenerArn": LISTENER, "Certificates": []}),
    ("elbv2", "register_targets", {"TargetGroupArn": GROUP, "Targets": []}),
    ("elbv2", "deregister_targets", {"TargetGroupArn": GROUP, "Targets": []}),
    ("elbv2", "add_tags", {"ResourceArns": [RULE], "Tags": tags(None)}),
    ("elbv2", "remove_tags", {"ResourceArns": [LISTENER], "TagKeys": ["other"]}),
    *PARTS,
]
# No tags of the resource are looked at: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
BLIND: list[Call] = [
    ("elbv2", "set_rule_priorities", {"RulePriorities": [{"RuleArn": RULE, "Priority": 1}]}),
    ("wafv2", "associate_web_acl",
     {"WebACLArn": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/w/1", "ResourceArn": BALANCER}),
]  # fmt: skip
READS: list[Call] = [
    ("ec2", "describe_subnets", {}),
    ("ec2", "get_security_groups_for_vpc", {"VpcId": VPC}),
    ("elbv2", "describe_tags", {"ResourceArns": [GROUP]}),
    ("acm", "describe_certificate", {"CertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c"}),
    ("iam", "get_server_certificate", {"ServerCertificateName": "c"}),
    ("cognito-idp", "describe_user_pool_client", {"UserPoolId": "us-west-2_p", "ClientId": "c"}),
    ("waf-regional", "get_web_acl", {"WebACLId": "w"}),
    ("wafv2", "get_web_acl_for_resource", {"ResourceArn": BALANCER}),
    ("shield", "describe_protection", {"ResourceArn": BALANCER}),
]
BOTH = pytest.mark.parametrize("own", [UPSTREAM, OURS], ids=["upstream", "ours"])


def allowed(own: Policy, call: Call, cluster: str | None = "demo", vpc: str = VPC, **more: Any) -> bool:
    service, operation, parameters = call
    return verdict(own, asked(service, operation, cluster, vpc, {**parameters, **more})).allowed


def make_group(own: Policy, cluster: str | None, vpc: str = VPC) -> bool:
    service, operation, parameters = MAKE_GROUP
    given = {**parameters, "VpcId": vpc, "TagSpecifications": ec2_tags(cluster)}
    return allowed(own, (service, operation, given), vpc=vpc)


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


# The statement of upstream's policy, by number, that each of these calls cannot do without.
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
