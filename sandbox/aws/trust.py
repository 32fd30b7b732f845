"""Whether a role's trust policy lets a web identity in. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

ACTION = "sts:AssumeRoleWithWebIdentity"
Claims = Mapping[str, str | Sequence[str]]


def like(value: str, pattern: str) -> bool:
    """IAM's wildcards: `*` and `?`, nothing else."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": like,
}


def admits(policy: Mapping[str, Any], provider_arn: str, claims: Claims) -> bool:
    """Whether `policy` lets the identity provider's token in.

    Args:
        policy: the trust policy's document.
        provider_arn: the OIDC provider's ARN.
        claims: condition keys, `ISSUER:sub` and `ISSUER:aud`, and their values.

    Returns:
        True if a statement allows it and none denies it. What cannot be judged here is not allowed, and denies.
    """
    statements = [s for s in as_list(policy.get("Statement")) if _speaks_of(s, provider_arn)]
    if any(s.get("Effect") == "Deny" and _holds(s, claims, unknown=True) for s in statements):
        return False
    return any(s.get("Effect") == "Allow" and _holds(s, claims, unknown=False) for s in statements)


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one as that one."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _speaks_of(statement: Mapping[str, Any], provider_arn: str) -> bool:
    principal = statement.get("Principal")
    federated = (
        ["*"] if principal == "*" else as_list(principal.get("Federated")) if isinstance(principal, dict) else []
    )
    actions = [str(a).lower() for a in as_list(statement.get("Action"))]
    return provider_arn in federated and any(like(ACTION.lower(), a) for a in actions)


def _holds(statement: Mapping[str, Any], claims: Claims, *, unknown: bool) -> bool:
    lower = {key.lower(): as_list(value) for key, value in claims.items()}
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, wanted in keys.items():
            verdict = _judge(operator, lower.get(key.lower(), []), [str(w) for w in as_list(wanted)])
            if not (unknown if verdict is None else verdict):
                return False
    return True


def _judge(operator: str, values: list[str], wanted: list[str]) -> bool | None:
    """Whether one condition holds; None if the operator is not known."""
    every, _, name = operator.rpartition(":")
    base = name.removesuffix("IfExists")
    negated = base.startswith("StringNot")
    test = _OPERATORS.get(base.replace("StringNot", "String"))
    if test is None or every not in {"", "ForAllValues", "ForAnyValue"}:
        return None
    if not values and (base != name or every == "ForAllValues"):
        return True
    matches = [any(test(value, w) for w in wanted) != negated for value in values]
    if every == "ForAllValues" or (negated and not every):
        return all(matches)
    return any(matches)
