"""Whether a role's trust policy lets somebody in who is no principal of the account: a web identity, a service. Pure.

Users and sessions ask through `authorizer`, where trust policy and their own policies decide together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.iam.language.conditions import CannotJudgeError, Context
from sandbox.iam.language.evaluate import Decision, Kind, Policies, Principal, Request, evaluate, policy

PODS = Principal("service", "pods.eks.amazonaws.com")
"""EKS Pod Identity: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html"""


def web_identity(provider_arn: str) -> Principal:
    """Whoever an OIDC provider vouches for."""
    return Principal("federated", provider_arn, source=provider_arn)


def admits(
    document: str, role_arn: str, principal: Principal, action: str, keys: Mapping[str, str | Sequence[str]]
) -> Decision:
    """What a role's trust policy says.

    Args:
        document: the trust policy, JSON.
        role_arn: the role's ARN.
        principal: who wants in.
        action: `sts:AssumeRoleWithWebIdentity`, `sts:AssumeRole` or `sts:TagSession`.
        keys: the condition keys: a token's claims (`ISSUER:sub`, `ISSUER:aud`), `aws:RequestTag/...`.

    Raises:
        CannotJudgeError: a statement that might decide it is beyond the sandbox; that is a refusal.
    """
    given = {key.lower(): (values,) if isinstance(values, str) else values for key, values in keys.items()}
    own = policy(f"trust policy of {role_arn}", document)
    policies = Policies(resource=own, resource_decides=True, resource_kind=Kind.TRUST)
    return evaluate(Request(principal, action, role_arn, Context(given)), policies)


def let_in(
    document: str, role_arn: str, principal: Principal, action: str, keys: Mapping[str, str | Sequence[str]]
) -> bool:
    """`admits`, where what cannot be judged is refused."""
    try:
        return admits(document, role_arn, principal, action, keys).allowed
    except CannotJudgeError:
        return False


@dataclass
class Door:
    """Where those who are no principals of the account ask to be let in."""

    admits: Callable[[str, str, Principal, str, Mapping[str, str | Sequence[str]]], bool] = let_in
    """`let_in`, or `Authorizer.admits`, which notes what it says."""
