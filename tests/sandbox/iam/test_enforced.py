"""An AWS process with IAM in front of it, asked by boto3."""

import json
import uuid
from typing import Any

import pytest

from tests.sandbox.aws.harness import ACCOUNT, REGION, refusal
from tests.sandbox.iam.conftest import Enforced, document

TAG = "elbv2.k8s.aws/cluster"


def name() -> str:
    return f"t{uuid.uuid4().hex[:8]}"


def allow(*actions: str, resource: Any = "*", **conditions: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": conditions} if conditions else statement


def test_the_root_may_do_everything(enforced: Enforced) -> None:
    assert enforced.client("ec2").describe_vpcs()["Vpcs"]


def test_a_key_that_nobody_was_given_is_refused(enforced: Enforced) -> None:
    keys = {"aws_access_key_id": "AKIANOBODY", "aws_secret_access_key": "x"}
    assert refusal(enforced.client("sts", keys).get_caller_identity)[0] == "InvalidClientTokenId"
    assert refusal(enforced.client("ec2", keys).describe_vpcs)[0] == "AuthFailure"
    assert refusal(enforced.client("eks", keys).list_clusters)[0] == "UnrecognizedClientException"


def test_the_roots_key_with_another_secret_is_refused(enforced: Enforced) -> None:
    keys = {"aws_access_key_id": "AKIASANDBOXROOT00000", "aws_secret_access_key": "x"}
    assert refusal(enforced.client("iam", keys).list_roles)[0] == "SignatureDoesNotMatch"


def test_a_session_may_do_what_its_role_may_and_nothing_else(enforced: Enforced) -> None:
    role = name()
    keys = enforced.role(role, allow("ec2:DescribeVpcs"))
    ec2, caller = enforced.client("ec2", keys), f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/test"
    assert ec2.describe_vpcs()["Vpcs"]
    code, message = refusal(ec2.describe_subnets)
    told, _, encoded = message.partition(". Encoded authorization failure message: ")
    assert (code, told) == (
        "UnauthorizedOperation",
        (
            f"You are not authorized to perform this operation. User: {caller} is not authorized to perform:"
            " ec2:DescribeSubnets because no identity-based policy allows the ec2:DescribeSubnets action"
        ),
    )
    decoded = enforced.client("sts").decode_authorization_message(EncodedMessage=encoded)["DecodedMessage"]
    context = json.loads(decoded)["context"]
    assert (context["action"], context["principal"]["arn"]) == ("ec2:DescribeSubnets", caller)
    assert (
        refusal(enforced.client("sts", keys).decode_authorization_message, EncodedMessage=encoded)[0] == "AccessDenied"
    )
    assert refusal(enforced.client("sts").decode_authorization_message, EncodedMessage="x")[0].startswith("Invalid")
    assert refusal(enforced.client("elbv2", keys).describe_load_balancers)[0] == "AccessDenied"
    assert refusal(enforced.client("eks", keys).list_clusters)[0] == "AccessDeniedException"
    assert refusal(enforced.client("acm", keys).list_certificates)[0] == "AccessDeniedException"
    assert enforced.client("sts", keys).get_caller_identity()["Arn"] == caller


def test_what_the_sandbox_has_no_rule_for_is_refused(enforced: Enforced) -> None:
    keys = enforced.role(name(), allow("*"))
    code, message = refusal(enforced.client("ec2", keys).create_placement_group, GroupName="g", Strategy="cluster")
    assert code == "UnauthorizedOperation"
    assert "because the sandbox has no rule for ec2:CreatePlacementGroup" in message


@pytest.fixture
def vpc(enforced: Enforced) -> str:
    return enforced.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def group(enforced: Enforced, vpc: str, **tags: str) -> str:
    made = enforced.client("ec2").create_security_group(GroupName=name(), Description="d", VpcId=vpc)["GroupId"]
    if tags:
        enforced.client("ec2").create_tags(
            Resources=[made], Tags=[{"Key": TAG, "Value": value} for value in tags.values()]
        )
    return made


RULE = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]


def test_a_group_of_another_cluster_is_out_of_reach(enforced: Enforced, vpc: str) -> None:
    condition = {"StringEqualsIfExists": {f"aws:ResourceTag/{TAG}": "demo"}}
    keys = enforced.role(name(), allow("ec2:AuthorizeSecurityGroupIngress", **condition))
    ec2 = enforced.client("ec2", keys)
    for own in (group(enforced, vpc, cluster="demo"), group(enforced, vpc)):
        assert ec2.authorize_security_group_ingress(GroupId=own, IpPermissions=RULE)["Return"]
    foreign = group(enforced, vpc, cluster="other")
    code, message = refusal(ec2.authorize_security_group_ingress, GroupId=foreign, IpPermissions=RULE)
    assert code == "UnauthorizedOperation"
    assert f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/{foreign}" in message


def test_a_group_of_another_vpc_is_out_of_reach(enforced: Enforced, vpc: str) -> None:
    elsewhere = enforced.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    condition = {"ArnEquals": {"ec2:Vpc": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{vpc}"}}
    ec2 = enforced.client("ec2", enforced.role(name(), allow("ec2:AuthorizeSecurityGroupIngress", **condition)))
    assert ec2.authorize_security_group_ingress(GroupId=group(enforced, vpc), IpPermissions=RULE)["Return"]
    foreign = group(enforced, elsewhere)
    assert (
        refusal(ec2.authorize_security_group_ingress, GroupId=foreign, IpPermissions=RULE)[0] == "UnauthorizedOperation"
    )


def test_a_permissions_boundary_bounds(enforced: Enforced) -> None:
    role, iam = name(), enforced.client("iam")
    keys = enforced.role(role, allow("ec2:Describe*"))
    limit = iam.create_policy(PolicyName=role, PolicyDocument=document(allow("ec2:DescribeVpcs")))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=limit)
    ec2 = enforced.client("ec2", keys)
    assert ec2.describe_vpcs()["Vpcs"]
    assert "no permissions boundary allows" in refusal(ec2.describe_subnets)[1]


def test_a_session_policy_narrows(enforced: Enforced) -> None:
    role = name()
    enforced.role(role, allow("ec2:Describe*"))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    ec2 = enforced.client("ec2", enforced.session(arn, Policy=document(allow("ec2:DescribeVpcs"))))
    assert ec2.describe_vpcs()["Vpcs"]
    assert "no session policy allows" in refusal(ec2.describe_subnets)[1]


def test_a_managed_policys_default_version_counts_and_counts_at_once(enforced: Enforced) -> None:
    role, iam = name(), enforced.client("iam")
    keys = enforced.role(role, allow("ec2:DescribeVpcs"))
    ec2 = enforced.client("ec2", keys)
    arn = iam.create_policy(PolicyName=role, PolicyDocument=document(allow("ec2:DescribeSubnets")))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert "Subnets" in ec2.describe_subnets()
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("ec2:DescribeTags")), SetAsDefault=True)
    assert refusal(ec2.describe_subnets)[0] == "UnauthorizedOperation"
    assert "Tags" in ec2.describe_tags()


def test_a_users_groups_policies_are_the_users(enforced: Enforced) -> None:
    user, iam = name(), enforced.client("iam")
    iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    keys = {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
    ec2 = enforced.client("ec2", keys)
    assert refusal(ec2.describe_vpcs)[0] == "UnauthorizedOperation"
    iam.create_group(GroupName=user)
    iam.put_group_policy(GroupName=user, PolicyName="p", PolicyDocument=document(allow("ec2:DescribeVpcs")))
    iam.add_user_to_group(GroupName=user, UserName=user)
    assert ec2.describe_vpcs()["Vpcs"]
    iam.update_access_key(UserName=user, AccessKeyId=made["AccessKeyId"], Status="Inactive")
    assert refusal(ec2.describe_vpcs)[0] == "AuthFailure"


def test_a_deleted_roles_sessions_are_nobody(enforced: Enforced) -> None:
    role, iam = name(), enforced.client("iam")
    keys = enforced.role(role, allow("ec2:DescribeVpcs"))
    iam.delete_role_policy(RoleName=role, PolicyName="all")
    iam.delete_role(RoleName=role)
    assert refusal(enforced.client("sts", keys).get_caller_identity)[0] == "InvalidClientTokenId"


def test_a_role_is_assumed_by_whom_it_trusts(enforced: Enforced) -> None:
    first, second, iam = name(), name(), enforced.client("iam")
    keys = enforced.role(first, allow("sts:AssumeRole"))
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=second, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    code, message = refusal(enforced.client("sts", keys).assume_role, RoleArn=arn, RoleSessionName="test")
    assert code == "AccessDenied"
    assert f"sts:AssumeRole on resource: {arn}" in message
    trust["Principal"] = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{first}"}
    iam.update_assume_role_policy(RoleName=second, PolicyDocument=document(trust))
    assert enforced.session(arn, keys)


def test_the_decision_and_its_statement_are_on_record(enforced: Enforced) -> None:
    role = name()
    keys = enforced.role(role, allow("ec2:DescribeSubnets"), {**allow("ec2:DescribeVpcs"), "Sid": "See"})
    enforced.client("ec2", keys).describe_vpcs()
    last = enforced.decisions()[-1]
    assert last["principal"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/test"
    assert (last["action"], last["resource"], last["verdict"]) == ("ec2:DescribeVpcs", "*", "allowed")
    assert last["statements"] == [{"policy": "all", "index": 1, "sid": "See"}]


def test_what_aws_says_of_instances_cannot_be_judged(enforced: Enforced) -> None:
    keys = enforced.role(name(), allow("ec2:DescribeVpcs", StringEquals={"aws:ec2InstanceSourceVpc": "vpc-1"}))
    code, message = refusal(enforced.client("ec2", keys).describe_vpcs)
    assert (code, "does not know the condition key" in message) == ("UnauthorizedOperation", True)
