"""EKS Pod Identity in the AWS process: a pod's token becomes a session of its service account's role."""

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError

from sandbox.aws.identities.web_identity import key_id
from tests.sandbox.aws.harness import ACCOUNT, REGION, Aws, make_stage, refusal

TRUST: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "pods.eks.amazonaws.com"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
    "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "kube-system"}},
}
POD = {
    "namespace": "kube-system",
    "pod": {"name": "controller-6f7", "uid": "11111111-2222-3333-4444-555555555555"},
    "serviceaccount": {"name": "controller", "uid": "u"},
}


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Pods:
    """A cluster with an association, and a session of its nodes' role."""

    aws: Aws
    issuer: str
    private: str
    public: str
    node: dict[str, str]
    association: str

    def token(self, pod: Any = POD, kid: str | None = None, **claims: Any) -> str:
        given = {
            "iss": self.issuer,
            "sub": f"system:serviceaccount:{pod['namespace']}:{pod['serviceaccount']['name']}",
            "aud": ["pods.eks.amazonaws.com"],
            "exp": time.time() + 600,
            "kubernetes.io": pod,
        }
        return jwt.encode({**given, **claims}, self.private, "RS256", headers={"kid": kid or key_id(self.public)})

    def assume(self, token: str, keys: dict[str, str] | None = None) -> dict[str, Any]:
        auth = self.aws.client("eks-auth", keys or self.node)
        return auth.assume_role_for_pod_identity(clusterName="pods", token=token)

    def refusal(self, token: str, keys: dict[str, str] | None = None) -> tuple[str, str]:
        return refusal(self.assume, token, keys)

    def trust(self, **changes: Any) -> None:
        self.aws.client("iam").update_assume_role_policy(
            RoleName="pods-controller", PolicyDocument=document({**TRUST, **changes})
        )


def session_keys(given: dict[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": given.get("AccessKeyId") or given["accessKeyId"],
        "aws_secret_access_key": given.get("SecretAccessKey") or given["secretAccessKey"],
        "aws_session_token": given.get("SessionToken") or given["sessionToken"],
    }


@pytest.fixture(scope="module")
def pods(aws: Aws) -> Generator[Pods]:
    stage = make_stage(aws, "pods")
    cluster, iam = stage.create_cluster(), aws.client("iam")
    role = iam.create_role(RoleName="pods-controller", AssumeRolePolicyDocument=document(TRUST))["Role"]["Arn"]
    allowed = {
        "Effect": "Allow",
        "Action": "ec2:DescribeVpcs",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/eks-cluster-name": "pods"}},
    }
    iam.put_role_policy(RoleName="pods-controller", PolicyName="own", PolicyDocument=document(allowed))
    iam.attach_role_policy(RoleName="pods-ec2", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy")
    made = aws.client("eks").create_pod_identity_association(
        clusterName="pods", namespace="kube-system", serviceAccount="controller", roleArn=role
    )
    given = aws.client("sts").assume_role(RoleArn=stage.node_role, RoleSessionName="i-0123")["Credentials"]
    pki = aws.state.cluster("pods") / "pki"
    keys = (pki / "sa.key").read_text(), (pki / "sa.pub").read_text()
    issuer, association = cluster["identity"]["oidc"]["issuer"], made["association"]["associationId"]
    yield Pods(aws, issuer, *keys, session_keys(given), association)
    aws.client("eks").delete_cluster(name="pods")


def test_a_pods_token_becomes_a_session_of_its_role_with_the_pods_tags(pods: Pods) -> None:
    answer = pods.assume(pods.token())
    assert answer["subject"] == {"namespace": "kube-system", "serviceAccount": "controller"}
    assert answer["audience"] == "pods.eks.amazonaws.com"
    assert answer["podIdentityAssociation"]["associationId"] == pods.association
    assert answer["credentials"]["expiration"].timestamp() > time.time() + 3600
    keys = session_keys(answer["credentials"])
    arn = pods.aws.client("sts", keys).get_caller_identity()["Arn"]
    assert arn == answer["assumedRoleUser"]["arn"]
    assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/pods-controller/eks-pods-controller-6f7-")
    assert pods.aws.client("ec2", keys).describe_vpcs()["Vpcs"], "the policy asks for the session's tag"


def test_the_decision_of_the_trust_policy_is_logged(pods: Pods) -> None:
    pods.assume(pods.token())
    role = f"arn:aws:iam::{ACCOUNT}:role/pods-controller"
    entries = [e for e in pods.aws.get("/_sandbox/iam/log") if e["resource"] == role][-2:]
    assert [(e["principal"], e["action"], e["verdict"]) for e in entries] == [
        ("pods.eks.amazonaws.com", "sts:AssumeRole", "allowed"),
        ("pods.eks.amazonaws.com", "sts:TagSession", "allowed"),
    ]
    keys = {key: values for key, (values, *_) in entries[0]["keys"].items() if key.startswith("aws:RequestTag/")}
    assert keys == {
        "aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/pods",
        "aws:RequestTag/eks-cluster-name": "pods",
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": "controller",
        "aws:RequestTag/kubernetes-pod-name": "controller-6f7",
        "aws:RequestTag/kubernetes-pod-uid": "11111111-2222-3333-4444-555555555555",
    }


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"aud": ["sts.amazonaws.com"]}, "InvalidTokenException", "Incorrect token audience"),
        ({"iss": "https://elsewhere.example/id/1"}, "InvalidTokenException", "No OpenIDConnect provider"),
        ({"exp": 1_000_000}, "ExpiredTokenException", "Token expired"),
        ({"kid": "nobody"}, "InvalidTokenException", "verification key"),
        ({"pod": {**POD, "namespace": "default"}}, "ResourceNotFoundException", "default/controller"),
        (
            {"pod": {**POD, "serviceaccount": {"name": "x", "uid": "u"}}},
            "ResourceNotFoundException",
            "kube-system/x",
        ),
        ({"kubernetes.io": {"namespace": "kube-system"}}, "InvalidTokenException", "not bound to a pod"),
    ],
)
def test_a_token_of_a_pod_without_an_association_is_refused(
    pods: Pods, given: dict[str, Any], code: str, message: str
) -> None:
    got_code, got_message = pods.refusal(pods.token(**given))
    assert got_code == code
    assert message in got_message


def test_an_altered_and_an_unsigned_token_are_refused(pods: Pods) -> None:
    head, payload, _ = pods.token().split(".")
    signature = pods.token(exp=time.time() + 601).split(".")[2]
    assert pods.refusal(f"{head}.{payload}.{signature}")[0] == "InvalidTokenException"
    claims = jwt.decode(pods.token(), options={"verify_signature": False})
    assert pods.refusal(jwt.encode(claims, "", algorithm="none"))[0] == "InvalidTokenException"


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "ec2.amazonaws.com"}},
        {"Action": "sts:AssumeRole"},
        {"Action": "sts:TagSession"},
        {"Condition": {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "default"}}},
        {"Condition": {"StringEquals": {"aws:RequestTag/eks-cluster-name": "other"}}},
    ],
)
def test_a_role_that_does_not_trust_the_pod_is_not_handed_out(pods: Pods, changes: dict[str, Any]) -> None:
    pods.trust(**changes)
    try:
        code, message = pods.refusal(pods.token())
    finally:
        pods.trust()
    assert (code, "does not have permissions to assume" in message) == ("AccessDeniedException", True)


def test_an_association_without_tags_needs_no_right_to_tag(pods: Pods) -> None:
    eks = pods.aws.client("eks")
    where = {"clusterName": "pods", "associationId": pods.association}
    eks.update_pod_identity_association(**where, disableSessionTags=True)
    pods.trust(Action="sts:AssumeRole", Condition={"Null": {"aws:RequestTag/eks-cluster-name": "true"}})
    try:
        keys = session_keys(pods.assume(pods.token())["credentials"])
        with pytest.raises(ClientError, match="not authorized"):
            pods.aws.client("ec2", keys).describe_vpcs()
    finally:
        pods.trust()
        eks.update_pod_identity_association(**where, disableSessionTags=False)


def test_only_who_may_ask_may_ask(pods: Pods) -> None:
    keys = session_keys(pods.assume(pods.token())["credentials"])
    code, message = pods.refusal(pods.token(), keys)
    assert code == "AccessDeniedException"
    assert "eks-auth:AssumeRoleForPodIdentity" in message
