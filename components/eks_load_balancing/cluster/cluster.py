"""An EKS cluster with its nodes, add-ons and access."""

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.cluster.addons import DEFAULT, addon_version
from eks_load_balancing.cluster.administrators import Caller, administrator, caller, principals, refuse_lock_out
from eks_load_balancing.cluster.control_plane import (
    bounded_roles,
    log_group,
    refuse_another_key,
    secrets_key,
    with_its_first_key,
    without_bootstrap_admin,
)
from eks_load_balancing.cluster.kubeconfig import credentials, with_profile
from eks_load_balancing.cluster.nodes import NodesArgs, check_nodes, launch_template, node_group, node_role
from eks_load_balancing.identity.oidc_provider import OidcProvider
from eks_load_balancing.identity.service_account_role import ServiceAccountRole
from eks_load_balancing.outputs import after
from eks_load_balancing.partitions import partition_of
from eks_load_balancing.versions import kubernetes_version, support_warnings, upgrade_policy

LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
DEFAULT_LOG_RETENTION_DAYS: Final = 90


class ClusterArgs(TypedDict):
    """What a `Cluster` takes."""

    cluster_name: str
    """The cluster's name in EKS. Another name is another cluster."""
    region: str
    """The region, such as `us-west-2`."""
    version: str
    """The Kubernetes version, such as `1.36`. Nodes and add-ons follow it, in the order that Kubernetes asks for; EKS
    takes one minor version at a time."""
    upgrade_policy: NotRequired[str]
    """What EKS does at the end of the version's standard support: `standard` (the default): it upgrades the control
    plane; `extended`: the cluster stays for another year, which costs six times as much."""
    allow_unlisted_version: NotRequired[bool]
    """Whether a Kubernetes version is taken that this package does not know, or whose support has ended here. Default
    no."""
    vpc_id: Input[str]
    """The VPC."""
    subnet_ids: Input[Sequence[Input[str]]]
    """Private subnets in two zones or more, for the control plane's interfaces, the nodes and their pods."""
    nodes: NodesArgs
    """The managed nodes."""
    public_access_cidrs: NotRequired[Sequence[str]]
    """IPv4 ranges that may reach the API server from outside the VPC. Default none: the endpoint is private."""
    admin_arns: NotRequired[Sequence[str]]
    """Roles or users that administer the cluster. Default: whoever runs this program; name them where several do. They
    must include whoever runs it, or the role that the kubeconfig assumes."""
    secrets_key_arn: NotRequired[Input[str]]
    """The KMS key that encrypts the cluster's secrets. Default: a key made here. EKS cannot change it later."""
    log_retention_days: NotRequired[int]
    """How long the control plane's logs are kept. Default 90."""
    addon_versions: NotRequired[Mapping[str, str]]
    """Versions of add-ons by name, such as `coredns`: a version; `default`, EKS's default for the Kubernetes version;
    `latest`; or `eks`, what EKS chose when the add-on was made. Default `default`."""
    pod_identity_agent: NotRequired[bool]
    """Whether the add-on `eks-pod-identity-agent` is installed. Default no."""
    deletion_protection: NotRequired[bool]
    """Whether EKS refuses to delete the cluster; Pulumi then does too, before it deletes anything. Default no."""
    kubeconfig_profile: NotRequired[str]
    """The AWS CLI profile in the kubeconfig. Default: that of the AWS provider, `aws:profile` in the stack's
    configuration; without one, the credentials of the environment."""
    kubeconfig_role_arn: NotRequired[Input[str]]
    """The role that the kubeconfig assumes. Default: that of `aws:assumeRoles` in the stack's configuration. Give it
    with an AWS provider of your own that assumes a role."""
    permissions_boundary_arn: NotRequired[Input[str]]
    """The permissions boundary of every role made here."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for every resource made here."""


class Cluster(pulumi.ComponentResource):
    """A cluster whose API authenticates by access entries, with managed nodes and the add-ons they need.

    All five kinds of control plane logs are kept, secrets are encrypted with a KMS key, nobody is administrator but the
    access entries, nodes ask the metadata service by IMDSv2 and pods cannot, the node role may not change the network:
    the VPC CNI has a role of its own.

    The Kubernetes provider is the caller's: build it from `kubeconfig` and give it `arn` as `cluster_identifier`, else
    a changed endpoint replaces everything on the cluster.
    """

    arn: Output[str]
    """The cluster's ARN."""
    cluster_name: Output[str]
    """The cluster's name."""
    kubeconfig: Output[str]
    """A kubeconfig that runs the AWS CLI; a secret. What is made with it waits until its reader may use the cluster."""
    issuer_url: Output[str]
    """The issuer of service account tokens."""
    oidc_provider_arn: Output[str]
    """The IAM OIDC provider of that issuer."""
    security_group_id: Output[str]
    """The security group that EKS made: the only one of nodes, tagged for the cluster."""
    node_role_arn: Output[str]
    """The role of the nodes."""

    @checked
    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._prefix, self._args = name, args
        self._partition = partition_of(args["region"])
        self._tags: Input[Mapping[str, Input[str]]] = args.get("tags") or {}
        self._cluster_name = errors.cluster_name(args["cluster_name"])
        self._kubernetes_version = kubernetes_version(
            args["version"], allow_unlisted=args.get("allow_unlisted_version", False)
        )
        nodes = check_nodes(args["nodes"], self._kubernetes_version)
        upgrade_policy(args.get("upgrade_policy"))
        super().__init__("eks-load-balancing:index:Cluster", name, opts=opts)
        asked = pulumi.InvokeOptions(parent=self)
        me = caller(asked)
        self._credentials = credentials(self, args.get("kubeconfig_profile"), args.get("kubeconfig_role_arn"))
        if not args.get("kubeconfig_profile"):  # with a profile of its own the kubeconfig is somebody else's
            refuse_lock_out(me, args.get("admin_arns", ()), self._credentials.role_arn, asked)

        for line in support_warnings(self._kubernetes_version, upgrade_policy(args.get("upgrade_policy"))):
            pulumi.log.warn(line, self)
        cluster = self._control_plane(self._kubernetes_version)
        self._cluster = cluster
        self.cluster_name = pulumi.Output.from_input(self._cluster_name)
        self.issuer_url = cluster.oidc_provider_url
        self.security_group_id = cluster.cluster_security_group_id
        self.arn = pulumi.Output.from_input(
            f"arn:{self._partition}:eks:{args['region']}:{me.account}:cluster/{self._cluster_name}"
        )
        provider = OidcProvider(
            f"{name}-oidc", {"issuer_url": self.issuer_url, "tags": self._tags}, pulumi.ResourceOptions(parent=self)
        )
        self.oidc_provider_arn = provider.arn
        before_nodes = self._addons_for_nodes()
        self.node_role_arn, node_group = self._nodes(nodes, before_nodes)
        self._addon("coredns", after=[node_group])
        refuse_another_key(cluster.eks_cluster, self._key)
        written = pulumi.Output.all(cluster.kubeconfig_json, self._credentials.profile).apply(
            lambda known: with_profile(known[0], known[1])
        )
        self.kubeconfig = pulumi.Output.secret(after(written, self._administrators(me)))
        self.register_outputs(
            {
                "arn": self.arn,
                "cluster_name": self.cluster_name,
                "kubeconfig": self.kubeconfig,
                "issuer_url": self.issuer_url,
                "oidc_provider_arn": self.oidc_provider_arn,
                "security_group_id": self.security_group_id,
                "node_role_arn": self.node_role_arn,
            }
        )

    def _control_plane(self, version: str) -> eks.Cluster:
        args = self._args
        public = list(args.get("public_access_cidrs", ()))
        retention = int(args.get("log_retention_days", DEFAULT_LOG_RETENTION_DAYS))
        logs = log_group(f"{self._prefix}-logs", self._cluster_name, retention, self._tags, self)
        self._key = args.get("secrets_key_arn") or secrets_key(
            f"{self._prefix}-secrets-key", self._cluster_name, self._tags, self
        )
        return eks.Cluster(
            f"{self._prefix}-eks",
            name=self._cluster_name,
            version=version,
            vpc_id=args["vpc_id"],
            private_subnet_ids=args["subnet_ids"],
            endpoint_private_access=True,
            endpoint_public_access=bool(public),
            public_access_cidrs=public or None,
            authentication_mode=eks.AuthenticationMode.API,
            encryption_config_key_arn=self._key,
            enabled_cluster_log_types=list(LOG_TYPES),
            upgrade_policy={"support_type": upgrade_policy(args.get("upgrade_policy")).upper()},
            deletion_protection=args.get("deletion_protection", False),
            provider_credential_opts=self._kubeconfig_options(),
            # Nodes, add-ons, security groups and the OIDC provider are made here, or not at all.
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_oidc_provider=False,
            use_default_vpc_cni=True,
            bootstrap_self_managed_addons=False,
            kube_proxy_addon_options={"enabled": False},
            coredns_addon_options={"enabled": False},
            tags=self._tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[logs],
                # EKS refuses to delete it, so Pulumi does before anything else is gone.
                protect=True if args.get("deletion_protection", False) else None,
                transforms=[
                    without_bootstrap_admin,
                    with_its_first_key,
                    bounded_roles(args.get("permissions_boundary_arn")),
                ],
            ),
        )

    def _kubeconfig_options(self) -> eks.KubeconfigOptionsArgs | None:
        """Return whose credentials pulumi-eks's own Kubernetes provider uses; of them the role is in its outputs."""
        profile, role = self._credentials
        return eks.KubeconfigOptionsArgs(profile_name=profile, role_arn=role) if profile or role is not None else None

    def _addons_for_nodes(self) -> list[pulumi.Resource]:
        """Declare what a node needs to be ready: no network before the CNI runs, which has a role of its own."""
        cni = ServiceAccountRole(
            f"{self._prefix}-cni",
            {
                "namespace": "kube-system",
                "service_account": "aws-node",
                "oidc_provider_arn": self.oidc_provider_arn,
                "issuer_url": self.issuer_url,
                "policy_arn": f"arn:{self._partition}:iam::aws:policy/AmazonEKS_CNI_Policy",
                **self._boundary(),
                "tags": self._tags,
            },
            pulumi.ResourceOptions(parent=self),
        )
        addons: list[pulumi.Resource] = [
            self._addon("vpc-cni", role_arn=cni.arn, after=[cni]),
            self._addon("kube-proxy"),
        ]
        if self._args.get("pod_identity_agent", False):
            addons.append(self._addon("eks-pod-identity-agent"))
        return addons

    def _addon(
        self, addon: str, role_arn: Input[str] | None = None, after: Sequence[pulumi.Resource] = ()
    ) -> aws.eks.Addon:
        return aws.eks.Addon(
            f"{self._prefix}-{addon}",
            cluster_name=self._cluster_name,
            addon_name=addon,
            addon_version=addon_version(
                addon,
                self._args.get("addon_versions", {}).get(addon, DEFAULT),
                self._kubernetes_version,
                pulumi.InvokeOutputOptions(parent=self),
            ),
            service_account_role_arn=role_arn,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=self._tags,
            opts=self._after(*after),
        )

    def _nodes(self, nodes: NodesArgs, before: Sequence[pulumi.Resource]) -> tuple[Output[str], aws.eks.NodeGroup]:
        name = f"{self._prefix}-nodes"
        role, attachments = node_role(
            name, self._partition, self._args.get("permissions_boundary_arn"), self._tags, self
        )
        template = launch_template(name, nodes.get("disk_size", 30), self.security_group_id, self._tags, self)
        group = node_group(
            name,
            nodes,
            self._kubernetes_version,
            cluster_name=self._cluster_name,
            subnet_ids=self._args["subnet_ids"],
            role=role,
            template=template,
            tags=self._tags,
            opts=self._after(*attachments, *before),
        )
        return role.arn, group

    def _administrators(self, me: Caller) -> list[pulumi.Resource]:
        """Declare access entries. EKS makes those of the nodes itself, for managed node groups."""
        named = principals(self._args.get("admin_arns", ()), me.arn, pulumi.InvokeOptions(parent=self))
        admin = f"arn:{self._partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
        return [
            made
            for arn in named
            for made in administrator(
                self._prefix,
                arn,
                me,
                cluster_name=self._cluster_name,
                policy_arn=admin,
                tags=self._tags,
                options=self._after,
            )
        ]

    def _after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of something in the cluster: it waits for the control plane, and for what is named.

        It holds neither data nor an identity, and is meant to change: it is not protected when the component is.
        """
        return pulumi.ResourceOptions(parent=self, depends_on=[self._cluster, *resources], protect=False)

    def _boundary(self) -> "_BoundaryArgs":
        boundary = self._args.get("permissions_boundary_arn")
        return {} if boundary is None else {"permissions_boundary_arn": boundary}


class _BoundaryArgs(TypedDict):
    permissions_boundary_arn: NotRequired[Input[str]]
