"""The trust policy of the controller's role: whom it allows, and how to restrict it. Pure."""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from eks_load_balancing.doctor.documents import listed, names_action, statements
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH
from eks_load_balancing.doctor.lookups import key
from eks_load_balancing.identity.trust import (
    STS_AUDIENCE,
    pod_identity_trust,
    subject,
    web_identity_trust,
    without_scheme,
)

_WEB_IDENTITY: Final = "sts:AssumeRoleWithWebIdentity"
EXACT: Final = ("StringEquals",)
"""Operators that compare without wildcards."""


def issuer_of(facts: Facts) -> str:
    """Return the cluster's issuer, without a scheme."""
    return without_scheme(facts.cluster["identity"]["oidc"]["issuer"])


def claims(statement: Object) -> dict[str, dict[str, list[str]]]:
    """Return the values that a statement demands of `sub` and `aud`, by claim and operator."""
    found: dict[str, dict[str, list[str]]] = {"sub": {}, "aud": {}}
    for operator, tests in (statement.get("Condition") or {}).items():
        for name, values in tests.items():
            claim = name.rpartition(":")[2]
            if claim in found:
                found[claim].setdefault(operator, []).extend(listed(values))
    return found


def federated(facts: Facts) -> list[Object]:
    """Return the statements of the role's trust policy that accept tokens of an issuer."""
    document = (facts.role or {}).get("AssumeRolePolicyDocument", {})
    return [s for s in statements(document) if s["Effect"] == "Allow" and names_action(s, _WEB_IDENTITY)]


def own_subject(facts: Facts) -> str:
    """Return the `sub` of the controller's tokens."""
    namespace, name = key(facts.service_account or {"metadata": {"name": "default"}})
    return subject(namespace, name)


def lets_in(facts: Facts, statement: Object) -> bool:
    """Return whether a statement accepts the controller's tokens."""
    own = {"sub": own_subject(facts), "aud": STS_AUDIENCE}
    return all(
        any(_matches(operator, value, own[claim]) for value in values)
        for claim, tests in claims(statement).items()
        for operator, values in tests.items()
    )


def _matches(operator: str, wanted: str, given: str) -> bool:
    """Return whether a claim meets a condition; only StringLike knows wildcards."""
    return fnmatchcase(given, wanted) if operator.endswith("StringLike") else wanted == given


def trusting(facts: Facts, role: Object, trust: str) -> str:
    """Return how to give the role a trust policy: the controller's, and the statements for others that are strict."""
    document = json.loads(trust)
    document["Statement"] += [s for s in _others(facts, role) if s not in document["Statement"]]
    return (
        f"`aws iam update-assume-role-policy --role-name {role['RoleName']} --policy-document"
        f" '{json.dumps(document)}'`; {REFRESH} restores a role that Pulumi made"
    )


def _others(facts: Facts, role: Object) -> Iterator[Object]:
    """Yield the statements of the role's trust policy that allow only another cluster's tokens."""
    for statement in statements(role.get("AssumeRolePolicyDocument", {})):
        exact = all(set(tests) & set(EXACT) for tests in claims(statement).values())
        principal = str(statement.get("Principal"))
        if "oidc-provider/" in principal and issuer_of(facts) not in principal and exact:
            yield statement


def strict(facts: Facts) -> str:
    """Return the trust policy that the controller needs, and no more."""
    place = key(facts.service_account or {"metadata": {"name": "default"}})
    if facts.associations:
        return pod_identity_trust(facts.cluster["arn"], *place)
    provider = f"arn:{facts.partition}:iam::{facts.account}:oidc-provider/{issuer_of(facts)}"
    return web_identity_trust(provider, issuer_of(facts), *place)
