"""AWS's managed policies, as in moto: everything in them can be read and evaluated."""

import json

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from sandbox.iam.language.conditions import CannotJudgeError, Context
from sandbox.iam.language.evaluate import Policies, Policy, Principal, Request, evaluate, policy

MANAGED = json.loads(aws_managed_policies_data)
ROLE = Principal("session", "arn:aws:sts::1:assumed-role/r/s", "1", "arn:aws:iam::1:role/r")


def named(name: str) -> Policy:
    document = MANAGED[name]["Document"]
    return policy(name, document if isinstance(document, str) else json.dumps(document))


def test_every_operator_of_every_managed_policy_is_known() -> None:
    for name in MANAGED:
        for statement in named(name).statements:
            for condition in statement.conditions:
                try:
                    condition.holds(Context({condition.key: ["x"]}))
                except CannotJudgeError as error:
                    pytest.fail(f"{name}: {error}")


@pytest.mark.parametrize(
    ("name", "action", "verdict"),
    [
        ("AdministratorAccess", "iam:CreateRole", True),
        ("ReadOnlyAccess", "ec2:DescribeVpcs", True),
        ("ReadOnlyAccess", "ec2:DeleteVpc", False),
        ("PowerUserAccess", "ec2:DeleteVpc", True),
        ("PowerUserAccess", "iam:DeleteRole", False),
        ("AmazonEKS_CNI_Policy", "ec2:AssignPrivateIpAddresses", True),
        ("AmazonEKS_CNI_Policy", "ec2:DeleteVpc", False),
        ("AmazonEKSWorkerNodePolicy", "eks:DescribeCluster", True),
        ("AmazonEKSWorkerNodePolicy", "eks-auth:AssumeRoleForPodIdentity", True),
    ],
)
def test_a_managed_policy_allows_what_it_is_known_for(name: str, action: str, *, verdict: bool) -> None:
    request = Request(ROLE, action, "*", Context({}))
    assert evaluate(request, Policies([named(name)])).allowed is verdict
