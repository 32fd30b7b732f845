"""An EKS cluster with its nodes, add-ons and access."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
from pulumi import Input, Output

from eks_load_balancing.arguments import checked
from eks_load_balancing.cluster.addons import DEFAULT, addon_version, check_addons, configuration
from eks_load_balancing.cluster.administrators import (
    Caller,
    administrator,
    caller,
    principals,
    refuse_lock_out,
    same_principal,
)
from eks_load_balancing.cluster.cluster_args import ClusterArgs
from eks_load_balancing.cluster.control_plane import (
    CLUSTER,
    OWN_PROPERTIES,
    authority_of,
    bounded_roles,
    kubeconfig_options,
    log_group,
    refuse_another_key,
    secrets_key,
    with_its_first_key,
    without_bootstrap_admin,
)
from eks_load_balancing.cluster.kubeconfig import credentials, with_profile
from eks_load_balancing.cluster.node_groups import launch_template, node_group, node_role
from eks_load_balancing.cluster.nodes import NodesArgs, check_groups
from eks_load_balancing.cluster.properties import check_properties, with_properties
from eks_load_balancing.forms import ADDONS
from eks_load_balancing.identity.oidc_provider import OidcProvider
from eks_load_balancing.identity.service_account_role import ServiceAccountRole
from eks_load_balancing.outputs import after, applied, suffixed
from eks_load_balancing.partitions import partition_of
from eks_load_balancing.versions import kubernetes_version, support_warnings, upgrade_policy

LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
DEFAULT_LOG_RETENTION_DAYS: Final = 90


class Cluster(pulumi.ComponentResource):
    """A cluster whose API authenticates by access entries, with managed nodes and the add-ons they need.

    All five kinds of control plane logs are kept, secrets are encrypted with a KMS key, nobody is administrator but the
    access entries, nodes ask the metadata service by IMDSv2 and pods cannot, the node role may not change the network:
    the VPC CNI has a role of its own.

    The Kubernetes provider is the caller's: build it from `kubeconfig`. Give it `arn` as `cluster_identifier`, else a
    changed endpoint replaces everything on the cluster, and `enable_secret_mutable`, else a renewed certificate deletes
    the webhook's Secret before it makes the new one.
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
    node_role_name: Output[str]
    """The name of that role, to attach more policies to."""
    node_group_names: Output[Sequence[str]]
    """The node groups' names in EKS, that of `nodes` first."""
    endpoint: Output[str]
    """The address of the API server."""
    certificate_authority: Output[str]
    """The certificate that the API server's is signed with, in base64."""

    @checked
    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._prefix, self._args = name, args
        self._partition = applied(partition_of, args["region"])
        self._tags: Input[Mapping[str, Input[str]]] = args.get("tags") or {}
        self._cluster_name = args["cluster_name"]
        self._kubernetes_version = kubernetes_version(
            args["version"], allow_unlisted=args.get("allow_unlisted_version", False)
        )
        nodes = check_groups(args["nodes"], args.get("node_groups", {}), self._kubernetes_version)
        self._addon_args = check_addons(args.get("addons", {}), args.get("addon_versions", {}))
        properties = check_properties(args.get("cluster_properties", {}), OWN_PROPERTIES, "cluster_properties")
        upgrade_policy(args.get("upgrade_policy"))
        super().__init__("eks-load-balancing:index:Cluster", name, opts=opts)
        asked = pulumi.InvokeOptions(parent=self)
        me = caller(asked)
        self._credentials = credentials(self, args.get("kubeconfig_profile"), args.get("kubeconfig_role_arn"))
        if not args.get("kubeconfig_profile"):  # with a profile of its own the kubeconfig is somebody else's
            refuse_lock_out(me, args.get("admin_arns", ()), self._credentials.role_arn, asked)

        for line in support_warnings(self._kubernetes_version, upgrade_policy(args.get("upgrade_policy"))):
            pulumi.log.warn(line, self)
        cluster = self._control_plane(self._kubernetes_version, properties)
        self._cluster = cluster
        self.cluster_name = pulumi.Output.from_input(self._cluster_name)
        self.issuer_url = cluster.oidc_provider_url
        self.security_group_id = cluster.cluster_security_group_id
        self.endpoint = cluster.eks_cluster.apply(lambda made: made.endpoint)
        self.certificate_authority = authority_of(cluster.eks_cluster)
        self.arn = pulumi.Output.all(self._partition, args["region"], self._cluster_name).apply(
            lambda known: f"arn:{known[0]}:eks:{known[1]}:{me.account}:cluster/{known[2]}"
        )
        provider = OidcProvider(
            f"{name}-oidc", {"issuer_url": self.issuer_url, "tags": self._tags}, pulumi.ResourceOptions(parent=self)
        )
        self.oidc_provider_arn = provider.arn
        before_nodes = self._addons_for_nodes()
        role, groups = self._nodes(nodes, before_nodes)
        self.node_role_arn, self.node_role_name = role.arn, role.name
        self.node_group_names = pulumi.Output.all(*[group.node_group_name for group in groups])
        dns = self._addon("coredns", after=groups)
        for addon in self._addon_args:
            if addon not in ADDONS:
                self._addon(addon, after=[dns])
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
                "endpoint": self.endpoint,
                "certificate_authority": self.certificate_authority,
                "node_role_arn": self.node_role_arn,
                "node_role_name": self.node_role_name,
                "node_group_names": self.node_group_names,
            }
        )

    def _control_plane(self, version: str, properties: Mapping[str, Any]) -> eks.Cluster:
        args = self._args
        public = args.get("public_access_cidrs") or None
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
            endpoint_public_access=applied(bool, public),
            public_access_cidrs=public,
            authentication_mode=eks.AuthenticationMode.API,
            encryption_config_key_arn=self._key,
            enabled_cluster_log_types=list(LOG_TYPES),
            upgrade_policy={"support_type": upgrade_policy(args.get("upgrade_policy")).upper()},
            deletion_protection=args.get("deletion_protection", False),
            provider_credential_opts=kubeconfig_options(*self._credentials),
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
                    *([with_properties(CLUSTER, properties)] if properties else []),
                ],
            ),
        )

    def _addons_for_nodes(self) -> list[pulumi.Resource]:
        """Declare what a node needs to be ready: no network before the CNI runs, which has a role of its own."""
        own = self._addon_args.get("vpc-cni", {})
        if "role_arn" in own or "pod_identity_role_arns" in own:
            network = self._addon("vpc-cni")
        else:
            cni = ServiceAccountRole(
                f"{self._prefix}-cni",
                {
                    "namespace": "kube-system",
                    "service_account": "aws-node",
                    "oidc_provider_arn": self.oidc_provider_arn,
                    "issuer_url": self.issuer_url,
                    "policy_arn": applied("arn:{}:iam::aws:policy/AmazonEKS_CNI_Policy".format, self._partition),
                    **self._boundary(),
                    "tags": self._tags,
                },
                pulumi.ResourceOptions(parent=self),
            )
            network = self._addon("vpc-cni", role_arn=cni.arn, after=[cni])
        addons: list[pulumi.Resource] = [network, self._addon("kube-proxy")]
        if self._args.get("pod_identity_agent", False) or "eks-pod-identity-agent" in self._addon_args:
            addons.append(self._addon("eks-pod-identity-agent"))
        return addons

    def _addon(
        self, addon: str, role_arn: Input[str] | None = None, after: Sequence[pulumi.Resource] = ()
    ) -> aws.eks.Addon:
        given = self._addon_args.get(addon, {})
        wanted = given.get("version") or self._args.get("addon_versions", {}).get(addon, DEFAULT)
        return aws.eks.Addon(
            f"{self._prefix}-{addon}",
            cluster_name=self._cluster_name,
            addon_name=addon,
            addon_version=addon_version(
                addon, wanted, self._kubernetes_version, pulumi.InvokeOutputOptions(parent=self)
            ),
            configuration_values=configuration(given.get("configuration")),
            service_account_role_arn=given.get("role_arn", role_arn),
            pod_identity_associations=[
                {"service_account": account, "role_arn": arn}
                for account, arn in given.get("pod_identity_role_arns", {}).items()
            ]
            or None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            tags=self._tags,
            opts=self._after(*after),
        )

    def _nodes(
        self, groups: Mapping[str, NodesArgs], before: Sequence[pulumi.Resource]
    ) -> tuple[aws.iam.Role, list[aws.eks.NodeGroup]]:
        role, attachments = node_role(
            f"{self._prefix}-nodes", self._partition, self._args.get("permissions_boundary_arn"), self._tags, self
        )
        made = [
            node_group(
                f"{self._prefix}-nodes{suffix}",
                nodes,
                self._kubernetes_version,
                cluster_name=self._cluster_name,
                subnet_ids=nodes.get("subnet_ids", self._args["subnet_ids"]),
                role=role,
                template=launch_template(
                    f"{self._prefix}-nodes{suffix}", nodes, self.security_group_id, self._tags, self
                ),
                tags=self._tags,
                opts=self._after(*attachments, *before),
            )
            for suffix, nodes in groups.items()
        ]
        return role, made

    def _administrators(self, me: Caller) -> list[pulumi.Resource]:
        """Declare access entries. EKS makes those of the nodes itself, for managed node groups."""
        named = principals(self._args.get("admin_arns", ()), me.arn, pulumi.InvokeOptions(parent=self))
        admin = applied("arn:{}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy".format, self._partition)
        return [
            made
            for suffix, arn in suffixed(named)
            for made in administrator(
                f"{self._prefix}-admin-{suffix}",
                arn,
                f"{self._prefix}-admin-deployer" if isinstance(arn, str) and same_principal(me.arn, arn) else None,
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
