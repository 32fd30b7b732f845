import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import boto3
import jwt
import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from sandbox.aws.web_identity import key_id
from tests.sandbox.aws.harness import ACCOUNT, REGION, ROOT, Aws, make_stage

SUBJECT = "system:serviceaccount:kube-system:controller"


@dataclass
class Identity:
    """A cluster, its registered issuer, and a role that trusts one service account."""

    aws: Aws
    issuer: str
    provider: str
    role: str
    private: str
    public: str

    def token(self, **claims: Any) -> str:
        given = {"iss": self.issuer, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "exp": time.time() + 600}
        return jwt.encode({**given, **claims}, self.private, "RS256", headers={"kid": key_id(self.public)})

    def assume(self, token: str, role: str | None = None, **more: Any) -> dict[str, Any]:
        sts = boto3.client(
            "sts", endpoint_url=self.aws.url, region_name=REGION, config=Config(signature_version=UNSIGNED)
        )
        return sts.assume_role_with_web_identity(
            RoleArn=role or self.role, RoleSessionName="pod", WebIdentityToken=token, **more
        )

    def refusal(self, token: str, **more: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as error:
            self.assume(token, **more)
        return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def identity(aws: Aws) -> Generator[Identity]:
    stage = make_stage(aws, "identity")
    cluster = stage.create_cluster()
    issuer = cluster["identity"]["oidc"]["issuer"]
    iam = aws.client("iam")
    provider = iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"])
    arn = provider["OpenIDConnectProviderArn"]
    host = issuer.removeprefix("https://")
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": SUBJECT, f"{host}:aud": "sts.amazonaws.com"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName="identity-pod", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    pki = aws.state.cluster("identity") / "pki"
    yield Identity(aws, issuer, arn, role, (pki / "sa.key").read_text(), (pki / "sa.pub").read_text())
    aws.client("eks").delete_cluster(name="identity")


def session_keys(given: dict[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def test_a_service_accounts_token_becomes_a_session_of_its_role(identity: Identity) -> None:
    answer = identity.assume(identity.token())
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert answer["Audience"] == "sts.amazonaws.com"
    assert answer["Provider"] == identity.provider
    who = identity.aws.client("sts", session_keys(answer["Credentials"])).get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/identity-pod/pod"


def test_a_web_identitys_session_is_narrowed_by_managed_policies(identity: Identity) -> None:
    iam = identity.aws.client("iam")
    statement = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="identity-pod", PolicyName="see", PolicyDocument=document)
    wide = identity.assume(identity.token())["Credentials"]
    assert identity.aws.client("ec2", session_keys(wide)).describe_vpcs()["Vpcs"]
    arns = [{"arn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"}]
    narrow = identity.assume(identity.token(), PolicyArns=arns)["Credentials"]
    with pytest.raises(ClientError, match="no session policy allows"):
        identity.aws.client("ec2", session_keys(narrow)).describe_vpcs()
    iam.delete_role_policy(RoleName="identity-pod", PolicyName="see")


def test_the_root_keys_are_the_root(aws: Aws) -> None:
    assert aws.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.parametrize(
    ("claims", "code", "message"),
    [
        ({"sub": "system:serviceaccount:default:controller"}, "AccessDenied", "Not authorized to perform"),
        ({"sub": "system:serviceaccount:kube-system:other"}, "AccessDenied", "Not authorized to perform"),
        ({"aud": ["kubernetes"]}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"iss": "https://elsewhere.example/id/1"}, "InvalidIdentityToken", "No OpenIDConnect provider found"),
        ({"exp": 1_000_000}, "ExpiredTokenException", "Token expired"),
        ({"nbf": 9_999_999_999}, "InvalidIdentityToken", "not valid yet"),
    ],
)
def test_a_token_of_somebody_else_is_refused(
    identity: Identity, claims: dict[str, Any], code: str, message: str
) -> None:
    got_code, got_message = identity.refusal(identity.token(**claims))
    assert got_code == code
    assert message in got_message


def test_an_altered_token_is_refused(identity: Identity) -> None:
    head, _, signature = identity.token(sub="system:serviceaccount:kube-system:other").split(".")
    payload = identity.token().split(".")[1]
    assert identity.refusal(f"{head}.{payload}.{signature}")[0] == "InvalidIdentityToken"


def test_an_unsigned_token_is_refused(identity: Identity) -> None:
    claims = jwt.decode(identity.token(), options={"verify_signature": False})
    assert identity.refusal(jwt.encode(claims, "", algorithm="none"))[0] == "InvalidIdentityToken"


def test_a_token_of_an_unknown_key_is_refused(identity: Identity) -> None:
    claims = jwt.decode(identity.token(), options={"verify_signature": False})
    token = jwt.encode(claims, identity.private, "RS256", headers={"kid": "nobody"})
    assert identity.refusal(token)[0] == "InvalidIdentityToken"


def test_what_is_no_token_is_refused(identity: Identity) -> None:
    assert identity.refusal("not.a.token")[0] == "InvalidIdentityToken"


def test_a_role_that_does_not_exist_is_not_told_apart_from_one_that_does_not_trust(identity: Identity) -> None:
    code, message = identity.refusal(identity.token(), role=f"arn:aws:iam::{ACCOUNT}:role/nobody")
    assert (code, message) == ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


def test_a_session_longer_than_the_role_allows_is_refused(identity: Identity) -> None:
    assert identity.refusal(identity.token(), DurationSeconds=7200)[0] == "ValidationError"


def test_a_presigned_url_says_who_signed_it(aws: Aws) -> None:
    url = f"{aws.url}/?Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest("GET", url, headers={"x-k8s-aws-id": "demo"})
    credentials = Credentials(ROOT["access_key"], ROOT["secret_key"])
    SigV4QueryAuth(credentials, "sts", REGION, expires=60).add_auth(request)
    status, body = aws.http("GET", str(request.url).removeprefix(aws.url), headers={"x-k8s-aws-id": "demo"})
    assert status == 200
    assert f"arn:aws:iam::{ACCOUNT}:root" in body


def test_a_call_without_a_signature_is_refused(aws: Aws) -> None:
    status, body = aws.http("GET", "/?Action=DescribeVpcs&Version=2016-11-15")
    assert status == 400
    assert "MissingAuthenticationToken" in body
