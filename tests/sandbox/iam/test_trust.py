"""Trust policies: a role admits only the web identities that it names."""

import json
from typing import Any

import pytest

from sandbox.iam.language.conditions import CannotJudgeError
from sandbox.iam.language.trust import admits, web_identity

ACTION = "sts:AssumeRoleWithWebIdentity"
ROLE = "arn:aws:iam::1:role/some"
PROVIDER = "arn:aws:iam::1:oidc-provider/issuer/id/A"
CLAIMS = {"issuer/id/A:sub": "system:serviceaccount:a:b", "issuer/id/A:aud": "sts.amazonaws.com"}


def statement(condition: Any = None, **more: Any) -> dict[str, Any]:
    given_statement = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": ACTION, **more}
    return given_statement if condition is None else {**given_statement, "Condition": condition}


def trusts(policy: dict[str, Any]) -> bool:
    """Whether a trust policy admits the claims; what cannot be judged is refused."""
    try:
        return admits(json.dumps(policy), ROLE, web_identity(PROVIDER), ACTION, CLAIMS).allowed
    except CannotJudgeError:
        return False


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        (None, True),
        ({"StringEquals": {"issuer/id/A:sub": "system:serviceaccount:a:b"}}, True),
        ({"StringEquals": {"ISSUER/id/A:SUB": ["x", "system:serviceaccount:a:b"]}}, True),
        ({"StringEquals": {"issuer/id/A:sub": "system:serviceaccount:a:*"}}, False),
        ({"StringLike": {"issuer/id/A:sub": "system:serviceaccount:a:*"}}, True),
        ({"StringLike": {"issuer/id/A:sub": "system:serviceaccount:?:b"}}, True),
        ({"StringLike": {"issuer/id/A:sub": "system:serviceaccount:[a]:b"}}, False),
        ({"StringNotEquals": {"issuer/id/A:sub": "system:serviceaccount:a:b"}}, False),
        ({"StringNotLike": {"issuer/id/A:sub": "system:serviceaccount:x:*"}}, True),
        ({"StringEquals": {"issuer/id/A:amr": "x"}}, False),
        ({"StringEqualsIfExists": {"issuer/id/A:amr": "x"}}, True),
        ({"ForAnyValue:StringEquals": {"issuer/id/A:aud": ["sts.amazonaws.com"]}}, True),
        ({"ForAllValues:StringEquals": {"issuer/id/A:amr": ["x"]}}, True),
        ({"StringEquals": {"issuer/id/A:aud": "sts.amazonaws.com", "issuer/id/A:sub": "other"}}, False),
        ({"NumericEquals": {"issuer/id/A:aud": "1"}}, False),
    ],
)
def test_a_trust_policys_condition_decides(condition: Any, verdict: bool) -> None:  # noqa: FBT001 - a parameter
    assert trusts({"Statement": [statement(condition)]}) is verdict


@pytest.mark.parametrize(
    "policy",
    [
        {"Statement": []},
        {"Statement": statement(Principal={"Federated": "arn:aws:iam::1:oidc-provider/other"})},
        {"Statement": statement(Principal={"Service": "ec2.amazonaws.com"})},
        {"Statement": statement(Action="sts:AssumeRole")},
        {"Statement": [statement(), statement(Effect="Deny")]},
    ],
)
def test_a_trust_policy_of_somebody_else_or_with_a_denial_admits_nobody(policy: dict[str, Any]) -> None:
    assert not trusts(policy)


def test_a_wildcard_action_and_a_single_statement_admit() -> None:
    assert trusts({"Statement": statement(Action=["sts:AssumeRole*"])})
