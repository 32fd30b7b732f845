"""Who may take a role: IRSA trust policies, OIDC providers, Pod Identity."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kinds.aws import ADDON, OIDC_PROVIDER, POD_IDENTITY, ROLE
from kinds.documents import Statement, statements
from kinds.kubernetes import SERVICE_ACCOUNT
from pack.controls import cis, guide
from pack.properties import Edit
from pack.registry import ADVISORY, CRITICAL, HIGH, MANDATORY, MEDIUM, Messages, Stack, View, number, rule, texts
from pack.values import UNKNOWN, NotYetKnown, Unknown, items, words

_STS = "sts.amazonaws.com"
# The second is the issuer's dual-stack name, that of clusters with IPv6.
_EKS_ISSUERS = ("oidc.eks.", "oidc-eks.")
_SUBJECT = re.compile(r"system:serviceaccount:[a-z0-9]([-a-z0-9]*[a-z0-9])?:[a-z0-9]([-.a-z0-9]*[a-z0-9])?$")
_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
_IRSA_SOURCE = "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"
_ONE_ACCOUNT = "Scope the IAM Role trust policy for IRSA Roles to the service account name, namespace, and cluster"


def _irsa(role: View) -> Iterator[Statement]:
    """Walk over the statements by which service accounts of EKS clusters take a role."""
    for statement in statements(role.trust):
        if statement.grants(_WEB_IDENTITY):
            about = [*words(statement.principals.get("Federated")), *(key for _, key, _ in statement.conditions)]
            if any(_is_eks(text) for text in about) or any(_service_accounts(statement)):
                yield statement


def _is_eks(text: str) -> bool:
    """Say whether an ARN, URL or condition key names the issuer of an EKS cluster."""
    return any(issuer in text.lower() for issuer in _EKS_ISSUERS)


def _service_accounts(statement: Statement) -> Iterator[Any]:
    for _, key, values in statement.conditions:
        if key.lower().endswith(":sub"):
            yield from (value for value in words(values) if value.startswith("system:serviceaccount:"))


def _claims(statement: Statement, claim: str) -> list[tuple[str, list[Any]]]:
    """Return operator and values of each test of a claim (`sub`, `aud`)."""
    return [(operator, values) for operator, key, values in statement.conditions if key.lower().endswith(f":{claim}")]


@rule(
    "irsa-trust-names-one-service-account",
    on=ROLE,
    demand="A role for pods is trusted to exactly one service account, by StringEquals on sub.",
    instead='Write Condition StringEquals {"ISSUER:sub": "system:serviceaccount:NAMESPACE:NAME"}, no wildcard',
    source=_IRSA_SOURCE,
    severity=CRITICAL,
    dev=MANDATORY,
    controls=[guide("security/iam", _ONE_ACCOUNT), cis("5.2.1")],
    operators=texts(["StringEquals"], "the condition operators that count as exact"),
)
def irsa_trust_names_one_service_account(role: View, *, operators: list[str]) -> Messages:
    """Without sub every pod of the cluster can take the role.

    With StringLike and `*` it is every pod whose author chooses a fitting name.
    """
    subjects: set[str] = set()
    for statement in _irsa(role):
        tests = _claims(statement, "sub")
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


@rule(
    "irsa-trust-audience-is-sts",
    on=ROLE,
    demand="A role for pods takes tokens made out for STS only, by StringEquals on aud.",
    instead='Write Condition StringEquals {"ISSUER:aud": "sts.amazonaws.com"}',
    source=_IRSA_SOURCE,
    severity=HIGH,
    dev=MANDATORY,
    controls=[guide("security/iam", _ONE_ACCOUNT)],
    audiences=texts([_STS], "the audiences allowed"),
)
def irsa_trust_audience_is_sts(role: View, *, audiences: list[str]) -> Messages:
    """Without aud a token that a pod hands to some other service can be turned against the role."""
    for statement in _irsa(role):
        tests = [values for operator, values in _claims(statement, "aud") if operator == "StringEquals"]
        if not tests:
            yield "the trust policy has no StringEquals on aud"
        for value in (value for values in tests for value in words(values)):
            if value not in audiences:
                yield f"the trust policy accepts tokens for {value}"


@rule(
    "role-is-not-trusted-to-everybody",
    on=ROLE,
    demand="No role's trust policy names everybody as principal.",
    instead="Name the service, the account or the identity provider that may take the role",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    severity=CRITICAL,
    dev=MANDATORY,
    controls=[guide("security/iam", "Employ least privileged access to AWS Resources")],
    everybody=texts(["*"], "principals that mean everybody"),
    narrowing_keys=texts(
        ["aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID"],
        "condition keys that, compared by StringEquals, narrow everybody down to somebody",
    ),
)
def role_is_not_trusted_to_everybody(role: View, *, everybody: list[str], narrowing_keys: list[str]) -> Messages:
    """A principal `*` lets any AWS account in the world take the role, and NotPrincipal all but one."""
    narrowing = {key.lower() for key in narrowing_keys}
    for statement in statements(role.trust):
        named = [value for values in statement.principals.values() for value in words(values)]
        if statement.allows and any(value in everybody for value in named):
            if any(
                operator == "StringEquals" and key.lower() in narrowing for operator, key, _ in statement.conditions
            ):
                continue
            yield "the trust policy names everybody as principal"


@rule(
    "irsa-issuer-is-this-stacks",
    on=ROLE,
    across_stack=True,
    demand="Roles for pods trust the OIDC provider that this stack makes, or one that the profile names.",
    instead="Take the ARN from the stack's OIDC provider, and its issuer for the conditions",
    source=_IRSA_SOURCE,
    severity=CRITICAL,
    dev=MANDATORY,
    controls=[guide("security/iam", _ONE_ACCOUNT)],
    issuers=texts([], "issuers of other stacks that are trusted too, without scheme"),
)
def irsa_issuer_is_this_stacks(role: View, stack: Stack, *, issuers: list[str]) -> Messages:
    """A provider copied from another cluster gives that cluster's pods this role: sub and aud are the same there.

    A stack without OIDC providers is not judged, unless the profile names issuers.
    """
    own = [provider.url for provider in stack.of(OIDC_PROVIDER)]
    if any(isinstance(url, Unknown) for url in own):
        raise NotYetKnown
    allowed = {str(url).removeprefix("https://").rstrip("/") for url in [*own, *issuers] if url}
    if not allowed:
        return
    for statement in _irsa(role):
        named = [arn.partition(":oidc-provider/")[2] for arn in words(statement.principals.get("Federated"))]
        keyed = [key.rpartition(":")[0] for _, key, _ in statement.conditions if _is_eks(key)]
        for issuer in sorted({issuer for issuer in [*named, *keyed] if issuer not in allowed}):
            yield f"the trust policy trusts {issuer}, which is no issuer of this stack"


@rule(
    "irsa-role-serves-one-service-account",
    on=ROLE,
    across_stack=True,
    demand="A role is used by one service account.",
    instead="Make a role for each service account",
    source="https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
    severity=MEDIUM,
    controls=[guide("security/iam", "Use one IAM role per application"), cis("5.2.1")],
    max_service_accounts=number(1, "how many service accounts may use one role"),
)
def irsa_role_serves_one_service_account(role: View, stack: Stack, *, max_service_accounts: float) -> Messages:
    """Two applications in one role have each other's rights, and the log cannot tell who did what.

    Annotations of service accounts, EKS Pod Identity associations and add-ons count; one service account that comes by
    two of these ways, or on two clusters, is one.
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
    """Return namespace and name of a service account, if both are known: by these the same one is known again."""
    return (namespace, name) if isinstance(namespace, str) and isinstance(name, str) else None


def _uses(account: Any, role: View, stack: Stack) -> bool:
    # on a cluster that is not there yet a stack shows objects without properties
    arn = account.annotation(ROLE_ANNOTATION) if account.props else UNKNOWN
    if isinstance(arn, Unknown):
        return role in stack.sources(account, "metadata", ROLE)
    return isinstance(arn, str) and isinstance(role.arn, str) and arn == role.arn


@rule(
    "oidc-provider-audience-is-sts-alone",
    on=OIDC_PROVIDER,
    demand="The cluster's OIDC provider in IAM takes tokens made out for STS only.",
    instead='Set clientIdLists to ["sts.amazonaws.com"]',
    source="https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html",
    severity=HIGH,
    dev=MANDATORY,
    controls=[guide("security/iam", "IAM Roles for Service Accounts (IRSA)")],
    audiences=texts([_STS], "the audiences allowed"),
)
def oidc_provider_audience_is_sts_alone(provider: View, *, audiences: list[str]) -> Messages:
    """Every further audience is a kind of token that roles must then refuse one by one."""
    named = items(provider.audiences)
    others = [audience for audience in words(named) if audience not in audiences]
    # an unknown URL may be another issuer's; the audience for STS tells that it is one of AWS
    ours = _STS in words(named) if isinstance(provider.url, Unknown) else _is_eks(provider.url or "")
    if ours and (others or not named):
        yield f"the provider accepts tokens for {', '.join(others) or 'nobody'}"


@oidc_provider_audience_is_sts_alone.remedy
def _fix_oidc_provider_audience_is_sts_alone(provider: View, *, audiences: list[str]) -> Iterable[Edit]:
    yield provider.put("audiences", audiences)


@rule(
    "role-for-pods-has-a-permissions-boundary",
    on=ROLE,
    demand="A role that pods can take has a permissions boundary.",
    instead="Set permissionsBoundary to your boundary policy's ARN",
    source="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
    severity=MEDIUM,
    prod=ADVISORY,
    controls=[guide("security/iam", "Grant least privileged access to applications")],
    exempt_roles=texts([], "names of roles that may go without"),
)
def role_for_pods_has_a_permissions_boundary(role: View, *, exempt_roles: list[str]) -> Messages:
    """What is attached to a role later, by whomever, stays within its boundary.

    Advice, since the boundary is the account's to make.
    """
    for_pods = any(_irsa(role)) or any(
        "pods.eks.amazonaws.com" in words(statement.principals.get("Service")) for statement in statements(role.trust)
    )
    if for_pods and role.boundary is None and role.id not in exempt_roles:
        yield "there is no permissionsBoundary"
