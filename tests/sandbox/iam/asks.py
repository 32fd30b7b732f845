"""A load balancer controller's calls, and the decisions of upstream's policy and ours."""

from typing import Any

from eks_load_balancing.controller.policy import controller_policy
from sandbox.iam.language.conditions import Context
from sandbox.iam.language.evaluate import Decision, Policies, Policy, Principal, Request, evaluate, policy
from sandbox.iam.permissions.demands import Demand, Facts, demands
from sandbox.iam.permissions.operations import operation_of
from sandbox.iam.permissions.reference import Place
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
    """IAM's questions for a call if everything carries the cluster's tag (or none) and is in the VPC."""
    known = Facts("", {TAG: cluster} if cluster else {}, {"ec2:vpc": [EC2 + "vpc/" + vpc]})

    def look(arn: str) -> Facts | None:
        return None if "aws-service-role" in arn else Facts(arn, known.tags, known.keys)

    return demands(operation_of(call_of(signed(service, operation, parameters))), Place("aws", REGION, ACCOUNT), look)


def verdict(own: Policy, found: list[Demand]) -> Decision:
    """The first refusal, otherwise the last allowance."""
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
_ACL = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/w/1"
BLIND: list[Call] = [
    ("elbv2", "set_rule_priorities", {"RulePriorities": [{"RuleArn": RULE, "Priority": 1}]}),
    ("wafv2", "associate_web_acl", {"WebACLArn": _ACL, "ResourceArn": BALANCER}),
    ("wafv2", "disassociate_web_acl", {"ResourceArn": BALANCER}),
    ("waf-regional", "associate_web_acl", {"WebACLId": "w", "ResourceArn": BALANCER}),
    ("waf-regional", "disassociate_web_acl", {"ResourceArn": BALANCER}),
    ("shield", "create_protection", {"Name": "n", "ResourceArn": BALANCER}),
    ("shield", "delete_protection", {"ProtectionId": "00000000-0000-0000-0000-000000000000"}),
]
"""No tag of the load balancer or rule is looked at."""
_NO_KEYS = "The action has no condition keys"
_NOT_ITS_TAGS = "The load balancer's tags are no condition keys of the action, the web ACL's are"
BLIND_BECAUSE = {
    "elasticloadbalancing:SetRulePriorities": _NO_KEYS,
    "elasticloadbalancing:SetWebAcl": f"{_NO_KEYS}; WAF asks for it in the caller's name",
    "iam:CreateServiceLinkedRole": "The role is the account's, the same for every cluster",
    "shield:CreateProtection": "The tags asked for are the protection's, and the controller gives it none",
    "shield:DeleteProtection": "The controller gives its protections no tags",
    "waf-regional:AssociateWebACL": _NOT_ITS_TAGS,
    "waf-regional:DisassociateWebACL": _NO_KEYS,
    "wafv2:AssociateWebACL": _NO_KEYS,
    "wafv2:DisassociateWebACL": _NO_KEYS,
}
"""Granted write actions that cannot be limited to one cluster, with the Service Authorization Reference's reason."""
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


def allowed(own: Policy, call: Call, cluster: str | None = "demo", vpc: str = VPC, **more: Any) -> bool:
    service, operation, parameters = call
    return verdict(own, asked(service, operation, cluster, vpc, {**parameters, **more})).allowed


def make_group(own: Policy, cluster: str | None, vpc: str = VPC) -> bool:
    service, operation, parameters = MAKE_GROUP
    given = {**parameters, "VpcId": vpc, "TagSpecifications": ec2_tags(cluster)}
    return allowed(own, (service, operation, given), vpc=vpc)
