"""The arguments of a `Cluster`."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from pulumi import Input

from eks_load_balancing.cluster.addons import AddonArgs
from eks_load_balancing.cluster.nodes import NodesArgs


class ClusterArgs(TypedDict):
    """What a `Cluster` takes."""

    cluster_name: Input[str]
    """The cluster's name in EKS. Another name is another cluster."""
    region: Input[str]
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
    node_groups: NotRequired[Mapping[str, NodesArgs]]
    """More groups of managed nodes, by name. They share the role of `nodes`; what runs on the cluster waits for all."""
    public_access_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may reach the API server from outside the VPC. Default none: the endpoint is private."""
    admin_arns: NotRequired[Sequence[Input[str]]]
    """Roles or users that administer the cluster. Default: whoever runs this program; name them where several do. They
    must include whoever runs it, or the role that the kubeconfig assumes."""
    secrets_key_arn: NotRequired[Input[str]]
    """The KMS key that encrypts the cluster's secrets. Default: a key made here. EKS cannot change it later."""
    log_retention_days: NotRequired[int]
    """How long the control plane's logs are kept. Default 90."""
    addon_versions: NotRequired[Mapping[str, str]]
    """Versions of add-ons by name, such as `coredns`: a version; `default`, EKS's default for the Kubernetes version;
    `latest`; or `eks`, what EKS chose when the add-on was made. Default `default`."""
    addons: NotRequired[Mapping[str, AddonArgs]]
    """Add-ons by name: configuration of those that are installed anyway (`vpc-cni`, `kube-proxy`, `coredns`), and any
    other one, which comes after the nodes."""
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
    cluster_properties: NotRequired[Mapping[str, Any]]
    """Any other property of the EKS cluster, by its name in Pulumi's registry (`aws.eks.Cluster`) in camel case, such
    as `zonalShiftConfig` or `kubernetesNetworkConfig`, over those of this component."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for every resource made here."""
