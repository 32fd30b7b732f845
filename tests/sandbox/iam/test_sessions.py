"""What a session has besides its role: tags, and session policies."""

import uuid
from typing import Any

import pytest

from sandbox.aws.identities.sessions import Extras, extras, furnish
from sandbox.aws.refusal import Refusal
from tests.sandbox.aws.harness import ACCOUNT, refusal
from tests.sandbox.iam.conftest import Enforced, document

TAGGED = [{"Key": "Team", "Value": "red"}]


class Session:
    """What is added to moto's session."""


@pytest.fixture
def role(enforced: Enforced) -> str:
    """A role that root may assume and tag, and that may see VPCs if its session's team is red, and subnets anyway."""
    name, iam = f"t{uuid.uuid4().hex[:8]}", enforced.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:*"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    red = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    statements = [
        {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*", "Condition": red},
        {"Effect": "Allow", "Action": ["ec2:DescribeSubnets", "sts:AssumeRole", "sts:TagSession"], "Resource": "*"},
    ]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(*statements))
    return arn


def test_a_sessions_tags_are_its_principals(enforced: Enforced, role: str) -> None:
    assert enforced.client("ec2", enforced.session(role, Tags=TAGGED)).describe_vpcs()["Vpcs"]
    for keys in (enforced.session(role), enforced.session(role, Tags=[{"Key": "Team", "Value": "blue"}])):
        assert refusal(enforced.client("ec2", keys).describe_vpcs)[0] == "UnauthorizedOperation"


def test_transitive_tags_go_on_to_the_next_role_and_others_do_not(enforced: Enforced, role: str) -> None:
    passing = enforced.session(role, Tags=TAGGED, TransitiveTagKeys=["Team"])
    assert enforced.client("ec2", enforced.session(role, passing)).describe_vpcs()["Vpcs"]
    sts = enforced.client("sts", passing)
    code, _ = refusal(sts.assume_role, RoleArn=role, RoleSessionName="next", Tags=[{"Key": "team", "Value": "blue"}])
    assert code == "InvalidParameterValue"
    keeping = enforced.session(role, Tags=TAGGED)
    onward = enforced.client("ec2", enforced.session(role, keeping))
    assert refusal(onward.describe_vpcs)[0] == "UnauthorizedOperation"


def test_without_the_right_to_tag_there_is_no_session_with_tags(enforced: Enforced, role: str) -> None:
    keys = enforced.role(f"t{uuid.uuid4().hex[:8]}", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    sts = enforced.client("sts", keys)
    assert sts.assume_role(RoleArn=role, RoleSessionName="next")
    code, message = refusal(sts.assume_role, RoleArn=role, RoleSessionName="next", Tags=TAGGED)
    assert code == "AccessDenied"
    assert "sts:TagSession" in message


def test_a_managed_session_policy_narrows(enforced: Enforced, role: str) -> None:
    allowed = document({"Effect": "Allow", "Action": "ec2:DescribeTags", "Resource": "*"})
    made = enforced.client("iam").create_policy(PolicyName=role.rpartition("/")[2], PolicyDocument=allowed)
    keys = enforced.session(role, PolicyArns=[{"arn": made["Policy"]["Arn"]}])
    code, message = refusal(enforced.client("ec2", keys).describe_subnets)
    assert code == "UnauthorizedOperation"
    assert "no session policy allows" in message
    assert "Subnets" in enforced.client("ec2", enforced.session(role)).describe_subnets()


def test_a_chained_session_lasts_an_hour_at_most(enforced: Enforced, role: str) -> None:
    enforced.client("iam").update_role(RoleName=role.rpartition("/")[2], MaxSessionDuration=7200)
    keys = enforced.session(role, DurationSeconds=7200)
    chained = enforced.client("sts", keys).assume_role
    assert refusal(chained, RoleArn=role, RoleSessionName="next", DurationSeconds=7200)[0] == "ValidationError"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Tags": [*TAGGED, {"Key": "team", "Value": "x"}]}, "Duplicate tag keys"),
        ({"TransitiveTagKeys": ["team"]}, "must be a tag: team"),
        ({"Tags": [{"Key": str(n), "Value": ""} for n in range(51)]}, "at most 50 tags, not 51"),
    ],
)
def test_tags_that_no_session_can_have_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        extras(parameters)


def test_inherited_tags_stay_transitive() -> None:
    first = Session()
    furnish(first, extras({"Tags": TAGGED, "TransitiveTagKeys": ["team"]}))
    second = extras({"Tags": [{"Key": "a", "Value": "b"}]}, first)
    assert second == Extras({"Team": "red", "a": "b"}, frozenset({"team"}), [])


def test_a_source_identity_takes_a_right_of_its_own_and_stays(enforced: Enforced, role: str) -> None:
    may = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Resource": "*"}
    first = enforced.role(f"t{uuid.uuid4().hex[:8]}", {**may, "Action": "sts:AssumeRole"})
    code, message = refusal(
        enforced.client("sts", first).assume_role, RoleArn=role, RoleSessionName="me", SourceIdentity="ann"
    )
    assert (code, "sts:SetSourceIdentity" in message) == ("AccessDenied", True)
    second = enforced.role(f"t{uuid.uuid4().hex[:8]}", may)
    third = enforced.session(role, second, SourceIdentity="ann")
    code, message = refusal(enforced.client("sts", third).assume_role, RoleArn=role, RoleSessionName="me")
    assert (code, "sts:SetSourceIdentity" in message) == ("AccessDenied", True), "it is handed on, and must be allowed"


def test_the_root_assumes_no_role_that_does_not_let_the_account_in(enforced: Enforced) -> None:
    service = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    name = f"t{uuid.uuid4().hex[:8]}"
    made = enforced.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(service))["Role"]["Arn"]
    code, message = refusal(enforced.client("sts").assume_role, RoleArn=made, RoleSessionName="me")
    assert (code, "no role trust policy allows" in message) == ("AccessDenied", True)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"RoleSessionName": "a/b"}, "ValidationError"),
        ({"RoleSessionName": "a:*"}, "ValidationError"),
        ({"SourceIdentity": "a b"}, "ValidationError"),
        ({"Policy": "{}}"}, "MalformedPolicyDocument"),
        ({"Policy": '{"Statement": [{"Action": "*"}]}'}, "MalformedPolicyDocument"),
    ],
)
def test_a_session_has_a_name_and_policies_that_are_some(parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as error:
        extras({"RoleSessionName": "me", **parameters})
    assert error.value.code == code
