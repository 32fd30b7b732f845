"""A role for the pods of one service account."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.identity.trust import either, pod_identity_trust, web_identity_trust
from eks_load_balancing.outputs import applied

IRSA = "irsa"
POD_IDENTITY = "pod-identity"
BOTH = "both"
IDENTITIES = (IRSA, POD_IDENTITY, BOTH)


class ServiceAccountRoleArgs(TypedDict):
    """What a `ServiceAccountRole` takes."""

    namespace: Input[str]
    """The service account's namespace."""
    service_account: str
    """The service account's name."""
    identity: NotRequired[str]
    """How pods get the role: `irsa` (the default), or `pod-identity` with the add-on `eks-pod-identity-agent`;
    `both` on the way from one to the other: pods that run keep what they have, new ones get Pod Identity."""
    oidc_provider_arn: NotRequired[Input[str]]
    """For `irsa` and `both`: the ARN of the cluster's OIDC provider."""
    issuer_url: NotRequired[Input[str]]
    """For `irsa` and `both`: the cluster's issuer, with or without `https://`."""
    cluster_name: NotRequired[Input[str]]
    """For `pod-identity` and `both`: the cluster's name."""
    cluster_arn: NotRequired[Input[str]]
    """For `pod-identity` and `both`: the cluster's ARN."""
    policy_arn: NotRequired[Input[str]]
    """A managed policy to attach."""
    role_name: NotRequired[Input[str]]
    """The role's name. Default: one that begins with the component's. Another name is another role."""
    permissions_boundary_arn: NotRequired[Input[str]]
    """The permissions boundary of the role."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the role and the association."""


class ServiceAccountRole(pulumi.ComponentResource):
    """A role that one service account can assume, and nobody else.

    By IRSA its trust names exactly one `sub` and one `aud`, compared with `StringEquals`. By EKS Pod Identity an
    association hands it out, and its trust names the cluster, the namespace and the service account. A change from one
    to the other goes by `both`, and new pods: a role whose trust is gone is lost to the pods that rely on it.
    """

    arn: Output[str]
    """The role's ARN."""
    role_name: Output[str]
    """The role's name, to attach more policies to."""
    service_account_annotations: Output[Mapping[str, str]]
    """What the Kubernetes ServiceAccount must carry: its role by IRSA, nothing by Pod Identity."""

    @checked
    def __init__(self, name: str, args: ServiceAccountRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        namespace = args["namespace"]
        account = errors.service_account(args["service_account"])
        identity = errors.one_of(args.get("identity", IRSA), IDENTITIES, "identity")
        trust = _trust(args, identity)
        super().__init__("eks-load-balancing:index:ServiceAccountRole", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        changing = pulumi.ResourceOptions(parent=self, protect=False)  # neither data nor an identity

        role = aws.iam.Role(
            f"{name}-role",
            name=args.get("role_name"),
            description=applied(lambda known: f"For the pods of service account {known}/{account}", namespace),
            assume_role_policy=trust,
            permissions_boundary=args.get("permissions_boundary_arn"),
            tags=args.get("tags"),
            opts=child,
        )
        policy_arn = args.get("policy_arn")
        if policy_arn is not None:
            aws.iam.RolePolicyAttachment(f"{name}-policy", role=role.name, policy_arn=policy_arn, opts=changing)
        if identity != IRSA:
            aws.eks.PodIdentityAssociation(
                f"{name}-association",
                cluster_name=args.get("cluster_name"),
                namespace=namespace,
                service_account=account,
                role_arn=role.arn,
                tags=args.get("tags"),
                opts=changing,
            )

        self.arn = role.arn
        self.role_name = role.name
        self.service_account_annotations = role.arn.apply(lambda arn: role_annotations(arn, identity))
        self.register_outputs(
            {
                "arn": self.arn,
                "role_name": self.role_name,
                "service_account_annotations": self.service_account_annotations,
            }
        )


def role_annotations(role_arn: str, identity: str) -> dict[str, str]:
    """Return what a ServiceAccount must carry: its role by IRSA, nothing by Pod Identity."""
    return {} if identity == POD_IDENTITY else {"eks.amazonaws.com/role-arn": role_arn}


def _trust(args: ServiceAccountRoleArgs, identity: str) -> Output[str]:
    ways = {IRSA: [_web_identity], POD_IDENTITY: [_pod_identity], BOTH: [_web_identity, _pod_identity]}[identity]
    return pulumi.Output.all(*[way(args) for way in ways]).apply(lambda policies: either(*policies))


def _web_identity(args: ServiceAccountRoleArgs) -> Output[str]:
    namespace, account = args["namespace"], args["service_account"]
    provider, issuer = args.get("oidc_provider_arn"), args.get("issuer_url")
    if provider is None or issuer is None:
        raise InvalidInputError(f"the role of {namespace}/{account}: IRSA needs oidc_provider_arn and issuer_url")
    return pulumi.Output.all(provider, issuer, namespace).apply(
        lambda known: web_identity_trust(known[0], known[1], known[2], account)
    )


def _pod_identity(args: ServiceAccountRoleArgs) -> Output[str]:
    namespace, account = args["namespace"], args["service_account"]
    cluster_arn = args.get("cluster_arn")
    if cluster_arn is None or args.get("cluster_name") is None:
        raise InvalidInputError(f"the role of {namespace}/{account}: Pod Identity needs cluster_name and cluster_arn")
    return pulumi.Output.all(cluster_arn, namespace).apply(
        lambda known: pod_identity_trust(known[0], known[1], account)
    )
