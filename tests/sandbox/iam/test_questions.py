"""Questions to an authorizer over moto's own state, in this process."""

import json
from collections.abc import Generator
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from fixtures.iam.sending import REGION, ROOT_KEYS, call_of, signed
from sandbox.aws.accelerators.store import Accelerators
from sandbox.aws.account import EmulatedAccount
from sandbox.aws.eks.store import Eks
from sandbox.iam.authorizer import Authorizer
from sandbox.iam.language.evaluate import Principal
from sandbox.iam.language.trust import PODS, web_identity
from sandbox.iam.permissions.reference import Place
from sandbox.iam.questions import QuestionError, answer

# Accounts of this test's own: moto's state is the process's.
ACCOUNT = "210987654321"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
GROUP = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


POLICY = document(
    {"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "ec2:DescribeSub*"], "Resource": "*", "Sid": "See"},
    {
        "Effect": "Allow",
        "Action": "ec2:DeleteSecurityGroup",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/team": "red"}},
    },
    {"Effect": "Deny", "Action": "ec2:DeleteVpc", "Resource": "*"},
)


@pytest.fixture
def authorizer() -> Generator[Authorizer]:
    iam = iam_backends[ACCOUNT]["aws"]
    iam.create_role("app", document(), "/", None, "", [], None)  # pyright: ignore[reportArgumentType] - moto's own default
    iam.put_role_policy("app", "mine", POLICY)
    place = Place("aws", REGION, ACCOUNT)
    eks, accelerators = Eks(REGION, ACCOUNT, "aws", "http://localhost"), Accelerators(ACCOUNT, "aws", REGION)
    yield Authorizer(EmulatedAccount(place, ROOT_KEYS, eks, accelerators))
    iam.reset()
    sts_backends[ACCOUNT]["aws"].reset()
    ec2_backends[ACCOUNT][REGION].reset()


@pytest.fixture
def keys(authorizer: Authorizer) -> tuple[str, str, str]:
    """A session of the role."""
    session = sts_backends[authorizer.state.place.account]["aws"].assume_role(REGION, "pod", ROLE, None, 3600, None)  # pyright: ignore[reportArgumentType] - moto's own default
    return session.access_key_id, session.secret_access_key, session.session_token


def ask(authorizer: Authorizer, keys: tuple[str, ...], operation: str, **parameters: Any) -> str | None:
    """The refusal's message."""
    request = signed("ec2", operation, parameters, *keys)
    denial = authorizer.authorize(call_of(request), request.headers)
    return denial.message if denial else None


def test_the_log_says_who_asked_for_what_and_what_allowed_it(authorizer: Authorizer, keys: tuple[str, ...]) -> None:
    assert ask(authorizer, keys, "describe_vpcs") is None
    assert ask(authorizer, keys, "describe_tags") is not None
    first, second = answer(authorizer, "log", {"as": ROLE})
    assert (first["action"], first["verdict"], first["keys"]) == (
        "ec2:DescribeVpcs",
        "allowed",
        {"ec2:region": [REGION]},
    )
    assert first["statements"] == [{"policy": "mine", "index": 0, "sid": "See"}]
    assert second["why"] == "because no identity-based policy allows the ec2:DescribeTags action"
    assert answer(authorizer, "denied", {}) == [second]
    assert answer(authorizer, "log", {"as": "arn:aws:iam::1:role/other"}) == []


def test_unused_permissions_are_listed(authorizer: Authorizer, keys: tuple[str, ...]) -> None:
    ask(authorizer, keys, "describe_vpcs")
    told = [(each["index"], each["action"]) for each in answer(authorizer, "unused", {"as": ROLE})]
    assert told == [(0, "ec2:describesub*"), (1, "ec2:deletesecuritygroup")]
    ask(authorizer, keys, "describe_subnets")
    told = [(each["index"], each["action"]) for each in answer(authorizer, "unused", {"as": ROLE})]
    assert told == [(1, "ec2:deletesecuritygroup")]


def test_counts_are_by_who_and_what(authorizer: Authorizer, keys: tuple[str, ...]) -> None:
    for _ in range(2):
        ask(authorizer, keys, "describe_vpcs")
    ask(authorizer, keys, "describe_tags")
    counts = authorizer.decisions.to_json()["callers"][ROLE]
    assert counts == {
        "ec2:DescribeTags": {"allowed": 0, "denied": 1},
        "ec2:DescribeVpcs": {"allowed": 2, "denied": 0},
    }


def test_why_and_why_not(authorizer: Authorizer) -> None:
    ec2 = ec2_backends[ACCOUNT][REGION]
    vpc = ec2.create_vpc("10.0.0.0/16")
    group = ec2.create_security_group("g", "d", vpc.id)
    about = {"as": ROLE, "action": "ec2:DeleteSecurityGroup", "resource": GROUP + group.id}
    told = answer(authorizer, "explain", about)
    assert (told["verdict"], told["statements"]) == ("denied", [])
    assert told["keys"]["ec2:vpc"] == [f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{vpc.id}"]
    ec2.create_tags([group.id], {"team": "red"})
    told = answer(authorizer, "explain", about)
    assert (told["verdict"], [s["index"] for s in told["statements"]]) == ("allowed", [1])
    told = answer(
        authorizer, "explain", {"as": ROLE, "action": "ec2:DeleteVpc", "resource": told["keys"]["ec2:vpc"][0]}
    )
    assert told["why"] == "with an explicit deny in an identity-based policy"
    assert not authorizer.decisions.entries, "a question is no decision"


def test_a_question_may_bring_its_own_keys(authorizer: Authorizer) -> None:
    iam_backends[ACCOUNT]["aws"].put_role_policy(
        "app", "more", document({"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*",
                                 "Condition": {"StringEquals": {"aws:RequestTag/team": "red"}}}),
    )  # fmt: skip
    about = {"as": ROLE, "action": "ec2:CreateTags", "resource": GROUP + "*"}
    assert answer(authorizer, "explain", about)["verdict"] == "denied"
    assert answer(authorizer, "explain", {**about, "aws:RequestTag/team": "red"})["verdict"] == "allowed"


@pytest.mark.parametrize(
    ("question", "given", "message"),
    [
        ("who", {}, "no question 'who'"),
        ("unused", {}, "'as' is missing"),
        ("unused", {"as": "arn:aws:iam::1:role/x"}, "is not a role or user"),
        ("explain", {"as": ROLE}, "'action' is missing"),
        ("explain", {"as": ROLE, "action": "ec2:Fly"}, "no rule for ec2:Fly"),
    ],
)
def test_a_bad_question_gets_an_answer_that_names_what_is_missing(
    authorizer: Authorizer, question: str, given: dict[str, str], message: str
) -> None:
    with pytest.raises(QuestionError, match=message):
        answer(authorizer, question, given)


def test_a_role_that_is_created_again_is_another_role(authorizer: Authorizer, keys: tuple[str, ...]) -> None:
    iam = iam_backends[ACCOUNT]["aws"]
    iam.delete_role_policy("app", "mine")
    iam.delete_role("app")
    iam.create_role("app", document(), "/", None, "", [], None)  # pyright: ignore[reportArgumentType] - moto's own default
    iam.put_role_policy("app", "mine", POLICY)
    assert ask(authorizer, keys, "describe_vpcs") == "AWS was not able to validate the provided access credentials"


def test_an_unsigned_call_is_let_through_only_with_a_token(authorizer: Authorizer) -> None:
    request = signed("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "me"})
    bare = {name: value for name, value in request.headers.items() if name != "authorization"}

    def unsigned(action: str) -> str | None:
        body = f"Action={action}&Version=2011-06-15".encode()
        call = call_of(type(request)("POST", "/", bare, body))
        denial = authorizer.authorize(call, bare)
        return denial.code if denial else None

    assert unsigned("AssumeRoleWithWebIdentity") is None
    assert unsigned("AssumeRole") is not None


PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example/id/X"
IRSA = document(
    {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                "oidc.example/id/X:sub": "system:serviceaccount:kube-system:c",
                "oidc.example/id/X:aud": "sts.amazonaws.com",
            }
        },
    }
)
CLAIMS = {"oidc.example/id/X:sub": "system:serviceaccount:kube-system:c", "oidc.example/id/X:aud": "sts.amazonaws.com"}


@pytest.mark.parametrize(
    ("who", "action", "claims", "verdict"),
    [
        (web_identity(PROVIDER), "sts:AssumeRoleWithWebIdentity", CLAIMS, True),
        (web_identity(PROVIDER + "Y"), "sts:AssumeRoleWithWebIdentity", CLAIMS, False),
        (web_identity(PROVIDER), "sts:AssumeRole", CLAIMS, False),
        (web_identity(PROVIDER), "sts:AssumeRoleWithWebIdentity", {**CLAIMS, "oidc.example/id/X:aud": "x"}, False),
        (web_identity(PROVIDER), "sts:AssumeRoleWithWebIdentity", {}, False),
        (PODS, "sts:AssumeRoleWithWebIdentity", CLAIMS, False),
    ],
)
def test_a_web_identity_is_let_in_by_its_claims_and_that_is_noted(
    authorizer: Authorizer, who: Principal, action: str, claims: dict[str, str], *, verdict: bool
) -> None:
    assert authorizer.admits(IRSA, ROLE, who, action, claims) is verdict
    entry = authorizer.decisions.entries[-1]
    assert (entry.action, entry.resource, entry.allowed) == (action, ROLE, verdict)


def test_pods_are_let_in_by_their_session_tags(authorizer: Authorizer) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "web"}}
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    for action in ("sts:AssumeRole", "sts:TagSession"):
        keys = {"aws:RequestTag/kubernetes-namespace": "web"}
        assert authorizer.admits(document({**trust, "Condition": tagged}), ROLE, PODS, action, keys)
        assert not authorizer.admits(document({**trust, "Condition": tagged}), ROLE, PODS, action, {})


def test_what_a_trust_policy_asks_beyond_the_sandbox_is_refused(authorizer: Authorizer) -> None:
    odd = json.loads(IRSA)["Statement"][0]
    odd["Condition"]["StringMatches"] = {"oidc.example/id/X:sub": "x"}
    who = web_identity(PROVIDER)
    assert not authorizer.admits(document(odd), ROLE, who, "sts:AssumeRoleWithWebIdentity", CLAIMS)
    assert "StringMatches" in authorizer.decisions.entries[-1].why
