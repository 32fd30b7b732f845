"""Whether a resource's policy admits a caller from outside the account: a web identity, a service. Pure.

The resource is a role, or the bucket that a load balancer writes its logs into.

Users and sessions ask through `authorizer`, where the trust policy and their own policies decide together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.iam.language.conditions import CannotJudgeError, Context
from sandbox.iam.language.evaluate import Decision, Kind, Policies, Principal, Request, evaluate, policy

PODS = Principal("service", "pods.eks.amazonaws.com")
"""EKS Pod Identity: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html"""


def web_identity(provider_arn: str) -> Principal:
    """Callers that an OIDC provider vouches for."""
    return Principal("federated", provider_arn, source=provider_arn)


def admits(
    document: str, resource_arn: str, principal: Principal, action: str, keys: Mapping[str, str | Sequence[str]]
) -> Decision:
    """The decision of a resource's policy.

    Args:
        document: the policy, JSON.
        resource_arn: the ARN of the role, or of the object in a bucket.
        principal: the caller.
        action: `sts:AssumeRoleWithWebIdentity`, `sts:AssumeRole`, `sts:TagSession` or `s3:PutObject`.
        keys: the condition keys: a token's claims (`ISSUER:sub`, `ISSUER:aud`), `aws:RequestTag/...`.

    Raises:
        CannotJudgeError: the sandbox cannot evaluate a statement that might decide it; the caller must refuse.
    """
    given = {key.lower(): (values,) if isinstance(values, str) else values for key, values in keys.items()}
    own = policy(f"trust policy of {resource_arn}", document)
    policies = Policies(resource=own, resource_decides=True, resource_kind=Kind.TRUST)
    return evaluate(Request(principal, action, resource_arn, Context(given)), policies)


def let_in(
    document: str, resource_arn: str, principal: Principal, action: str, keys: Mapping[str, str | Sequence[str]]
) -> bool:
    """`admits`, but refuses what cannot be judged."""
    try:
        return admits(document, resource_arn, principal, action, keys).allowed
    except CannotJudgeError:
        return False


@dataclass
class Door:
    """Decides on callers that are not principals of the account."""

    admits: Callable[[str, str, Principal, str, Mapping[str, str | Sequence[str]]], bool] = let_in
    """`let_in`, or `Authorizer.admits`, which also logs the decision."""
