"""IAM's evaluation logic: which statement wins, and why."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.iam.language.conditions import CannotJudgeError, Context
from sandbox.iam.language.evaluate import Decision, Kind, Policies, Policy, Principal, Request, evaluate, policy

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = Principal("session", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/pod", ACCOUNT, ROLE)
USER = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/joe", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/joe")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
VPC = f"arn:aws:ec2:us-west-2:{ACCOUNT}:vpc/vpc-1"


def statement(effect: str = "Allow", action: Any = "ec2:DeleteVpc", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def of(*statements: dict[str, Any], name: str = "p", version: str = "2012-10-17") -> Policy:
    return policy(name, json.dumps({"Version": version, "Statement": list(statements)}))


def ask(
    policies: Policies,
    action: str = "ec2:DeleteVpc",
    resource: str = VPC,
    principal: Principal = SESSION,
    keys: dict[str, str] | None = None,
) -> Decision:
    values = {key.lower(): [value] for key, value in (keys or {}).items()}
    return evaluate(Request(principal, action, resource, Context(values)), policies)


def allowed(
    *statements: dict[str, Any], action: str = "ec2:DeleteVpc", resource: str = VPC, keys: dict[str, str] | None = None
) -> bool:
    return ask(Policies([of(*statements)]), action, resource, keys=keys).allowed


ALLOW, DENY = of(statement()), of(statement("Deny"))
OTHER = of(statement(action="ec2:DeleteSubnet"))


def test_nothing_is_allowed_by_default() -> None:
    decision = ask(Policies())
    assert (decision.allowed, decision.kind, decision.explicit) == (False, Kind.IDENTITY, False)


def test_one_statement_allows() -> None:
    decision = ask(Policies([OTHER, ALLOW]))
    assert decision.allowed
    assert [s.policy for s in decision.statements] == ["p"]


@pytest.mark.parametrize(
    ("policies", "kind"),
    [
        (Policies([ALLOW, DENY]), Kind.IDENTITY),
        (Policies([ALLOW], boundary=DENY), Kind.BOUNDARY),
        (Policies([ALLOW], session=[ALLOW, DENY]), Kind.SESSION),
        (Policies([ALLOW], resource=of(statement("Deny", Principal="*"))), Kind.RESOURCE),
    ],
)
def test_an_explicit_denial_anywhere_wins(policies: Policies, kind: Kind) -> None:
    decision = ask(policies)
    assert (decision.allowed, decision.kind, decision.explicit) == (False, kind, True)


@pytest.mark.parametrize(
    ("policies", "kind"),
    [
        (Policies([OTHER]), Kind.IDENTITY),
        (Policies([ALLOW], boundary=OTHER), Kind.BOUNDARY),
        (Policies([ALLOW], session=[OTHER]), Kind.SESSION),
        (Policies([OTHER], boundary=ALLOW, session=[ALLOW]), Kind.IDENTITY),
    ],
)
def test_what_one_of_them_leaves_out_is_not_allowed(policies: Policies, kind: Kind) -> None:
    decision = ask(policies)
    assert (decision.allowed, decision.kind, decision.explicit) == (False, kind, False)


def test_boundary_and_session_policies_narrow_and_grant_nothing() -> None:
    assert ask(Policies([ALLOW], boundary=ALLOW, session=[OTHER, ALLOW])).allowed
    assert not ask(Policies([], boundary=ALLOW, session=[ALLOW])).allowed


def test_one_of_two_session_policies_is_enough() -> None:
    assert ask(Policies([ALLOW], session=[OTHER, ALLOW])).allowed


@pytest.mark.parametrize(
    ("action", "asked", "verdict"),
    [
        ("*", "ec2:DeleteVpc", True),
        ("ec2:*", "ec2:DeleteVpc", True),
        ("EC2:deletevpc", "ec2:DeleteVpc", True),
        ("ec2:Delete*", "ec2:DeleteVpc", True),
        ("ec2:DeleteV?c", "ec2:DeleteVpc", True),
        ("ec2:DeleteVpcs", "ec2:DeleteVpc", False),
        ("elasticloadbalancing:*", "ec2:DeleteVpc", False),
        (["iam:GetRole", "ec2:DeleteVpc"], "ec2:DeleteVpc", True),
    ],
)
def test_actions_have_wildcards_and_no_case(action: Any, asked: str, *, verdict: bool) -> None:
    assert allowed(statement(action=action), action=asked) is verdict


def test_not_action_is_everything_else() -> None:
    given = {"Effect": "Allow", "NotAction": ["iam:*", "ec2:Delete*"], "Resource": "*"}
    assert allowed(given, action="ec2:CreateVpc")
    assert not allowed(given, action="ec2:DeleteVpc")
    assert not allowed(given, action="iam:GetRole")


def test_not_resource_is_everything_else() -> None:
    given = {"Effect": "Allow", "Action": "*", "NotResource": [VPC]}
    assert not allowed(given)
    assert allowed(given, resource=VPC + "0")


def test_an_action_on_no_resource_needs_a_star() -> None:
    assert allowed(statement(action="ec2:DescribeVpcs"), action="ec2:DescribeVpcs", resource="*")
    assert not allowed(statement(action="ec2:DescribeVpcs", resource=VPC), action="ec2:DescribeVpcs", resource="*")


def test_a_new_resource_is_matched_by_wildcards_only() -> None:
    new = f"arn:aws:ec2:us-west-2:{ACCOUNT}:vpc/*"
    assert allowed(statement(resource="arn:aws:ec2:*:*:vpc/*"), resource=new)
    assert not allowed(statement(resource=VPC), resource=new)


def test_variables_stand_in_resources() -> None:
    given = statement(resource=f"arn:aws:ec2:us-west-2:{ACCOUNT}:vpc/${{aws:PrincipalTag/vpc}}")
    assert allowed(given, keys={"aws:PrincipalTag/vpc": "vpc-1"})
    assert not allowed(given, keys={"aws:PrincipalTag/vpc": "vpc-2"})
    assert not allowed(given, keys={"aws:PrincipalTag/vpc": "*"})
    assert not allowed(given)


def test_variables_are_text_before_2012() -> None:
    given = statement(resource="${aws:PrincipalTag/vpc}")
    keys = {"aws:PrincipalTag/vpc": VPC}
    assert ask(Policies([of(given)]), keys=keys).allowed
    assert not ask(Policies([of(given, version="2008-10-17")]), keys=keys).allowed


def test_a_denial_that_cannot_be_judged_stops_the_request() -> None:
    doubtful = statement("Deny", Condition={"StringFoo": {"a": "b"}})
    with pytest.raises(CannotJudgeError, match="StringFoo"):
        allowed(statement(), doubtful)


def test_a_condition_of_another_action_is_not_looked_at() -> None:
    assert allowed(statement(), statement("Deny", "iam:*", Condition={"StringFoo": {"a": "b"}}))


def trust(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> Policy:
    return policy(
        "trust", json.dumps({"Statement": {"Effect": "Allow", "Principal": principal, "Action": action, **more}})
    )


def assume(own: Policy, principal: Principal, *identity: Policy) -> Decision:
    decides = Policies(identity, resource=own, resource_decides=True, resource_kind=Kind.TRUST)
    return ask(decides, "sts:AssumeRole", ROLE, principal)


MAY = of(statement(action="sts:AssumeRole"))


@pytest.mark.parametrize(
    ("named", "identity", "verdict"),
    [
        ({"AWS": USER.arn}, [], True),
        ({"AWS": [USER.arn, ROLE]}, [], True),
        ({"AWS": "*"}, [], True),
        ("*", [], True),
        ({"AWS": ROOT}, [], False),
        ({"AWS": ROOT}, [MAY], True),
        ({"AWS": ACCOUNT}, [MAY], True),
        ({"AWS": "arn:aws:iam::999999999999:root"}, [MAY], False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}, [MAY], False),
        ({"Service": "ec2.amazonaws.com"}, [MAY], False),
    ],
)
def test_a_role_is_assumed_by_whom_its_trust_policy_names(named: Any, identity: list[Policy], *, verdict: bool) -> None:
    assert assume(trust(named), USER, *identity).allowed is verdict


def test_an_untrusted_caller_gets_an_error() -> None:
    assert assume(trust({"Service": "ec2.amazonaws.com"}), USER, MAY).kind is Kind.TRUST


def test_a_service_is_trusted_by_name() -> None:
    pods = Principal("service", "pods.eks.amazonaws.com")
    assert assume(trust({"Service": ["pods.eks.amazonaws.com"]}), pods).allowed
    assert not assume(trust({"Service": "ec2.amazonaws.com"}), pods).allowed
    assert not assume(trust({"AWS": "*"}), pods).allowed


def test_a_session_is_named_itself_or_by_its_role() -> None:
    assert assume(trust({"AWS": ROLE}), SESSION).allowed
    assert assume(trust({"AWS": SESSION.arn}), SESSION).allowed


def test_a_grant_to_the_role_stays_within_boundary_and_session_policies() -> None:
    for narrow in (Policies(boundary=OTHER), Policies(session=[OTHER])):
        for named, verdict in ((ROLE, False), (SESSION.arn, True)):
            own = of(statement(Principal={"AWS": named}))
            decision = ask(Policies((), narrow.boundary, narrow.session, own))
            assert decision.allowed is verdict


def test_not_principal_denies_everybody_else() -> None:
    own = of({"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, SESSION.arn, ROOT]}, "Action": "*", "Resource": "*"})
    other = Principal("user", "arn:aws:iam::999999999999:user/ann", "999999999999")
    assert ask(Policies([ALLOW], resource=own)).allowed
    assert not ask(Policies([ALLOW], resource=own), principal=other).allowed


@pytest.mark.parametrize("named", [ROLE, ROOT, [ROLE, ROOT]])
def test_who_is_left_out_by_half_cannot_be_judged(named: Any) -> None:
    own = of({"Effect": "Deny", "NotPrincipal": {"AWS": named}, "Action": "*", "Resource": "*"})
    with pytest.raises(CannotJudgeError, match="not all of itself"):
        ask(Policies([ALLOW], resource=own))


def test_a_web_identity_is_nobody_that_a_star_means() -> None:
    web = Principal("federated", "arn:aws:iam::1:oidc-provider/x", source="arn:aws:iam::1:oidc-provider/x")
    assert not assume(trust("*"), web).allowed
    assert assume(trust({"Federated": web.arn}), web).allowed


PRINCIPALS = st.sampled_from(["Allow", "Deny"])
STATEMENTS = st.builds(
    statement,
    PRINCIPALS,
    st.sampled_from(["*", "ec2:*", "ec2:DeleteVpc", "ec2:DeleteSubnet", "iam:*"]),
    st.sampled_from(["*", VPC, VPC + "0", "arn:aws:ec2:*:*:vpc/*"]),
)
DOCUMENTS = st.lists(STATEMENTS, max_size=4)


def applies(given: dict[str, Any]) -> bool:
    return given["Action"] in {"*", "ec2:*", "ec2:DeleteVpc"} and given["Resource"] in {
        "*",
        VPC,
        "arn:aws:ec2:*:*:vpc/*",
    }


def effects(given: list[dict[str, Any]]) -> set[str]:
    return {each["Effect"] for each in given if applies(each)}


@given(DOCUMENTS, st.none() | DOCUMENTS, st.none() | DOCUMENTS)
def test_the_verdict_is_what_the_definition_says(
    identity: list[dict[str, Any]], boundary: list[dict[str, Any]] | None, session: list[dict[str, Any]] | None
) -> None:
    given_ = [part for part in (identity, boundary, session) if part is not None]
    expected = all(effects(part) == {"Allow"} for part in given_)
    limit = None if boundary is None else of(*boundary, name="b")
    narrowed = None if session is None else [of(*session, name="s")]
    assert ask(Policies([of(*identity)], limit, narrowed)).allowed is expected


@given(DOCUMENTS, STATEMENTS)
def test_a_denial_always_wins_and_an_allowance_never_takes_away(
    document: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    assert not allowed(*document, statement("Deny"))
    if allowed(*document):
        assert allowed(*document, {**more, "Effect": "Allow"})


@given(st.permutations([statement(), statement("Deny", "ec2:Delete*", VPC), statement(action="iam:*")]))
def test_the_order_of_statements_does_not_matter(document: list[dict[str, Any]]) -> None:
    assert not allowed(*document)
