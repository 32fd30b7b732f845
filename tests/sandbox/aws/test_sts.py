import base64
import hmac
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

from sandbox.aws.identities.web_identity import key_id
from tests.sandbox.aws.harness import ACCOUNT, REGION, ROOT, Aws, make_stage, refusal

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
        return refusal(self.assume, token, **more)


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
        ({"azp": "sts.amazonaws.com"}, "InvalidIdentityToken", "azp"),
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


@dataclass
class Neighbour:
    """Another cluster of the account, whose issuer IAM knows as well."""

    issuer: str
    private: str
    public: str


@pytest.fixture(scope="module")
def neighbour(aws: Aws) -> Generator[Neighbour]:
    issuer = make_stage(aws, "neighbour").create_cluster()["identity"]["oidc"]["issuer"]
    aws.client("iam").create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"])
    pki = aws.state.cluster("neighbour") / "pki"
    yield Neighbour(issuer, (pki / "sa.key").read_text(), (pki / "sa.pub").read_text())
    aws.client("eks").delete_cluster(name="neighbour")


@pytest.mark.parametrize("named", ["own", "neighbour", "none"])
def test_a_token_signed_with_another_clusters_key_is_refused(
    identity: Identity, neighbour: Neighbour, named: str
) -> None:
    claims = jwt.decode(identity.token(), options={"verify_signature": False})
    kids = {"own": key_id(identity.public), "neighbour": key_id(neighbour.public), "none": None}
    headers = {"kid": kids[named]} if kids[named] else None
    token = jwt.encode(claims, neighbour.private, "RS256", headers=headers)
    assert identity.refusal(token)[0] == "InvalidIdentityToken"


def test_a_good_token_of_another_cluster_is_not_trusted(identity: Identity, neighbour: Neighbour) -> None:
    claims = jwt.decode(identity.token(iss=neighbour.issuer), options={"verify_signature": False})
    token = jwt.encode(claims, neighbour.private, "RS256", headers={"kid": key_id(neighbour.public)})
    assert identity.refusal(token) == ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


def test_a_token_that_makes_a_secret_of_the_public_key_is_refused(identity: Identity) -> None:
    claims = identity.token().split(".")[1]
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": key_id(identity.public)}).encode())
    signed = f"{header.rstrip(b'=').decode()}.{claims}"
    mark = hmac.new(identity.public.encode(), signed.encode(), "sha256").digest()
    token = f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"
    assert identity.refusal(token)[0] == "InvalidIdentityToken"


def test_an_altered_claim_is_refused(identity: Identity) -> None:
    head, _, signature = identity.token().split(".")
    claims = jwt.decode(identity.token(), options={"verify_signature": False}) | {"exp": time.time() + 86400}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert identity.refusal(f"{head}.{payload}.{signature}")[0] == "InvalidIdentityToken"


def test_a_token_and_its_session_are_worth_nothing_once_the_role_is_gone(identity: Identity) -> None:
    iam = identity.aws.client("iam")
    document = iam.get_role(RoleName="identity-pod")["Role"]["AssumeRolePolicyDocument"]
    given = {"RoleName": "identity-brief", "AssumeRolePolicyDocument": json.dumps(document)}
    role, token = iam.create_role(**given)["Role"]["Arn"], identity.token()
    sts = identity.aws.client("sts", session_keys(identity.assume(token, role)["Credentials"]))
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/identity-brief/pod")
    iam.delete_role(RoleName="identity-brief")
    assert identity.refusal(token, role=role)[0] == "AccessDenied"
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()
    iam.create_role(**given)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()
    iam.delete_role(RoleName="identity-brief")


def test_a_token_is_worth_nothing_once_its_issuer_is_unknown(identity: Identity) -> None:
    iam = identity.aws.client("iam")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=identity.provider)
    try:
        assert identity.refusal(identity.token())[0] == "InvalidIdentityToken"
    finally:
        iam.create_open_id_connect_provider(Url=identity.issuer, ClientIDList=["sts.amazonaws.com"])


def test_a_refused_token_is_on_record(identity: Identity) -> None:
    subject = "system:serviceaccount:default:controller"
    identity.refusal(identity.token(sub=subject))
    last = identity.aws.get("/_sandbox/iam/denied")[-1]
    assert (last["principal"], last["action"]) == (identity.provider, "sts:AssumeRoleWithWebIdentity")
    assert [subject] in last["keys"].values()


def test_an_invalid_token_is_refused(identity: Identity) -> None:
    assert identity.refusal("not.a.token")[0] == "InvalidIdentityToken"


def test_a_missing_role_and_one_without_trust_get_the_same_error(identity: Identity) -> None:
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
