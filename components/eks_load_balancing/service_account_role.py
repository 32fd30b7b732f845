"""A role for the pods of one service account."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.trust import pod_identity_trust, web_identity_trust

IRSA = "irsa"
POD_IDENTITY = "pod-identity"


class ServiceAccountRoleArgs(TypedDict):
    """What a `ServiceAccountRole` takes."""

    namespace: str
    """The service account's namespace."""
    service_account: str
    """The service account's name."""
    identity: NotRequired[str]
    """How pods come by the role: `irsa` (the default), or `pod-identity` with the add-on `eks-pod-identity-agent`."""
    oidc_provider_arn: NotRequired[Input[str]]
    """For `irsa`: the ARN of the cluster's OIDC provider."""
    issuer_url: NotRequired[Input[str]]
    """For `irsa`: the cluster's issuer, with or without `https://`."""
    cluster_name: NotRequired[Input[str]]
    """For `pod-identity`: the cluster's name."""
    cluster_arn: NotRequired[Input[str]]
    """For `pod-identity`: the cluster's ARN."""
    policy_arn: NotRequired[Input[str]]
    """A managed policy to attach."""
    permissions_boundary_arn: NotRequired[Input[str]]
    """The permissions boundary of the role."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the role and the association."""


class ServiceAccountRole(pulumi.ComponentResource):
    """A role that one service account can assume, and nobody else.

    By IRSA its trust names exactly one `sub` and one `aud`, compared with `StringEquals`. By EKS Pod Identity an
    association hands it out, and its trust names the cluster, the namespace and the service account.
    """

    arn: Output[str]
    """The role's ARN."""
    role_name: Output[str]
    """The role's name, to attach more policies to."""
    service_account_annotations: Output[Mapping[str, str]]
    """What the Kubernetes ServiceAccount must carry: its role by IRSA, nothing by Pod Identity."""

    def __init__(self, name: str, args: ServiceAccountRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        namespace = errors.namespace(args["namespace"])
        account = errors.service_account(args["service_account"])
        identity = errors.one_of(args.get("identity", IRSA), (IRSA, POD_IDENTITY), "identity")
        trust = _trust(args, identity)
        super().__init__("eks-load-balancing:index:ServiceAccountRole", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)

        role = aws.iam.Role(
            f"{name}-role",
            description=f"For the pods of service account {namespace}/{account}",
            assume_role_policy=trust,
            permissions_boundary=args.get("permissions_boundary_arn"),
            tags=args.get("tags"),
            opts=child,
        )
        policy_arn = args.get("policy_arn")
        if policy_arn is not None:
            aws.iam.RolePolicyAttachment(f"{name}-policy", role=role.name, policy_arn=policy_arn, opts=child)
        if identity == POD_IDENTITY:
            aws.eks.PodIdentityAssociation(
                f"{name}-association",
                cluster_name=args.get("cluster_name"),
                namespace=namespace,
                service_account=account,
                role_arn=role.arn,
                tags=args.get("tags"),
                opts=child,
            )

        self.arn = role.arn
        self.role_name = role.name
        self.service_account_annotations = role.arn.apply(
            lambda arn: {"eks.amazonaws.com/role-arn": arn} if identity == IRSA else {}
        )
        self.register_outputs(
            {
                "arn": self.arn,
                "role_name": self.role_name,
                "service_account_annotations": self.service_account_annotations,
            }
        )


def _trust(args: ServiceAccountRoleArgs, identity: str) -> Output[str]:
    namespace, account = args["namespace"], args["service_account"]
    if identity == IRSA:
        provider, issuer = args.get("oidc_provider_arn"), args.get("issuer_url")
        if provider is None or issuer is None:
            raise InvalidInputError(f"the role of {namespace}/{account}: IRSA needs oidc_provider_arn and issuer_url")
        return pulumi.Output.all(provider, issuer).apply(
            lambda known: web_identity_trust(known[0], known[1], namespace, account)
        )
    cluster_arn = args.get("cluster_arn")
    if cluster_arn is None or args.get("cluster_name") is None:
        raise InvalidInputError(f"the role of {namespace}/{account}: Pod Identity needs cluster_name and cluster_arn")
    return pulumi.Output.from_input(cluster_arn).apply(lambda arn: pod_identity_trust(arn, namespace, account))
