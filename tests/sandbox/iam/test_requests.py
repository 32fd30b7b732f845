"""IAM's questions for each call, and a policy's answers."""

from collections.abc import Mapping
from typing import Any

import pytest

from fixtures.iam.sending import ACCOUNT, REGION, call_of, signed
from sandbox.iam.language.conditions import CannotJudgeError, Context, all_hold, conditions
from sandbox.iam.language.evaluate import Principal
from sandbox.iam.permissions import reference
from sandbox.iam.permissions.demands import Demand, Facts, demands, handed_on
from sandbox.iam.permissions.operations import operation_of
from sandbox.iam.permissions.reference import Place
from sandbox.iam.permissions.rules import CLASSIC, RULES
from sandbox.iam.wire.credentials import Key

PLACE = Place("aws", REGION, ACCOUNT)
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:"
IAM = f"arn:aws:iam::{ACCOUNT}:"
EKS = f"arn:aws:eks:{REGION}:{ACCOUNT}:"
BALANCER, LISTENER, GROUP = ELB + "loadbalancer/app/a/1", ELB + "listener/app/a/1/2", ELB + "targetgroup/t/3"
RULE = ELB + "listener-rule/app/a/1/2/4"
LINKED = (
    "iam:CreateServiceLinkedRole",
    IAM + "role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
)
TAGS = [{"Key": "elbv2.k8s.aws/cluster", "Value": "demo"}]
OF_GROUP = {"ResourceType": "security-group", "Tags": TAGS}
ONE = {"MinCount": 1, "MaxCount": 1}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k"


def facts(tags: Mapping[str, str] | None = None, **keys: str) -> Any:
    """A state in which everything exists and has these tags."""
    known = {name.replace("__", ":"): [value] for name, value in keys.items()}
    return lambda arn: Facts(arn, dict(tags or {}), known)


def nothing(_: str) -> None:
    return None


def asked(service: str, operation: str, look: Any = nothing, **parameters: Any) -> list[Demand]:
    return demands(operation_of(call_of(signed(service, operation, parameters))), PLACE, look)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("ec2", "describe_vpcs", {}, [("ec2:DescribeVpcs", "*")]),
        ("ec2", "describe_vpc_attribute", {"VpcId": "vpc-1", "Attribute": "enableDnsSupport"},
         [("ec2:DescribeVpcAttribute", EC2 + "vpc/vpc-1")]),
        ("ec2", "create_security_group", {"GroupName": "g", "Description": "d", "VpcId": "vpc-1"},
         [("ec2:CreateSecurityGroup", EC2 + "security-group/*"), ("ec2:CreateSecurityGroup", EC2 + "vpc/vpc-1")]),
        ("ec2", "create_security_group",
         {"GroupName": "g", "Description": "d", "VpcId": "vpc-1",
          "TagSpecifications": [{"ResourceType": "security-group", "Tags": TAGS}]},
         [("ec2:CreateSecurityGroup", EC2 + "security-group/*"), ("ec2:CreateSecurityGroup", EC2 + "vpc/vpc-1"),
          ("ec2:CreateTags", EC2 + "security-group/*")]),
        ("ec2", "authorize_security_group_ingress", {"GroupId": "sg-1", "IpPermissions": []},
         [("ec2:AuthorizeSecurityGroupIngress", EC2 + "security-group/sg-1")]),
        ("ec2", "authorize_security_group_ingress",
         {"GroupId": "sg-1", "TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": TAGS}]},
         [("ec2:AuthorizeSecurityGroupIngress", EC2 + "security-group/sg-1"),
          ("ec2:CreateTags", EC2 + "security-group-rule/*")]),
        ("ec2", "revoke_security_group_ingress", {"GroupId": "sg-1", "SecurityGroupRuleIds": ["sgr-1"]},
         [("ec2:RevokeSecurityGroupIngress", EC2 + "security-group/sg-1")]),
        ("ec2", "create_tags", {"Resources": ["sg-1", "vpc-1", "eipalloc-1"], "Tags": TAGS},
         [("ec2:CreateTags", EC2 + name) for name in ("security-group/sg-1", "vpc/vpc-1", "elastic-ip/eipalloc-1")]),
        ("ec2", "create_subnet", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"},
         [("ec2:CreateSubnet", EC2 + "subnet/*"), ("ec2:CreateSubnet", EC2 + "vpc/vpc-1")]),
        ("ec2", "create_nat_gateway", {"SubnetId": "subnet-1", "AllocationId": "eipalloc-1"},
         [("ec2:CreateNatGateway", EC2 + name)
          for name in ("natgateway/*", "subnet/subnet-1", "elastic-ip/eipalloc-1")]),
        ("ec2", "associate_route_table", {"RouteTableId": "rtb-1", "SubnetId": "subnet-1"},
         [("ec2:AssociateRouteTable", EC2 + name) for name in ("route-table/rtb-1", "subnet/subnet-1")]),
        ("ec2", "assign_private_ip_addresses", {"NetworkInterfaceId": "eni-1"},
         [("ec2:AssignPrivateIpAddresses", EC2 + "network-interface/eni-1")]),
        ("ec2", "delete_vpc_endpoints", {"VpcEndpointIds": ["vpce-1", "vpce-2"]},
         [("ec2:DeleteVpcEndpoints", EC2 + name) for name in ("vpc-endpoint/vpce-1", "vpc-endpoint/vpce-2")]),
        ("elbv2", "describe_load_balancers", {}, [("elasticloadbalancing:DescribeLoadBalancers", "*")]),
        ("elbv2", "create_load_balancer", {"Name": "a", "Subnets": ["subnet-1"]},
         [("elasticloadbalancing:CreateLoadBalancer", ELB + "loadbalancer/app/a/*"), LINKED]),
        ("elbv2", "create_load_balancer", {"Name": "a", "Type": "network", "Tags": TAGS},
         [("elasticloadbalancing:CreateLoadBalancer", ELB + "loadbalancer/net/a/*"),
          ("elasticloadbalancing:AddTags", ELB + "loadbalancer/net/a/*"), LINKED]),
        ("elbv2", "create_target_group", {"Name": "t", "Tags": TAGS},
         [("elasticloadbalancing:CreateTargetGroup", ELB + "targetgroup/t/*"),
          ("elasticloadbalancing:AddTags", ELB + "targetgroup/t/*")]),
        ("elbv2", "create_listener", {"LoadBalancerArn": BALANCER, "DefaultActions": [], "Tags": TAGS},
         [("elasticloadbalancing:CreateListener", BALANCER),
          ("elasticloadbalancing:AddTags", ELB + "listener/app/a/1/*")]),
        ("elbv2", "create_rule",
         {"ListenerArn": LISTENER, "Conditions": [], "Priority": 1, "Actions": [], "Tags": TAGS},
         [("elasticloadbalancing:CreateRule", LISTENER),
          ("elasticloadbalancing:AddTags", ELB + "listener-rule/app/a/1/2/*")]),
        ("elbv2", "set_rule_priorities", {"RulePriorities": [{"RuleArn": RULE, "Priority": 1}]},
         [("elasticloadbalancing:SetRulePriorities", RULE)]),
        ("elbv2", "register_targets", {"TargetGroupArn": GROUP, "Targets": [{"Id": "10.0.0.1"}]},
         [("elasticloadbalancing:RegisterTargets", GROUP)]),
        ("elbv2", "add_tags", {"ResourceArns": [GROUP, BALANCER], "Tags": TAGS},
         [("elasticloadbalancing:AddTags", GROUP), ("elasticloadbalancing:AddTags", BALANCER)]),
        ("elbv2", "create_rule",
         {"ListenerArn": LISTENER, "Conditions": [], "Priority": 1, "Actions": [{"Type": "authenticate-cognito",
          "AuthenticateCognitoConfig": {"UserPoolArn": "arn:aws:cognito-idp:r:1:userpool/p", "UserPoolClientId": "c",
                                        "UserPoolDomain": "d"}}]},
         [("elasticloadbalancing:CreateRule", LISTENER),
          ("cognito-idp:DescribeUserPoolClient", "arn:aws:cognito-idp:r:1:userpool/p")]),
        ("elb", "create_load_balancer", {"LoadBalancerName": "c", "Listeners": []},
         [("elasticloadbalancing:CreateLoadBalancer", ELB + "loadbalancer/c")]),
        ("iam", "create_role", {"RoleName": "r", "Path": "/p/", "AssumeRolePolicyDocument": "{}", "Tags": TAGS},
         [("iam:CreateRole", IAM + "role/p/r"), ("iam:TagRole", IAM + "role/p/r")]),
        ("iam", "get_role", {"RoleName": "r"}, [("iam:GetRole", IAM + "role/r")]),
        ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": "{}"}, [("iam:CreatePolicy", IAM + "policy/p")]),
        ("iam", "create_open_id_connect_provider", {"Url": "https://oidc.example/id/X", "Tags": TAGS},
         [("iam:CreateOpenIDConnectProvider", IAM + "oidc-provider/oidc.example/id/X"),
          ("iam:TagOpenIDConnectProvider", IAM + "oidc-provider/oidc.example/id/X")]),
        ("iam", "create_service_linked_role", {"AWSServiceName": "elasticloadbalancing.amazonaws.com"}, [LINKED]),
        ("sts", "get_caller_identity", {}, [("sts:GetCallerIdentity", "*")]),
        ("sts", "assume_role", {"RoleArn": IAM + "role/r", "RoleSessionName": "me", "Tags": TAGS},
         [("sts:AssumeRole", IAM + "role/r"), ("sts:TagSession", IAM + "role/r")]),
        ("eks", "create_cluster",
         {"name": "c", "roleArn": IAM + "role/r", "resourcesVpcConfig": {}, "tags": {"a": "b"}},
         [("eks:CreateCluster", "*"), ("eks:TagResource", EKS + "cluster/c"), ("iam:PassRole", IAM + "role/r"),
          ("iam:CreateServiceLinkedRole", IAM + "role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS")]),
        ("eks", "describe_nodegroup", {"clusterName": "c", "nodegroupName": "n"},
         [("eks:DescribeNodegroup", EKS + "nodegroup/c/n/*")]),
        ("eks", "create_access_entry", {"clusterName": "c", "principalArn": IAM + "role/p/r"},
         [("eks:CreateAccessEntry", EKS + "cluster/c")]),
        ("eks", "describe_access_entry", {"clusterName": "c", "principalArn": IAM + "role/p/r"},
         [("eks:DescribeAccessEntry", EKS + f"access-entry/c/role/{ACCOUNT}/r/*")]),
        ("eks", "create_pod_identity_association",
         {"clusterName": "c", "namespace": "n", "serviceAccount": "s", "roleArn": IAM + "role/r"},
         [("eks:CreatePodIdentityAssociation", EKS + "cluster/c"), ("iam:PassRole", IAM + "role/r")]),
        ("eks", "create_addon",
         {"clusterName": "c", "addonName": "vpc-cni", "serviceAccountRoleArn": IAM + "role/a",
          "podIdentityAssociations": [{"serviceAccount": "s", "roleArn": IAM + "role/b"}]},
         [("eks:CreateAddon", EKS + "cluster/c"), ("iam:PassRole", IAM + "role/a"), ("iam:PassRole", IAM + "role/b")]),
        ("eks", "associate_encryption_config",
         {"clusterName": "c", "encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": KEY}}]},
         [("eks:AssociateEncryptionConfig", EKS + "cluster/c"), ("kms:DescribeKey", KEY), ("kms:CreateGrant", KEY)]),
        ("iam", "add_role_to_instance_profile", {"InstanceProfileName": "p", "RoleName": "r"},
         [("iam:AddRoleToInstanceProfile", IAM + "instance-profile/p"), ("iam:PassRole", IAM + "role/r")]),
        ("ec2", "run_instances",
         {**ONE, "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1", "Groups": ["sg-1", "sg-2"]}]},
         [("ec2:RunInstances", EC2 + name) for name in
          ("instance/*", "network-interface/*", "volume/*", "subnet/subnet-1", "security-group/sg-1",
           "security-group/sg-2")]),
        ("sts", "assume_role", {"RoleArn": IAM + "role/r", "RoleSessionName": "me", "SourceIdentity": "ann"},
         [("sts:AssumeRole", IAM + "role/r"), ("sts:SetSourceIdentity", IAM + "role/r")]),
        ("eks", "list_tags_for_resource", {"resourceArn": EKS + "cluster/c"},
         [("eks:ListTagsForResource", EKS + "cluster/c")]),
        ("eks-auth", "assume_role_for_pod_identity", {"clusterName": "c", "token": "t"},
         [("eks-auth:AssumeRoleForPodIdentity", EKS + "cluster/c")]),
        ("acm", "list_certificates", {}, [("acm:ListCertificates", "*")]),
        ("wafv2", "associate_web_acl",
         {"WebACLArn": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/w/1", "ResourceArn": BALANCER},
         [("wafv2:AssociateWebACL", f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/w/1"),
          ("wafv2:AssociateWebACL", BALANCER), ("elasticloadbalancing:SetWebAcl", "*")]),
        ("shield", "create_protection", {"Name": "n", "ResourceArn": BALANCER}, [("shield:CreateProtection", "*")]),
        ("resourcegroupstaggingapi", "get_resources", {}, [("tag:GetResources", "*")]),
        ("kms", "create_key", {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
         [("kms:CreateKey", "*"), ("kms:TagResource", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*")]),
        ("kms", "create_alias", {"AliasName": "alias/a", "TargetKeyId": "k"},
         [("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/a"),
          ("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k")]),
        ("logs", "put_retention_policy", {"logGroupName": "/aws/eks/c", "retentionInDays": 7},
         [("logs:PutRetentionPolicy", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/eks/c")]),
        ("ssm", "get_parameter", {"Name": "/aws/service/eks/x"},
         [("ssm:GetParameter", f"arn:aws:ssm:{REGION}::parameter/aws/service/eks/x")]),
        ("ssm", "get_parameter", {"Name": "/mine"},
         [("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/mine")]),
    ],
)  # fmt: skip
def test_a_call_takes_these_actions_on_these_resources(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert [(d.action, d.resource) for d in asked(service, operation, **parameters)] == expected


def keys(demand: Demand) -> dict[str, list[str]]:
    return {key: list(values) for key, values in demand.context.values.items()}


def test_tags_given_at_creation_are_keys_of_what_is_made_and_of_tagging_it() -> None:
    specification = [{"ResourceType": "security-group", "Tags": TAGS}]
    made, vpc, tagging = asked(
        "ec2", "create_security_group", GroupName="g", Description="d", VpcId="vpc-1", TagSpecifications=specification
    )
    request = {"aws:requesttag/elbv2.k8s.aws/cluster": ["demo"], "aws:tagkeys": ["elbv2.k8s.aws/cluster"]}
    region = {"ec2:region": [REGION]}
    assert keys(made) == request | region
    assert keys(vpc) == region
    assert keys(tagging) == request | region | {"ec2:createaction": ["CreateSecurityGroup"]}


def test_what_elastic_load_balancing_makes_is_tagged_with_its_own_create_action() -> None:
    made, tagging, _ = asked(
        "elbv2", "create_load_balancer", Name="a", Subnets=["subnet-1", "subnet-2"], SecurityGroups=["sg-1"], Tags=TAGS
    )
    assert keys(made)["elasticloadbalancing:scheme"] == ["internet-facing"]
    assert keys(made)["elasticloadbalancing:subnet"] == ["subnet-1", "subnet-2"]
    assert keys(made)["elasticloadbalancing:securitygroup"] == ["sg-1"]
    assert keys(tagging)["elasticloadbalancing:createaction"] == ["CreateLoadBalancer"]
    assert "elasticloadbalancing:createaction" not in keys(made)


def test_tags_of_a_resource_are_keys_under_both_names() -> None:
    (demand,) = asked(
        "ec2", "delete_security_group", facts({"Team": "red"}, ec2__vpc=EC2 + "vpc/vpc-1"), GroupId="sg-1"
    )
    assert keys(demand) == {
        "aws:resourcetag/team": ["red"],
        "ec2:resourcetag/team": ["red"],
        "ec2:region": [REGION],
        "ec2:vpc": [EC2 + "vpc/vpc-1"],
    }


def test_only_keys_that_the_reference_lists_for_the_action_are_given() -> None:
    look = facts({"a": "b"})
    (with_tags,) = asked("elbv2", "modify_rule", look, RuleArn=RULE)
    (without,) = asked("elbv2", "set_rule_priorities", look, RulePriorities=[{"RuleArn": RULE, "Priority": 1}])
    assert keys(with_tags) == {"aws:resourcetag/a": ["b"], "elasticloadbalancing:resourcetag/a": ["b"]}
    assert keys(without) == {}


def test_removing_tags_names_their_keys() -> None:
    (demand,) = asked("elbv2", "remove_tags", ResourceArns=[GROUP], TagKeys=["a", "b"])
    assert keys(demand)["aws:tagkeys"] == ["a", "b"]


def test_a_role_is_passed_to_a_service() -> None:
    found = asked("eks", "create_nodegroup", clusterName="c", nodegroupName="n", subnets=[], nodeRole=IAM + "role/r")
    passing = next(d for d in found if d.action == "iam:PassRole")
    assert keys(passing) == {"iam:passedtoservice": ["eks.amazonaws.com"]}


def test_a_linked_role_that_exists_need_not_be_made() -> None:
    found = asked("elbv2", "create_load_balancer", facts(), Name="a")
    assert [d.action for d in found] == ["elasticloadbalancing:CreateLoadBalancer"]


def test_the_state_knows_a_resource_by_its_full_name() -> None:
    full = EKS + "nodegroup/c/n/8cc1"
    (demand,) = asked("eks", "describe_nodegroup", lambda _: Facts(full), clusterName="c", nodegroupName="n")
    assert demand.resource == full


def test_a_session_is_asked_for_by_name_and_external_id() -> None:
    (demand,) = asked("sts", "assume_role", RoleArn=IAM + "role/r", RoleSessionName="me", ExternalId="them")
    assert keys(demand) == {"sts:rolesessionname": ["me"], "sts:externalid": ["them"]}


def test_keys_that_the_sandbox_does_not_compute_cannot_be_judged() -> None:
    made = asked("eks", "create_cluster", name="c", roleArn=IAM + "role/r", resourcesVpcConfig={})[0]
    with pytest.raises(CannotJudgeError, match="eks:computeconfigenabled"):
        all_hold(conditions({"Bool": {"eks:computeConfigEnabled": "false"}}), made.context)


def test_tags_that_the_sandbox_does_not_keep_cannot_be_judged() -> None:
    (demand,) = asked("ssm", "get_parameter", lambda arn: Facts(arn, tags=None), Name="/mine")
    with pytest.raises(CannotJudgeError, match="aws:resourcetag/a"):
        all_hold(conditions({"StringEquals": {"aws:ResourceTag/a": "b"}}), demand.context)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "message"),
    [
        ("ec2", "create_placement_group", {"GroupName": "g"}, "no rule for ec2:CreatePlacementGroup"),
        ("ec2", "delete_security_group", {"GroupName": "g"}, "no rule for ec2:DeleteSecurityGroup without GroupId"),
        ("ec2", "create_tags", {"Resources": ["tgw-1"], "Tags": TAGS}, "what tgw-1 is"),
        ("s3", "list_buckets", {}, "s3"),
        ("resourcegroupstaggingapi", "tag_resources", {"ResourceARNList": [GROUP], "Tags": {"a": "b"}},
         "no rule for tag:TagResources"),
        ("sts", "get_session_token", {}, "no rule for sts:GetSessionToken"),
        ("ec2", "create_security_group", {"GroupName": "g", "Description": "d"}, "without VpcId"),
        ("ec2", "delete_security_group", {"GroupId": "sg-1", "GroupName": "g"}, "with GroupName"),
        ("ec2", "delete_security_group", {"GroupId": "nodes"}, "'nodes' is no id of a security-group"),
        ("ec2", "run_instances", {**ONE, "IamInstanceProfile": {"Name": "p"}}, "with IamInstanceProfile"),
        ("ec2", "run_instances", {**ONE, "LaunchTemplate": {"LaunchTemplateName": "t"}}, "LaunchTemplateName"),
        ("ec2", "create_tags", {"Resources": ["sg-1"], "Tags": [*TAGS, *TAGS]}, "key is given twice"),
        ("ec2", "create_tags", {"Resources": ["sg-1"], "Tags": [{"Key": "A"}, {"Key": "a"}]}, "key is given twice"),
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [OF_GROUP]}, "with tags of a security"),
        ("ec2", "create_security_group",
         {"GroupName": "g", "Description": "d", "VpcId": "vpc-1", "TagSpecifications": [OF_GROUP, OF_GROUP]},
         "has two lists of tags"),
        ("elbv2", "delete_target_group", {"TargetGroupArn": GROUP + "/"}, "does not know what"),
    ],
)  # fmt: skip
def test_what_has_no_rule_cannot_be_judged(
    service: str, operation: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(CannotJudgeError, match=message):
        asked(service, operation, **parameters)


@pytest.mark.parametrize("service", RULES)
def test_every_rule_is_of_an_action_and_of_types_in_the_reference(service: str) -> None:
    special = {"ids", "arns", "loadbalancer/TYPE/", "listener", "listener-rule", "service-linked-role"}
    for action, rule in RULES[service].items():
        assert reference.action_types(service, action) is not None, action
        for entry in (each for each in rule.split() if each[0] != "!"):
            kind = entry.lstrip("?+~").partition(":")[0]
            assert kind in special or reference.arn(service, kind, PLACE, ["x"]), (action, kind)


def test_classic_load_balancers_have_the_reference_in_common() -> None:
    for action in CLASSIC:
        assert reference.action_types("elasticloadbalancing", action) is not None, action


def test_what_a_service_asks_in_the_callers_name_is_not_judged_by_its_way() -> None:
    linked = asked("elbv2", "create_load_balancer", Name="a")[-1]
    with pytest.raises(CannotJudgeError, match="aws:viaawsservice"):
        all_hold(conditions({"Bool": {"aws:ViaAWSService": "false"}}), linked.context)


def test_a_session_hands_its_transitive_tags_and_its_source_identity_on() -> None:
    principal = Principal("session", "arn:aws:sts::1:assumed-role/a/b", "1", "arn:aws:iam::1:role/a")
    key = Key("s", principal, tags={"Team": "red", "Mine": "x"}, transitive=frozenset({"team"}), source_identity="ann")
    call = call_of(signed("sts", "assume_role", {"RoleArn": IAM + "role/r", "RoleSessionName": "me"}))
    found = demands(handed_on(operation_of(call), key), PLACE, nothing)
    assert [d.action for d in found] == ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    assert keys(found[1])["aws:requesttag/team"] == ["red"]
    assert "aws:requesttag/mine" not in keys(found[1])
    assert keys(found[2]) == {"sts:sourceidentity": ["ann"]}


def test_an_empty_context_counts_as_none() -> None:
    assert Context({}).get("aws:resourcetag/x") is None
