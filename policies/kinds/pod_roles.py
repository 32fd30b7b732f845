"""Roles that pods can assume: with IRSA, or with EKS Pod Identity."""

from collections.abc import Iterator
from typing import Any

from kinds.documents import Statement, statements
from pack.values import words
from pack.views import View

# The second is the issuer's dual-stack name, for clusters with IPv6.
_EKS_ISSUERS = ("oidc.eks.", "oidc-eks.")
_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"


def irsa(role: View) -> Iterator[Statement]:
    """Yield the statements with which service accounts of EKS clusters can assume a role."""
    for statement in statements(role.trust):
        if statement.grants(_WEB_IDENTITY):
            about = [*words(statement.principals.get("Federated")), *(key for _, key, _ in statement.conditions)]
            if any(is_eks(text) for text in about) or any(_service_accounts(statement)):
                yield statement


def is_for_pods(role: View) -> bool:
    """Say whether pods can assume the role, with IRSA or EKS Pod Identity."""
    return any(irsa(role)) or any(
        "pods.eks.amazonaws.com" in words(statement.principals.get("Service")) for statement in statements(role.trust)
    )


def is_eks(text: str) -> bool:
    """Say whether an ARN, URL or condition key names the issuer of an EKS cluster."""
    return any(issuer in text.lower() for issuer in _EKS_ISSUERS)


def _service_accounts(statement: Statement) -> Iterator[Any]:
    for _, key, values in statement.conditions:
        if key.lower().endswith(":sub"):
            yield from (value for value in words(values) if value.startswith("system:serviceaccount:"))


def claims(statement: Statement, claim: str) -> list[tuple[str, list[Any]]]:
    """Return operator and values of each test of a claim (`sub`, `aud`)."""
    return [(operator, values) for operator, key, values in statement.conditions if key.lower().endswith(f":{claim}")]
