"""How the controller gets its IAM role."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.documents import listed, names_action, statements
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH
from eks_load_balancing.doctor.lookups import ROLE_ANNOTATION, annotations_of, called, key, pods_of
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.doctor.trusts import (
    EXACT,
    claims,
    federated,
    issuer_of,
    lets_in,
    own_subject,
    strict,
    trusting,
)
from eks_load_balancing.identity.trust import STS_AUDIENCE

_IRSA: Final = "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"
_PROVIDER: Final = "https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html"
_POD_IDENTITY: Final = "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html"
_POD_IDENTITY_ROLE: Final = "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html"
_AGENT: Final = "eks-pod-identity-agent"


def _annotated(facts: Facts) -> str | None:
    """Return the role in the service account's annotation; `None` if an association gives it one."""
    if facts.associations or facts.service_account is None:
        return None
    return annotations_of(facts.service_account).get(ROLE_ANNOTATION)


def _again(facts: Facts) -> str:
    """Return how to restart the controller's pods: they get their role when they are created."""
    places = [key(deployment) for deployment in facts.deployments]
    return " and ".join(f"`kubectl rollout restart -n {namespace} deployment/{name}`" for namespace, name in places)


def _wrong_trust(facts: Facts, role: Object, what: str) -> Trouble:
    """Return what is wrong with a role's trust policy; the remedy is the strict one."""
    return Trouble(f"role {role['RoleName']}", what, trusting(facts, role, strict(facts)))


@check(link=_IRSA)
def controller_has_a_role(facts: Facts) -> Iterator[Trouble]:
    """The controller's service account has a role of this account, by annotation or by association.

    Without one it uses the node's role, or none: AccessDenied, or "no EC2 IMDS role found".
    """
    account = facts.service_account
    for deployment in facts.deployments[:1] if account is None else ():
        named = deployment["spec"]["template"]["spec"].get("serviceAccountName", "default")
        yield Trouble(
            called(deployment),
            f"its service account {named} does not exist",
            f"restore it: {REFRESH}, or `kubectl create serviceaccount -n {key(deployment)[0]} {named}` with the"
            f" annotation {ROLE_ANNOTATION}; then {_again(facts)}",
            key(deployment)[0],
        )
    if account is None:
        return
    role = facts.associations[0]["roleArn"] if facts.associations else _annotated(facts)
    namespace, name = key(account)
    if not role:
        yield Trouble(
            called({**account, "kind": "ServiceAccount"}),
            f"it has no annotation {ROLE_ANNOTATION} and no Pod Identity association",
            f"restore it: {REFRESH}, or `kubectl annotate serviceaccount -n {namespace} {name}"
            f" {ROLE_ANNOTATION}=ROLE_ARN`; then {_again(facts)}",
            namespace,
        )
        return
    partition, owner = (role.split(":") + [""] * 5)[1:5:3]
    if (partition, owner) != (facts.partition, facts.account):
        own = f"the cluster belongs to {facts.account} in {facts.partition}"
        what = f"its role {role} belongs to account {owner} in {partition}, and {own}"
    elif facts.role is None:
        what = f"its role {role} does not exist"
    else:
        return
    yield Trouble(
        called({**account, "kind": "ServiceAccount"}),
        what,
        f"give it the ARN of the controller's role in this account: {REFRESH} restores it; then {_again(facts)}",
        namespace,
    )


@check(link=_PROVIDER)
def issuer_has_an_oidc_provider(facts: Facts) -> Iterator[Trouble]:
    """If the controller uses IRSA, IAM has an OIDC provider for the cluster's issuer.

    A cluster that was replaced has a new issuer: "No OpenIDConnect provider found in your account".
    """
    if _annotated(facts) and not facts.oidc_providers:
        issuer = facts.cluster["identity"]["oidc"]["issuer"]
        yield Trouble(
            f"account {facts.account}",
            f"no OIDC provider has the URL {issuer}",
            f"`aws iam create-open-id-connect-provider --url {issuer} --client-id-list {STS_AUDIENCE}`",
        )


@check(link=_PROVIDER)
def oidc_provider_takes_tokens_for_sts(facts: Facts) -> Iterator[Trouble]:
    """The OIDC provider has the audience sts.amazonaws.com.

    Tokens of service accounts have this audience: "Incorrect token audience".
    """
    for provider in facts.oidc_providers:
        if _annotated(facts) and STS_AUDIENCE not in provider["ClientIDList"]:
            yield Trouble(
                f"OIDC provider {provider['Arn']}",
                f"its audiences are {', '.join(provider['ClientIDList']) or 'none'}",
                "`aws iam add-client-id-to-open-id-connect-provider --client-id"
                f" {STS_AUDIENCE} --open-id-connect-provider-arn {provider['Arn']}`",
            )


@check(link=_IRSA)
def role_trusts_the_service_account(facts: Facts) -> Iterator[Trouble]:
    """The role's trust policy names the cluster's OIDC provider, and the controller's service account as sub.

    A copied trust policy does not: "Not authorized to perform sts:AssumeRoleWithWebIdentity".
    """
    if not _annotated(facts) or facts.role is None:
        return
    own = f"arn:{facts.partition}:iam::{facts.account}:oidc-provider/{issuer_of(facts)}"
    accepting = federated(facts)
    named = [arn for s in accepting for arn in listed((s.get("Principal") or {}).get("Federated"))]
    ours = [s for s in accepting if own in listed((s.get("Principal") or {}).get("Federated"))]
    if not ours:
        what = f"it trusts {', '.join(named) or 'no OIDC provider'}, and the cluster's is {own}"
    elif not any(lets_in(facts, statement) for statement in ours):
        said = {claim: tests for s in ours for claim, tests in claims(s).items()}
        what = f"it demands {said}, and the controller's tokens have sub {own_subject(facts)} and aud {STS_AUDIENCE}"
    else:
        return
    yield _wrong_trust(facts, facts.role, what)


@check(link=_IRSA)
def role_trusts_nobody_else(facts: Facts) -> Iterator[Trouble]:
    """The role's trust policy compares sub and aud by StringEquals, each with the one value.

    Without sub, or with a wildcard in it, other pods of the cluster can assume the role. Without aud, anybody can to
    whom a pod gave a token for another purpose. Another cluster may share the role, if its statement is as strict.
    """
    wanted = {"sub": [own_subject(facts)], "aud": [STS_AUDIENCE]}
    loose: list[str] = []
    document = (facts.role or {}).get("AssumeRolePolicyDocument", {})
    for statement in federated(facts):
        if "oidc-provider/" not in str(statement.get("Principal")):
            continue
        ours = issuer_of(facts) in str(statement.get("Principal"))
        for claim, tests in claims(statement).items():
            exact = [values for operator, values in tests.items() if operator in EXACT]
            if not exact:
                loose.append(f"{claim} is compared by {', '.join(tests) or 'nothing'}")
            elif ours and exact[0] != wanted[claim]:
                loose.append(f"{claim} may be {', '.join(exact[0])}")
    for statement in statements(document):
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, dict) else principal
        if statement["Effect"] == "Allow" and "*" in listed(named):
            loose.append("everybody (*) is a principal")
    if loose and facts.role is not None:
        yield _wrong_trust(facts, facts.role, f"its trust policy is wider than one service account: {'; '.join(loose)}")


@check(
    demand=f"A cluster with a Pod Identity association for the controller has the add-on {_AGENT}.",
    link=_POD_IDENTITY,
)
def pod_identity_has_its_agent(facts: Facts) -> Iterator[Trouble]:
    """Pods ask the agent for their role, and get no answer."""
    if facts.associations and _AGENT not in facts.addons:
        yield Trouble(
            f"cluster {facts.name}",
            f"its controller has an association with {facts.associations[0]['roleArn']}, and no add-on {_AGENT}",
            f"`aws eks create-addon --cluster-name {facts.name} --addon-name {_AGENT}`",
        )


@check(link=_POD_IDENTITY_ROLE)
def role_trusts_pod_identity(facts: Facts) -> Iterator[Trouble]:
    """The role of an association lets pods.eks.amazonaws.com assume it and tag the session.

    A role for IRSA does not: the agent and the pods get AccessDeniedException.
    """
    if not facts.associations or facts.role is None:
        return
    allowed = [
        s
        for s in statements(facts.role["AssumeRolePolicyDocument"])
        if s["Effect"] == "Allow" and "pods.eks.amazonaws.com" in listed((s.get("Principal") or {}).get("Service"))
    ]
    missing = [a for a in ("sts:AssumeRole", "sts:TagSession") if not any(names_action(s, a) for s in allowed)]
    if missing:
        yield _wrong_trust(
            facts, facts.role, f"its trust policy does not let pods.eks.amazonaws.com do {' and '.join(missing)}"
        )


@check(link=_IRSA)
def controller_pods_carry_the_role(facts: Facts) -> Iterator[Trouble]:
    """The controller's pods have the variables that give them their role: its ARN, or the agent's address.

    Pods get the variables when they are created: older pods use the node's role.
    """
    annotated = _annotated(facts)
    if not annotated and not facts.associations:
        return
    for deployment in facts.deployments:
        for pod in pods_of(facts, deployment):
            given = {v["name"]: v.get("value") for v in pod["spec"]["containers"][0].get("env") or []}
            if annotated and given.get("AWS_ROLE_ARN") != annotated:
                has = given.get("AWS_ROLE_ARN") or "not set"
                what = f"its AWS_ROLE_ARN is {has}, and its service account's role is {annotated}"
            elif not annotated and "AWS_CONTAINER_CREDENTIALS_FULL_URI" not in given:
                what = "it has no AWS_CONTAINER_CREDENTIALS_FULL_URI, though its service account has an association"
            else:
                continue
            namespace, name = key(deployment)
            yield Trouble(called(pod), what, f"`kubectl rollout restart -n {namespace} deployment/{name}`", namespace)
