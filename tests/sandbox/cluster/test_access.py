"""Who may enter a cluster: tokens and access entries as values, and once with the sandbox's own AWS and EKS."""

import datetime as dt
import json
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.cluster.webhooks.access import ADMIN_VIEW, Entry, Policy, bindings, path_of, user
from sandbox.cluster.webhooks.tokens import Caller, TokenError, parse, user_name, without_path
from sandbox.run.processes import wait_until
from tests.sandbox.cluster.conftest import ACCOUNT
from tests.sandbox.cluster.eks import Eks, running_eks, token_of

AWS = "http://127.0.0.1:1234"
NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
GOOD = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIA/20261123/us-west-2/sts/aws4_request",
    "X-Amz-Date": "20261123T115900Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    "X-Amz-Signature": "abc",
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/dev"
CALLER = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/ann@x.com", ACCOUNT, "AROA1:ann@x.com")


def a_token(base: str = "https://sts.us-west-2.amazonaws.com/", **changes: str | None) -> str:
    parameters = {**GOOD, **{k.replace("_", "-"): v for k, v in changes.items()}}
    return token_of(f"{base}?{urlencode({k: v for k, v in parameters.items() if v is not None})}")


@pytest.mark.parametrize(
    "base",
    [
        "https://sts.us-west-2.amazonaws.com/",
        "https://sts.amazonaws.com/",
        f"{AWS}/",
        "https://sts.cn-north-1.amazonaws.com.cn/",
    ],
)
def test_a_token_is_a_signed_request_to_sts(base: str) -> None:
    request = parse(a_token(base), AWS, NOW)
    assert request.access_key_id == "AKIA"
    assert request.host == base.split("/")[2]
    assert "Action=GetCallerIdentity" in request.query


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("eyJhbGciOi", "starts with k8s-aws-v1"),
        ("k8s-aws-v1." + "a" * 5000, "shorter"),
        ("k8s-aws-v1.%%%", "not the base64"),
        (token_of("\xff"), "not an STS host"),
        (a_token("https://sts.evil.com/"), "sts.evil.com is not an STS host"),
        (a_token("https://sts.amazonaws.com.evil.com/"), "is not an STS host"),
        (a_token("http://sts.amazonaws.com/"), "is not an STS host"),
        (a_token("https://sts.amazonaws.com/x"), "path /x"),
        (a_token(Action="AssumeRole"), "AssumeRole is not GetCallerIdentity"),
        (a_token(Action=None), "not GetCallerIdentity"),
        (a_token(RoleArn="x"), "RoleArn"),
        (a_token(X_Amz_SignedHeaders="host"), "x-k8s-aws-id is not signed"),
        (a_token(X_Amz_Date="20261123T113000Z"), "lives for 15 minutes"),
        (a_token(X_Amz_Date="20261123T130000Z"), "lives for 15 minutes"),
        (a_token(X_Amz_Date="now"), "is not a time"),
        (token_of(f"https://sts.amazonaws.com/?{urlencode(GOOD)}&Action=GetCallerIdentity"), "given twice"),
    ],
)
def test_a_token_that_could_mean_anything_else_is_refused(token: str, message: str) -> None:
    with pytest.raises(TokenError, match=message):
        parse(token, AWS, NOW)


def test_a_session_is_its_role_and_a_user_is_himself() -> None:
    assert CALLER.principal == ROLE
    assert CALLER.session == "ann@x.com"
    root = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT)
    assert (root.principal, root.session) == (root.arn, "")
    cn = Caller("arn:aws-cn:sts::1:assumed-role/r/s", "1", "x")
    assert cn.principal == "arn:aws-cn:iam::1:role/r"


def test_the_path_of_a_role_does_not_count() -> None:
    assert without_path(f"arn:aws:iam::{ACCOUNT}:role/team/a/dev") == ROLE
    assert without_path(f"arn:aws:iam::{ACCOUNT}:user/team/ann") == f"arn:aws:iam::{ACCOUNT}:user/team/ann"


def test_a_user_name_is_made_from_the_entrys_template() -> None:
    assert user_name("{{AccountID}}:{{SessionName}}:{{SessionNameRaw}}", CALLER, {}) == f"{ACCOUNT}:ann-x.com:ann@x.com"
    node = Caller("arn:aws:sts::1:assumed-role/node/i-1", "1", "x")
    assert user_name("system:node:{{EC2PrivateDNSName}}", node, {"i-1": "ip-10-0-0-5"}) == "system:node:ip-10-0-0-5"


def an_entry(*policies: Policy) -> Entry:
    return Entry(ROLE, "dev:{{SessionName}}", ("devs",), policies)


def test_a_policy_of_the_whole_cluster_is_one_binding_of_the_entrys_own_group() -> None:
    made = bindings(an_entry(Policy("AmazonEKSClusterAdminPolicy")), ["default"])
    (path, binding), *others = made.items()
    assert not others
    assert (binding["kind"], path) == ("ClusterRoleBinding", path_of(binding))
    assert binding["roleRef"]["name"] == "cluster-admin"
    assert binding["subjects"][0]["name"] == f"access-entry:{ROLE}"


def test_a_policy_for_namespaces_becomes_a_binding_in_each_existing_one_also_by_wildcard() -> None:
    entry = an_entry(Policy("AmazonEKSEditPolicy", ("dev-*", "shared")))
    made = bindings(entry, ["default", "dev-1", "dev-2", "shared", "mydev-3"])
    assert {b["metadata"]["namespace"] for b in made.values()} == {"dev-1", "dev-2", "shared"}
    assert {b["roleRef"]["name"] for b in made.values()} == {"edit"}
    assert all(path == path_of(b) for path, b in made.items())


def test_two_entries_and_two_policies_never_share_a_binding() -> None:
    both = (Policy("AmazonEKSViewPolicy"), Policy("AmazonEKSAdminViewPolicy"))
    one = bindings(an_entry(*both), [])
    other = bindings(Entry(f"{ROLE}2", "x", (), both), [])
    assert len(one) == len(other) == 2
    assert not set(one) & set(other)
    assert ADMIN_VIEW in {b["roleRef"]["name"] for b in one.values()}


def test_a_policy_that_the_sandbox_does_not_know_is_refused_and_named() -> None:
    with pytest.raises(TokenError, match="AmazonEKSComputePolicy is not supported"):
        bindings(an_entry(Policy("AmazonEKSComputePolicy")), [])


def test_the_user_has_the_entrys_groups_and_says_who_he_is_in_aws() -> None:
    made = user(an_entry(), CALLER, "AKIA", {})
    assert made["username"] == "dev:ann-x.com"
    assert made["groups"] == ["devs", f"access-entry:{ROLE}"]
    assert made["extra"]["canonicalArn"] == [ROLE]
    assert made["uid"] == f"aws-iam-authenticator:{ACCOUNT}:AROA1"


# With AWS


@pytest.fixture(scope="module")
def eks(tmp_path_factory: pytest.TempPathFactory) -> Generator[Eks]:
    with running_eks(tmp_path_factory.mktemp("eks") / "d") as made:
        yield made


def eventually(condition: Callable[[], Any], timeout: float = 180.0) -> None:
    assert wait_until(condition, timeout, interval=0.2)


@pytest.mark.sandbox
def test_the_clusters_creator_is_its_administrator(eks: Eks) -> None:
    assert eks.kubectl(eks.token(eks.root), "auth", "can-i", "*", "*", "-A").strip() == "yes"
    assert f"arn:aws:iam::{ACCOUNT}:root" in eks.kubectl(eks.token(eks.root), "auth", "whoami")


@pytest.mark.sandbox
def test_a_role_without_an_entry_is_a_stranger_and_with_one_is_let_in_with_its_policies(eks: Eks) -> None:
    role = eks.role("dev", {"AWS": ACCOUNT})
    dev = eks.session(role, "ann@x.com")
    where = {"clusterName": "demo", "principalArn": role}
    assert "must be logged in" in eks.kubectl(eks.token(dev), "get", "pods")

    api = eks.client("eks")
    api.create_access_entry(**where, kubernetesGroups=["devs"])
    who = eks.kubectl(eks.token(dev), "auth", "whoami", "-o", "json")
    info = json.loads(who)["status"]["userInfo"]
    assert info["username"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/ann-x.com"
    assert "devs" in info["groups"]
    assert "forbidden" in eks.kubectl(eks.token(dev), "get", "pods")

    view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    api.associate_access_policy(**where, policyArn=view, accessScope={"type": "namespace", "namespaces": ["default"]})
    eventually(lambda: "No resources" in eks.kubectl(eks.token(dev), "get", "pods"))
    assert "forbidden" in eks.kubectl(eks.token(dev), "get", "pods", "-A")
    assert "forbidden" in eks.kubectl(eks.token(dev), "create", "configmap", "x")

    api.disassociate_access_policy(**where, policyArn=view)
    eventually(lambda: "forbidden" in eks.kubectl(eks.token(dev), "get", "pods"))
    api.delete_access_entry(**where)
    eventually(lambda: "must be logged in" in eks.kubectl(eks.token(dev), "get", "pods"))


@pytest.mark.sandbox
def test_a_policy_holds_with_the_very_first_request(eks: Eks) -> None:
    role = eks.role("ops", {"AWS": ACCOUNT})
    api = eks.client("eks")
    api.create_access_entry(clusterName="demo", principalArn=role)
    api.associate_access_policy(
        clusterName="demo",
        principalArn=role,
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope={"type": "cluster"},
    )
    assert "No resources" in eks.kubectl(eks.token(eks.session(role, "bob")), "get", "secrets")
