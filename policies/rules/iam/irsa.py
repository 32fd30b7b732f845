"""Roles for service accounts (IRSA): who may assume them, and the OIDC providers behind them."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from kinds.iam import ADDON, OIDC_PROVIDER, POD_IDENTITY, ROLE
from kinds.kubernetes import SERVICE_ACCOUNT
from kinds.pod_roles import claims, irsa, is_eks
from pack.controls import cis, guide
from pack.properties import Edit
from pack.registry import CRITICAL, MANDATORY, MEDIUM, Messages, Stack, View, number, rule, texts
from pack.values import UNKNOWN, NotYetKnown, Unknown, items, words

_STS = "sts.amazonaws.com"
_SUBJECT = re.compile(r"system:serviceaccount:[a-z0-9]([-a-z0-9]*[a-z0-9])?:[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
_IRSA_SOURCE = "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"
_ONE_ACCOUNT = "Scope the IAM Role trust policy for IRSA Roles to the service account name, namespace, and cluster"

_on_role = partial(rule, on=ROLE)


@_on_role(
    instead='Write Condition StringEquals {"ISSUER:sub": "system:serviceaccount:NAMESPACE:NAME"}, no wildcard',
    source=_IRSA_SOURCE,
    severity=CRITICAL,
    controls=[guide("security/iam", _ONE_ACCOUNT), cis("5.2.1")],
    operators=texts(["StringEquals"], "the condition operators that count as exact"),
)
def irsa_trust_names_one_service_account(role: View, *, operators: list[str]) -> Messages:
    """A role for pods is trusted to exactly one service account, by StringEquals on sub.

    Without sub every pod of the cluster can take the role. With StringLike and `*`, every pod whose author chooses a
    matching name can.
    """
    subjects: set[str] = set()
    for statement in irsa(role):
        tests = claims(statement, "sub")
        exact = [values for operator, values in tests if operator in operators]
        loose = [operator for operator, _ in tests if operator not in operators]
        if not tests:
            yield "the trust policy does not say which service account (no condition on sub)"
        elif not exact:
            yield f"the trust policy compares sub by {loose[0]}"
        for subject in (value for values in exact for value in words(values)):
            if not _SUBJECT.match(subject):
                yield f"the trust policy names {subject}, which is not one service account"
        subjects.update(value for values in exact for value in words(values))
        if any(len(values) != 1 for values in exact):
            yield "the trust policy names several service accounts in one condition"
            return
    if len(subjects) > 1:
        yield f"the trust policy names several service accounts, a statement each: {', '.join(sorted(subjects))}"


@_on_role(
    instead='Write Condition StringEquals {"ISSUER:aud": "sts.amazonaws.com"}',
    source=_IRSA_SOURCE,
    dev=MANDATORY,
    controls=[guide("security/iam", _ONE_ACCOUNT)],
    audiences=texts([_STS], "the audiences allowed"),
)
def irsa_trust_audience_is_sts(role: View, *, audiences: list[str]) -> Messages:
    """A role for pods accepts only tokens for STS, by StringEquals on aud.

    Without aud, another service that a pod sends its token to can take the role with it.
    """
    for statement in irsa(role):
        tests = [values for operator, values in claims(statement, "aud") if operator == "StringEquals"]
        if not tests:
            yield "the trust policy has no StringEquals on aud"
        for value in (value for values in tests for value in words(values)):
            if value not in audiences:
                yield f"the trust policy accepts tokens for {value}"


@_on_role(
    instead="Take the ARN from the stack's OIDC provider, and its issuer for the conditions",
    source=_IRSA_SOURCE,
    severity=CRITICAL,
    controls=[guide("security/iam", _ONE_ACCOUNT)],
    issuers=texts([], "issuers of other stacks that are trusted too, without scheme"),
)
def irsa_issuer_is_this_stacks(role: View, stack: Stack, *, issuers: list[str]) -> Messages:
    """Roles for pods trust the OIDC provider that this stack makes, or one that the profile names.

    An issuer copied from another cluster gives that cluster's pods this role: sub and aud are equal there. A stack
    without an EKS cluster's OIDC provider is not judged, unless the profile names issuers.
    """
    own = [provider.url for provider in stack.of(OIDC_PROVIDER)]
    if any(isinstance(url, Unknown) for url in own):
        raise NotYetKnown
    if not issuers and not any(is_eks(str(url)) for url in own):
        return
    allowed = {str(url).removeprefix("https://").rstrip("/") for url in [*own, *issuers] if url}
    for statement in irsa(role):
        named = [arn.partition(":oidc-provider/")[2] for arn in words(statement.principals.get("Federated"))]
        keyed = [key.rpartition(":")[0] for _, key, _ in statement.conditions if is_eks(key)]
        for issuer in sorted({issuer for issuer in [*named, *keyed] if issuer not in allowed}):
            yield f"the trust policy trusts {issuer}, which is not an issuer of this stack"


@_on_role(
    instead="Make a role for each service account",
    severity=MEDIUM,
    controls=[guide("security/iam", "Use one IAM role per application"), cis("5.2.1")],
    max_service_accounts=number(1, "how many service accounts may use one role"),
)
def irsa_role_serves_one_service_account(role: View, stack: Stack, *, max_service_accounts: float) -> Messages:
    """A role is used by one service account.

    Two applications with one role have each other's rights, and the log cannot tell them apart. Annotations of service
    accounts, EKS Pod Identity associations and add-ons count. A service account that gets the role in two of these
    ways, or on two clusters, counts once.
    """
    users = {
        _place(account.namespace, account.object_name) or account.urn: account.name
        for account in stack.of(SERVICE_ACCOUNT)
        if _uses(account, role, stack)
    }
    for link in stack.of(POD_IDENTITY):
        if role in stack.named(link, "role", ROLE, "arn"):
            users[_place(link.namespace, link.account) or link.urn] = link.name
    for addon in stack.of(ADDON):
        if role in stack.named(addon, "role", ROLE, "arn"):
            users[addon.urn] = addon.name
    if len(users) > max_service_accounts:
        yield f"the role is used by {' and '.join(users.values())}"


def _place(namespace: Any, name: Any) -> tuple[str, str] | None:
    """Return namespace and name of a service account, if both are known, to recognise the same account."""
    return (namespace, name) if isinstance(namespace, str) and isinstance(name, str) else None


def _uses(account: Any, role: View, stack: Stack) -> bool:
    # on a cluster that does not exist yet, a stack shows objects without properties
    arn = account.annotation(ROLE_ANNOTATION) if account.props else UNKNOWN
    if isinstance(arn, Unknown):
        return role in stack.sources(account, "metadata", ROLE)
    return isinstance(arn, str) and isinstance(role.arn, str) and arn == role.arn


@rule(
    on=OIDC_PROVIDER,
    instead='Set clientIdLists to ["sts.amazonaws.com"]',
    source="https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html",
    dev=MANDATORY,
    controls=[guide("security/iam", "IAM Roles for Service Accounts (IRSA)")],
    audiences=texts([_STS], "the audiences allowed"),
)
def oidc_provider_audience_is_sts_alone(provider: View, *, audiences: list[str]) -> Messages:
    """The cluster's OIDC provider in IAM accepts only tokens for STS.

    Each role would have to refuse every further audience by itself.
    """
    named = items(provider.audiences)
    others = [audience for audience in words(named) if audience not in audiences]
    # an unknown URL may be another issuer's; the audience for STS shows that it is one of AWS's
    ours = _STS in words(named) if isinstance(provider.url, Unknown) else is_eks(provider.url or "")
    if ours and (others or not named):
        yield f"the provider accepts tokens for {', '.join(others) or 'nobody'}"


@oidc_provider_audience_is_sts_alone.remedy
def _fix_oidc_provider_audience_is_sts_alone(provider: View, *, audiences: list[str]) -> Iterable[Edit]:
    yield provider.put("audiences", audiences)
