"""Who administers a cluster: access entries, and the check that whoever runs the program is among them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws
from pulumi import Input

from eks_load_balancing.errors import InvalidInputError


class Caller(NamedTuple):
    """Whoever the AWS provider's credentials belong to."""

    arn: str
    """As STS has it: a user's, or that of a session of a role."""
    account: str


def caller(opts: pulumi.InvokeOptions | None = None) -> Caller:
    """Return who runs the program, as AWS sees it."""
    found = aws.get_caller_identity(opts=opts)
    return Caller(found.arn, found.account_id)


def same_principal(arn: str, principal: str) -> bool:
    """Return whether credentials belong to a user or role.

    The ARN of a role's session has no path, and names are unique in an account whatever their path is:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html

    Args:
        arn: of the credentials, such as `arn:aws:sts::123456789012:assumed-role/deployer/session`.
        principal: of an IAM user or role, such as `arn:aws:iam::123456789012:role/ops/deployer`.
    """
    return _identity(arn) == _identity(principal)


def _identity(arn: str) -> tuple[str, str, str]:
    parts = arn.split(":", 5)
    account, resource = (parts[4], parts[5]) if len(parts) > 5 else ("", arn)  # noqa: PLR2004 - an ARN has six parts
    kind, *path = resource.split("/")
    if kind == "assumed-role":
        return account, "role", path[0]
    return account, kind, path[-1] if path else ""


def refuse_lock_out(
    me: Caller,
    admin_arns: Sequence[Input[str]],
    kubeconfig_role_arn: Input[str | None] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> None:
    """Refuse a list of administrators without whoever is to make what is on the cluster.

    Nobody else has access: without this an `up` fails at the first Kubernetes resource, after a quarter of an hour.

    Args:
        me: whoever runs the program.
        admin_arns: the administrators; none stands for whoever runs the program. One that is not known yet may be it.
        kubeconfig_role_arn: the role that the kubeconfig assumes: it is the one that needs access then.
        opts: of the lookup of the ARN that is missing.

    Raises:
        InvalidInputError: the list leaves out the one who needs access; it names the ARN to add.
    """
    known = [admin for admin in admin_arns if isinstance(admin, str)]
    if not known or len(known) < len(admin_arns):
        return
    if kubeconfig_role_arn is not None and not isinstance(kubeconfig_role_arn, str):
        return
    if any(same_principal(kubeconfig_role_arn or me.arn, admin) for admin in known):
        return
    missing = kubeconfig_role_arn or _principal(me.arn, opts)
    raise InvalidInputError(
        f"{missing} deploys to the cluster and is not among its administrators"
        f" ({', '.join(known)}): add it to them, or run the program as one of them"
    )


def _principal(arn: str, opts: pulumi.InvokeOptions | None) -> str:
    """Return the user, or the role whose session it is; IAM may refuse to say the path of the caller's own role."""
    try:
        return str(principals((), arn, opts)[0])
    except Exception:  # noqa: BLE001 - whatever IAM says, the reason that this is asked for is said next
        return arn


def administrator(
    name: str,
    arn: Input[str],
    unnamed: str | None,
    *,
    cluster_name: Input[str],
    policy_arn: Input[str],
    tags: Input[Mapping[str, Input[str]]],
    options: Callable[..., pulumi.ResourceOptions],
) -> list[pulumi.Resource]:
    """Declare one administrator's access.

    The resources have the principal's name, so that they stay the same however it came to be named: EKS takes one entry
    for a principal, and a second one under another name would fail. The alias is the name that the entry of an unnamed
    deployer had.

    Args:
        name: what the resources' names begin with.
        arn: of the user or role.
        unnamed: the name that the entry had while nobody was named, if it is that of whoever runs the program.
        cluster_name: the cluster.
        policy_arn: the access policy.
        tags: the entry's.
        options: those of a resource in the cluster, which waits for the ones that it is given.
    """
    entry = aws.eks.AccessEntry(
        name, cluster_name=cluster_name, principal_arn=arn, tags=tags, opts=_renamed(options(), unnamed)
    )
    policy = aws.eks.AccessPolicyAssociation(
        f"{name}-policy",
        cluster_name=cluster_name,
        principal_arn=entry.principal_arn,
        policy_arn=policy_arn,
        access_scope={"type": "cluster"},
        opts=_renamed(options(entry), unnamed and f"{unnamed}-policy"),
    )
    return [entry, policy]


def _renamed(opts: pulumi.ResourceOptions, before: str | None) -> pulumi.ResourceOptions:
    aliases = [pulumi.Alias(name=before)] if before else []
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=aliases))


def principals(
    admin_arns: Sequence[Input[str]], arn: str, opts: pulumi.InvokeOptions | None = None
) -> Sequence[Input[str]]:
    """Return the administrators, in the form that access entries take.

    Args:
        admin_arns: those that are named; none stands for whoever runs the program.
        arn: of the credentials that run the program. Those of a role belong to a session; the entry is for its role.
        opts: of the lookup.
    """
    if admin_arns:
        return admin_arns
    return [aws.iam.get_session_context(arn=arn, opts=opts).issuer_arn]
