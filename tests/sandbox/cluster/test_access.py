"""Who may enter a cluster: tokens and access entries as values, and once with the sandbox's own AWS and EKS."""

import base64
import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.signers import RequestSigner

from sandbox.cluster.access import ADMIN_VIEW, Entry, Policy, bindings, path_of, user
from sandbox.cluster.tokens import Caller, TokenError, parse, user_name, without_path
from sandbox.ports import free_port
from sandbox.processes import Process, wait_until
from sandbox.state import Settings, State, write_json
from tests.sandbox.cluster.conftest import ACCOUNT, CHECKOUT, KEYS, REGION, tools

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


def token_of(url: str) -> str:
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


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
def test_a_token_is_a_request_to_sts_of_whoever_has_signed_it(base: str) -> None:
    request = parse(a_token(base), AWS, NOW)
    assert request.access_key_id == "AKIA"
    assert request.host == base.split("/")[2]
    assert "Action=GetCallerIdentity" in request.query


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("eyJhbGciOi", "starts with k8s-aws-v1"),
        ("k8s-aws-v1." + "a" * 5000, "shorter"),
        ("k8s-aws-v1.%%%", "not base64"),
        (token_of("\xff"), "host of STS"),
        (a_token("https://sts.evil.com/"), "sts.evil.com is no host of STS"),
        (a_token("https://sts.amazonaws.com.evil.com/"), "no host of STS"),
        (a_token("http://sts.amazonaws.com/"), "no host of STS"),
        (a_token("https://sts.amazonaws.com/x"), "path /x"),
        (a_token(Action="AssumeRole"), "AssumeRole is not GetCallerIdentity"),
        (a_token(Action=None), "not GetCallerIdentity"),
        (a_token(RoleArn="x"), "RoleArn"),
        (a_token(X_Amz_SignedHeaders="host"), "x-k8s-aws-id is not signed"),
        (a_token(X_Amz_Date="20261123T113000Z"), "lives for 15 minutes"),
        (a_token(X_Amz_Date="20261123T130000Z"), "lives for 15 minutes"),
        (a_token(X_Amz_Date="now"), "no time"),
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


def test_a_policy_of_namespaces_is_a_binding_in_each_that_is_there_wildcards_too() -> None:
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
    with pytest.raises(TokenError, match="AmazonEKSComputePolicy is not known"):
        bindings(an_entry(Policy("AmazonEKSComputePolicy")), [])


def test_the_user_has_the_entrys_groups_and_says_who_he_is_in_aws() -> None:
    made = user(an_entry(), CALLER, "AKIA", {})
    assert made["username"] == "dev:ann-x.com"
    assert made["groups"] == ["devs", f"access-entry:{ROLE}"]
    assert made["extra"]["canonicalArn"] == [ROLE]
    assert made["uid"] == f"aws-iam-authenticator:{ACCOUNT}:AROA1"


# With AWS


class Eks:
    """A cluster that the sandbox's AWS made, and people who knock at its door."""

    def __init__(self, state: State, endpoint: str) -> None:
        self.state = state
        self.endpoint = endpoint
        self.root = boto3.Session(
            aws_access_key_id=KEYS["access_key"], aws_secret_access_key=KEYS["secret_key"], region_name=REGION
        )

    def client(self, service: str) -> Any:
        return self.root.client(service, endpoint_url=self.endpoint)

    def role(self, name: str, principal: dict[str, str]) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]

    def session(self, role: str, name: str) -> boto3.Session:
        made = self.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], region_name=REGION)

    def token(self, session: boto3.Session, cluster: str = "demo") -> str:
        """What `aws eks get-token` prints."""
        sts = session.client("sts", endpoint_url=self.endpoint)
        signer = RequestSigner(
            sts.meta.service_model.service_id, REGION, "sts", "v4", session.get_credentials(), session.events
        )
        request = {
            "method": "GET",
            "url": f"{self.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        }
        url = signer.generate_presigned_url(request, region_name=REGION, expires_in=60, operation_name="")
        assert url
        return token_of(url)

    def kubectl(self, token: str, *args: str) -> str:
        cluster = self.client("eks").describe_cluster(name="demo")["cluster"]
        ca = self.state.root / "ca.crt"
        ca.write_bytes(base64.b64decode(cluster["certificateAuthority"]["data"]))
        done = subprocess.run(
            [
                *(tools()["control-plane"], "kubectl", "--kubeconfig", "/dev/null"),
                *("--server", cluster["endpoint"], "--certificate-authority", str(ca), "--token", token),
                *args,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def eks(tmp_path_factory: pytest.TempPathFactory) -> Generator[Eks]:
    state = State.at(tmp_path_factory.mktemp("eks") / "d")
    port = free_port()
    settings = Settings(REGION, ACCOUNT, {"aws": port}, KEYS, tools())
    write_json(state.settings_file, settings.to_json())
    made = Eks(state, f"http://127.0.0.1:{port}")
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "sandbox.aws", "--state-dir", str(state.root)]
    aws = Process("aws", command, state.log("aws"), environment, ready=lambda: bool(made.client("ec2").describe_vpcs()))
    aws.start()
    api = made.client("eks")
    try:
        aws.wait_ready(120)
        ec2 = made.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
            for n, zone in enumerate("ab")
        ]
        api.create_cluster(
            name="demo",
            roleArn=made.role("cluster", {"Service": "eks.amazonaws.com"}),
            resourcesVpcConfig={"subnetIds": [s["SubnetId"] for s in subnets]},
            accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
        )
        assert wait_until(lambda: api.describe_cluster(name="demo")["cluster"]["status"] == "ACTIVE", 120, 0.2)
        yield made
    finally:
        if aws.running():
            api.delete_cluster(name="demo")
            wait_until(lambda: not state.cluster("demo").exists(), 20)
        aws.stop(10)


def eventually(condition: Callable[[], Any], timeout: float = 60.0) -> None:
    assert wait_until(condition, timeout, interval=0.2)


@pytest.mark.sandbox
def test_whoever_made_the_cluster_administers_it(eks: Eks) -> None:
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
