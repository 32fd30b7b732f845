import json

from hypothesis import given
from hypothesis import strategies as st

from eks_load_balancing.identity.trust import either, pod_identity_trust, service_trust, web_identity_trust

ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/ABC"
PROVIDER = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"


def test_a_role_trusts_one_service_account_only() -> None:
    (statement,) = json.loads(web_identity_trust(PROVIDER, ISSUER, "kube-system", "controller"))["Statement"]

    assert statement == {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": PROVIDER},
        "Condition": {
            "StringEquals": {
                f"{ISSUER}:aud": "sts.amazonaws.com",
                f"{ISSUER}:sub": "system:serviceaccount:kube-system:controller",
            }
        },
    }


@given(st.sampled_from(["", "https://"]), st.sampled_from(["", "/"]))
def test_condition_keys_never_hold_a_scheme_or_a_slash_at_the_end(scheme: str, slash: str) -> None:
    trust = web_identity_trust(PROVIDER, f"{scheme}{ISSUER}{slash}", "ns", "sa")

    assert trust == web_identity_trust(PROVIDER, ISSUER, "ns", "sa")


def test_pod_identity_names_the_cluster_the_namespace_and_the_service_account() -> None:
    (statement,) = json.loads(pod_identity_trust("arn:aws:eks:r:1:cluster/c", "ns", "sa"))["Statement"]

    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:r:1:cluster/c",
            "aws:RequestTag/kubernetes-namespace": "ns",
            "aws:RequestTag/kubernetes-service-account": "sa",
        }
    }


def test_a_service_is_a_principal_by_its_own_name() -> None:
    (statement,) = json.loads(service_trust("ec2.amazonaws.com"))["Statement"]

    assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"


def test_either_trusts_whoever_one_of_them_trusts() -> None:
    one, other = service_trust("ec2.amazonaws.com"), service_trust("eks.amazonaws.com")

    assert json.loads(either(one, other))["Statement"] == [
        json.loads(one)["Statement"][0],
        json.loads(other)["Statement"][0],
    ]
    assert either(one) == one
