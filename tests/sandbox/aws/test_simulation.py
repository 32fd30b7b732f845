"""Issue 16, item 15: the policy simulator for the controller's role, as `make verify` uses it."""

import json

import pytest
from botocore.exceptions import ClientError

from eks_load_balancing.controller.policy import controller_policy, controller_statements
from eks_load_balancing.controller.statements import Statement
from eks_load_balancing.verify.lines import question
from tests.sandbox.aws.harness import ACCOUNT, Aws

REGION, NAME, VPC = "us-west-2", "simulated", "vpc-0123456789abcdef0"
_TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def role(aws: Aws) -> str:
    """A role with the controller's policy."""
    iam = aws.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    made = iam.create_role(RoleName="simulated-controller", AssumeRolePolicyDocument=trust)["Role"]
    policy = controller_policy("3.5.0", "aws", NAME, REGION, VPC)
    iam.put_role_policy(RoleName="simulated-controller", PolicyName="controller", PolicyDocument=policy)
    return made["Arn"]


@pytest.mark.parametrize("statement", controller_statements("3.5.0", "aws", NAME, REGION, VPC), ids=lambda s: s.purpose)
def test_the_controllers_role_may_do_what_each_statement_is_for(aws: Aws, role: str, statement: Statement) -> None:
    asked = question(statement, REGION, ACCOUNT)
    found = aws.client("iam").simulate_principal_policy(PolicySourceArn=role, **asked)["EvaluationResults"]

    assert {one["EvalActionName"]: one["EvalDecision"] for one in found} == dict.fromkeys(statement.actions, "allowed")


def test_what_no_statement_allows_is_denied(aws: Aws, role: str) -> None:
    def decision(action: str, **more: object) -> str:
        asked = {"PolicySourceArn": role, "ActionNames": [action], **more}
        (found,) = aws.client("iam").simulate_principal_policy(**asked)["EvaluationResults"]
        return found["EvalDecision"]

    other = [
        {
            "ContextKeyName": "aws:ResourceTag/elbv2.k8s.aws/cluster",
            "ContextKeyValues": ["another"],
            "ContextKeyType": "string",
        }
    ]
    assert decision("ec2:DeleteVpc") == "implicitDeny"
    assert decision("elasticloadbalancing:DeleteLoadBalancer", ContextEntries=other) == "implicitDeny"


def test_a_principal_that_is_not_there_is_an_error(aws: Aws) -> None:
    with pytest.raises(ClientError, match="is not a role or user of this account"):
        aws.client("iam").simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/nobody", ActionNames=["ec2:DescribeVpcs"]
        )
