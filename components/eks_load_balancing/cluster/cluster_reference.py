"""A cluster that this program did not make."""

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi import Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.cluster.kubeconfig import credentials, kubeconfig
from eks_load_balancing.controller.controller_args import LoadBalancerControllerArgs
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.identity.oidc_provider import OidcProvider

MADE_BY: Final = "eks-load-balancing/made-by"
"""The tag on an OIDC provider that a `ClusterReference` made: which program and stack go on declaring it."""
_NOT_THERE: Final = ("not found", "couldn't find", "NoSuchEntity", "ResourceNotFound", "No cluster found")


class ClusterReferenceArgs(TypedDict):
    """What a `ClusterReference` takes."""

    cluster_name: str
    """The cluster's name in EKS, in the region and account of the AWS provider."""
    irsa: NotRequired[bool]
    """Whether pods get roles by IRSA, the default: then the IAM OIDC provider of the cluster's issuer is found, or made
    if there is none, and left when this stack goes: others may use it by then. Say no where all use Pod Identity."""
    kubeconfig_profile: NotRequired[str]
    """The AWS CLI profile in the kubeconfig. Default: that of the AWS provider, `aws:profile` in the stack's
    configuration; without one, the credentials of the environment."""
    kubeconfig_role_arn: NotRequired[str]
    """The role that the kubeconfig assumes. Default: that of `aws:assumeRoles` in the stack's configuration. Give it
    with an AWS provider of your own that assumes a role."""


class ClusterReference(pulumi.ComponentResource):
    """A cluster that somebody else made, from its name alone, with all that the other components ask about a cluster.

    In Python `ClusterReference.lookup("mine")` is the same with less to write; `provider` is then the Kubernetes
    provider, and `arguments` what a `LoadBalancerController` is given. Whoever runs the program needs an access entry.
    """

    cluster_name: str
    """The cluster's name."""
    arn: str
    """The cluster's ARN."""
    region: str
    """The region."""
    version: str
    """The Kubernetes version."""
    vpc_id: str
    """The VPC."""
    subnet_ids: Sequence[str]
    """The subnets that the cluster was given."""
    security_group_id: str
    """The security group that EKS made, of managed nodes and the control plane."""
    issuer_url: str
    """The issuer of service account tokens."""
    oidc_provider_arn: Output[str]
    """The IAM OIDC provider of that issuer; empty if `irsa` is off."""
    kubeconfig: Output[str]
    """A kubeconfig that runs the AWS CLI; a secret."""

    @checked
    def __init__(self, name: str, args: ClusterReferenceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self.cluster_name = errors.cluster_name(args["cluster_name"])
        super().__init__("eks-load-balancing:index:ClusterReference", name, opts=opts)
        # Asked at once and not as outputs: what is known from the start is checked from the start.
        found = self._found()
        self.arn, self.version = found.arn, found.version
        self.region = found.arn.split(":")[3]
        self.vpc_id, self.subnet_ids = found.vpc_config.vpc_id, sorted(found.vpc_config.subnet_ids)
        self.security_group_id = found.vpc_config.cluster_security_group_id
        self.issuer_url = found.identities[0].oidcs[0].issuer
        self.oidc_provider_arn = self._trusted_issuer(name) if args.get("irsa", True) else Output.from_input("")
        profile, role = credentials(self, args.get("kubeconfig_profile"), args.get("kubeconfig_role_arn"))
        authority = found.certificate_authorities[0].data
        self.kubeconfig = Output.secret(
            Output.all(profile, role).apply(
                lambda known: kubeconfig(found.arn, found.endpoint, authority, known[0], known[1])
            )
        )
        # By the ARN: with anything else, a changed endpoint would replace everything on the cluster. Secrets change in
        # place: otherwise a renewed certificate would delete the webhook's Secret before it makes the new one.
        self._on_cluster = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kubeconfig,
            cluster_identifier=self.arn,
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs(
            {
                "cluster_name": self.cluster_name,
                "arn": self.arn,
                "region": self.region,
                "version": self.version,
                "vpc_id": self.vpc_id,
                "subnet_ids": self.subnet_ids,
                "security_group_id": self.security_group_id,
                "issuer_url": self.issuer_url,
                "oidc_provider_arn": self.oidc_provider_arn,
                "kubeconfig": self.kubeconfig,
            }
        )

    @classmethod
    def lookup(
        cls, cluster_name: str, *, irsa: bool = True, opts: pulumi.ResourceOptions | None = None
    ) -> "ClusterReference":
        """Return the cluster of a name, in the region and account of the AWS provider.

        Args:
            cluster_name: its name in EKS, and the component's.
            irsa: whether pods get roles by IRSA.
            opts: the component's.

        Raises:
            InvalidInputError: there is no such cluster.
        """
        return cls(cluster_name, {"cluster_name": cluster_name, "irsa": irsa}, opts)

    @property
    def provider(self) -> kubernetes.Provider:
        """The Kubernetes provider of the cluster."""
        return self._on_cluster

    @property
    def arguments(self) -> LoadBalancerControllerArgs:
        """What a `LoadBalancerController` needs to know of the cluster, for either identity."""
        return {
            "cluster_name": self.cluster_name,
            "cluster_arn": self.arn,
            "region": self.region,
            "vpc_id": self.vpc_id,
            "kubernetes_version": self.version,
            "issuer_url": self.issuer_url,
            "oidc_provider_arn": self.oidc_provider_arn,
        }

    def _found(self) -> aws.eks.AwaitableGetClusterResult:
        asked = pulumi.InvokeOptions(parent=self)
        try:
            return aws.eks.get_cluster(name=self.cluster_name, opts=asked)
        except Exception as error:  # noqa: BLE001 - a lookup that fails has no class of its own
            if not _is_absence(error):
                raise InvalidInputError(f"cluster {self.cluster_name!r} cannot be looked up: {error}") from None
            region = aws.get_region(opts=asked).region
            raise InvalidInputError(
                f"there is no EKS cluster {self.cluster_name!r} in {region} that this account can see: give a name that"
                f" `aws eks list-clusters --region {region}` shows, or an AWS provider of its region"
            ) from None

    def _trusted_issuer(self, name: str) -> Output[str]:
        """Find the issuer's OIDC provider, or declare it: the one that this stack made as well, or it would go again.

        It is never deleted, for an account has one for all programs; so a stack that is renamed, and no longer knows
        the provider as its own, takes it from nobody.
        """
        made_by = f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"
        try:
            found = aws.iam.get_open_id_connect_provider(url=self.issuer_url, opts=pulumi.InvokeOptions(parent=self))
        except Exception as error:
            if not _is_absence(error):
                raise
        else:
            if found.tags.get(MADE_BY) != made_by:
                return Output.from_input(found.arn)
        return OidcProvider(
            f"{name}-oidc",
            {"issuer_url": self.issuer_url, "tags": {MADE_BY: made_by}},
            pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        ).arn


def _is_absence(error: Exception) -> bool:
    """Whether a lookup failed because there is nothing: the provider has no other way of saying so."""
    return any(sign in str(error) for sign in _NOT_THERE)
