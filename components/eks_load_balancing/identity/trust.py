"""Trust policies: who may assume a role. Functions of plain values."""

import json

STS_AUDIENCE = "sts.amazonaws.com"
"""The audience of service account tokens meant for STS, in every partition.

https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
"""


def without_scheme(issuer_url: str) -> str:
    """Return an issuer as IAM's condition keys spell it: without `https://`, and without a slash at the end."""
    return issuer_url.removeprefix("https://").rstrip("/")


def subject(namespace: str, service_account: str) -> str:
    """Return the `sub` claim of a service account's tokens."""
    return f"system:serviceaccount:{namespace}:{service_account}"


def web_identity_trust(provider_arn: str, issuer_url: str, namespace: str, service_account: str) -> str:
    """Return the trust policy of a role that one service account of one issuer may assume (IRSA).

    Both claims are compared with `StringEquals`: without `sub` any pod of the cluster, without `aud` a token made
    for somebody else could assume the role.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
    """
    issuer = without_scheme(issuer_url)
    return _document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider_arn},
            "Condition": {
                "StringEquals": {
                    f"{issuer}:aud": STS_AUDIENCE,
                    f"{issuer}:sub": subject(namespace, service_account),
                }
            },
        }
    )


def pod_identity_trust(cluster_arn: str, namespace: str, service_account: str) -> str:
    """Return the trust policy of a role that EKS Pod Identity hands to one service account of one cluster.

    The association says who gets the role; the session's tags are compared all the same, so that an association made
    elsewhere gives nothing away.
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
    """
    return _document(
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster_arn,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        }
    )


def service_trust(service: str) -> str:
    """Return the trust policy of a role that an AWS service assumes.

    The names of EC2 and EKS end in `amazonaws.com` in every partition, in China too.
    """
    return _document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}})


def either(*policies: str) -> str:
    """Return a trust policy that trusts whoever one of the policies trusts."""
    return _document(*(statement for policy in policies for statement in json.loads(policy)["Statement"]))


def _document(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
