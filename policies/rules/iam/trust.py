"""Who may assume a role, besides pods: everybody, other accounts; and its permissions boundary."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from kinds.documents import Statement, statements
from kinds.iam import MANAGED_POLICY, OIDC_PROVIDER, ROLE
from kinds.pod_roles import is_for_pods
from pack.controls import LEAST_FOR_APPLICATIONS, LEAST_IN_AWS
from pack.registry import ADVISORY, CRITICAL, MANDATORY, MEDIUM, Finding, Messages, Stack, View, rule, texts
from pack.secrets import alike
from pack.values import NotYetKnown, items, known, unknown, words

_on_role = partial(rule, on=ROLE)


@_on_role(
    instead="Name the service, the account or the identity provider that may assume the role",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    severity=CRITICAL,
    controls=[LEAST_IN_AWS],
    everybody=texts(["*"], "principals that mean everybody"),
    narrowing_keys=texts(
        ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID"],
        "condition keys that, compared with values without a wildcard for the account, narrow everybody down",
    ),
)
def role_is_not_trusted_to_everybody(role: View, *, everybody: list[str], narrowing_keys: list[str]) -> Messages:
    """No role's trust policy names everybody as principal.

    A principal `*` lets any AWS account in the world take the role, and NotPrincipal all but one.
    """
    narrowing = {key.lower() for key in narrowing_keys}
    for statement in statements(role.trust):
        named = [value for values in statement.principals.values() for value in words(values)]
        if statement.allows and any(value in everybody for value in named):
            if any(_narrows(*test) for test in statement.conditions if test[1].lower() in narrowing):
                continue
            yield "the trust policy names everybody as principal"


def _account_of(value: str) -> str:
    """Return the account of an ARN; anything else unchanged."""
    _, _, rest = value.partition("::")
    return rest.partition(":")[0] if value.startswith("arn:") else value


def _narrows(operator: str, _key: str, values: list[Any]) -> bool:
    """Say whether a comparison excludes anybody: an ARN may have wildcards after its account."""
    if operator not in ("StringEquals", "ArnEquals", "ArnLike", "StringLike"):
        return False
    accounts = [_account_of(value) for value in words(values)]
    return bool(values) and (operator == "StringEquals" or not any("*" in one or "?" in one for one in accounts))


_ACCOUNT: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(\d{12}):|(\d{12})$")


def _accounts(values: Iterable[Any]) -> set[str]:
    """Return the accounts in ARNs, or bare account numbers."""
    found = ((value, _ACCOUNT.match(value)) for value in values if isinstance(value, str))
    return {alike(value, match[1] or match[2]) for value, match in found if match}


@_on_role(
    instead='Add Condition StringEquals {"sts:ExternalId": ...} or {"aws:PrincipalOrgID": ...}',
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
    dev=MANDATORY,
    controls=[LEAST_IN_AWS],
    own_accounts=texts([], "accounts that are as this one"),
    narrowing_keys=texts(["sts:ExternalId", "aws:PrincipalOrgID"], "condition keys that, by StringEquals, are enough"),
)
def trust_of_another_account_asks_for_an_external_id(
    role: View, stack: Stack, *, own_accounts: list[str], narrowing_keys: list[str]
) -> Messages:
    """A role that another account may assume requires an external id, or an organisation.

    Otherwise a vendor's other customer can make the vendor act in this account (the confused deputy). The role's ARN
    tells the stack's own account, and so do its OIDC providers, boundaries and managed policies.
    """
    enough = {key.lower() for key in narrowing_keys}
    own = {*own_accounts, *(_accounts([role.arn]) or _own_accounts(stack))}
    for statement in statements(role.trust):
        if not statement.grants("sts:AssumeRole"):
            continue
        others = _accounts(words(statement.principals.get("AWS"))) - own
        if not others or unknown(statement.conditions):
            continue
        if not any(operator == "StringEquals" and key.lower() in enough for operator, key, _ in statement.conditions):
            for account in sorted(others):
                what = f"the trust policy lets the account {account} assume the role without an external id"
                yield Finding(what, f'add "{account}" to ownAccounts')


def _own_accounts(stack: Stack) -> set[str]:
    """Return the accounts of resources that must be in the stack's own account."""
    found = {account for role in stack.of(ROLE) for account in _accounts([role.arn, role.boundary])}
    for kind in (OIDC_PROVIDER, MANAGED_POLICY):
        found |= {account for one in stack.of(kind) for account in _accounts([one.arn])}
    federated = known(one.principals.get("Federated") for role in stack.of(ROLE) for one in _read(role))
    return found | {account for one in federated for account in _accounts(items(one))}


def _read(role: View) -> list[Statement]:
    try:
        return list(statements(role.trust))
    except NotYetKnown:
        return []


@_on_role(
    instead="Set permissionsBoundary to your boundary policy's ARN",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
    severity=MEDIUM,
    prod=ADVISORY,
    controls=[LEAST_FOR_APPLICATIONS],
    exempt_roles=texts([], "names of roles that may go without"),
)
def role_for_pods_has_a_permissions_boundary(role: View, *, exempt_roles: list[str]) -> Messages:
    """A role that pods can assume has a permissions boundary.

    Whatever is attached to the role later stays within the boundary. It only advises, because the account provides the
    boundary.
    """
    if is_for_pods(role) and role.boundary is None and role.id not in exempt_roles:
        known_by = "give it a name and add that" if role.id is None else f'add "{role.id}"'
        yield Finding("there is no permissionsBoundary", f"{known_by} to exemptRoles")
