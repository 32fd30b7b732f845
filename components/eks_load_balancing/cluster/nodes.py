"""The managed nodes of a cluster: role, launch template, node group. Part of `Cluster`."""

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input

from eks_load_balancing import errors
from eks_load_balancing.cluster.addons import LATEST, LEFT_TO_EKS
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.forms import processor
from eks_load_balancing.identity.trust import service_trust
from eks_load_balancing.tags import named
from eks_load_balancing.versions import kubernetes_number, release

AMI_TYPES: Final = ("AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD")
FARTHEST_BEHIND: Final = 3
"""Minor versions that a kubelet may be behind: https://kubernetes.io/releases/version-skew-policy/"""
_RELEASE: Final = (
    "/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/{processor}/standard/recommended/release_version"
)
"""https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html"""
_PROCESSORS: Final = {"AL2023_x86_64_STANDARD": "x86_64", "AL2023_ARM_64_STANDARD": "arm64"}
_ROOT_DEVICE: Final = "/dev/xvda"  # of Amazon Linux 2023
SMALLEST_DISK: Final = 20

# The CNI's permissions are not among them: its pods have a role of their own.
# https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
_NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


class NodesArgs(TypedDict):
    """The nodes of a cluster."""

    instance_types: Sequence[str]
    """EC2 instance types, in order of preference, all of the AMI's architecture, such as `["m7i.large"]`."""
    min_size: int
    """Fewest nodes."""
    desired_size: int
    """Nodes to begin with. Later the number is the autoscaler's, unless `manage_desired_size` says otherwise."""
    max_size: int
    """Most nodes."""
    ami_type: NotRequired[str]
    """`AL2023_x86_64_STANDARD` (the default) or `AL2023_ARM_64_STANDARD`."""
    disk_size: NotRequired[int]
    """Root disk of a node in GiB. Default 30."""
    manage_desired_size: NotRequired[bool]
    """Whether every `up` sets the number of nodes to `desired_size` again. Default no. Say yes once where `min_size` or
    `max_size` moves past the number of nodes: EKS refuses that otherwise."""
    version: NotRequired[str]
    """The nodes' Kubernetes version, such as `1.36`, or `eks` for what EKS chose when the nodes were made. Default: the
    cluster's, which they follow."""
    release_version: NotRequired[str]
    """The release of the nodes' AMI: one such as `1.36.3-20261101`, or `latest`, which every `up` looks up. Default:
    EKS's choice when the nodes are made or get another Kubernetes version."""


def check_nodes(args: NodesArgs, cluster_version: str) -> NodesArgs:
    """Return the arguments, whole and consistent, or say what is wrong with them.

    Args:
        args: the nodes'.
        cluster_version: the Kubernetes version of their cluster.
    """
    low = errors.at_least(args["min_size"], 0, "fewest nodes", key="min_size")
    high = errors.at_least(args["max_size"], 1, "most nodes", key="max_size")
    wanted = errors.at_least(args["desired_size"], 0, "nodes wanted", key="desired_size")
    if not low <= wanted <= high:
        raise InvalidInputError(
            f"{wanted} nodes wanted, which is not between {low} (the fewest) and {high} (the most): give one that is",
            key="desired_size",
        )
    if not args["instance_types"]:
        raise InvalidInputError(
            "the nodes have no instance type: give one or more, such as m7i.large", key="instance_types"
        )
    ami_type = errors.one_of(args.get("ami_type", AMI_TYPES[0]), AMI_TYPES, "AMI type", key="ami_type")
    for instance_type in args["instance_types"]:
        if processor(instance_type) != _PROCESSORS[ami_type]:
            raise InvalidInputError(
                f"{instance_type} has another architecture than the AMI, {ami_type}: give instance types of"
                f" {_PROCESSORS[ami_type]}, or another AMI type (ami_type)",
                key="instance_types",
            )
    return {
        "instance_types": list(args["instance_types"]),
        "min_size": low,
        "desired_size": wanted,
        "max_size": high,
        "ami_type": ami_type,
        "disk_size": errors.at_least(args.get("disk_size", 30), SMALLEST_DISK, "disk size (GiB)", key="disk_size"),
        "manage_desired_size": args.get("manage_desired_size", False),
        "version": _version(args, cluster_version),
        "release_version": _release_version(args, cluster_version),
    }


def _version(args: NodesArgs, cluster_version: str) -> str:
    version = args.get("version") or cluster_version
    if version == LEFT_TO_EKS:
        return version
    behind = release(cluster_version)[1] - release(kubernetes_number(version))[1]
    if behind < 0 or behind > FARTHEST_BEHIND:
        raise InvalidInputError(
            f"nodes of Kubernetes {version} cannot join a cluster of {cluster_version}: give the cluster's version or"
            f" one of the {FARTHEST_BEHIND} before it",
            key="version",
        )
    return version


def _release_version(args: NodesArgs, cluster_version: str) -> str:
    wanted = args.get("release_version", LEFT_TO_EKS)
    version = args.get("version") or cluster_version
    if wanted == LATEST and version == LEFT_TO_EKS:
        raise InvalidInputError(
            "the latest AMI of which Kubernetes version is meant is not known: give the nodes a version",
            key="version",
        )
    if wanted not in (LATEST, LEFT_TO_EKS) and version != LEFT_TO_EKS and not wanted.startswith(f"{version}."):
        raise InvalidInputError(
            f"AMI release {wanted} is none of Kubernetes {version}: give one such as {version}.3-20261101, or latest",
            key="release_version",
        )
    return wanted


def node_role(
    name: str,
    partition: str,
    permissions_boundary_arn: Input[str] | None,
    tags: Input[Mapping[str, Input[str]]] | None,
    parent: pulumi.Resource,
) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
    """Declare the role that nodes run with.

    Returns:
        The role, and the attachments that nodes must wait for.
    """
    child = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(
        f"{name}-role",
        description="For the nodes of a cluster; pods have roles of their own",
        assume_role_policy=service_trust("ec2.amazonaws.com"),
        permissions_boundary=permissions_boundary_arn,
        tags=tags,
        opts=child,
    )
    attachments: list[pulumi.Resource] = [
        aws.iam.RolePolicyAttachment(
            f"{name}-{policy}",
            role=role.name,
            policy_arn=f"arn:{partition}:iam::aws:policy/{policy}",
            opts=pulumi.ResourceOptions(parent=parent, protect=False),
        )
        for policy in _NODE_POLICIES
    ]
    return role, attachments


def launch_template(
    name: str,
    disk_size: int,
    security_group_id: Input[str],
    tags: Input[Mapping[str, Input[str]]],
    parent: pulumi.Resource,
) -> aws.ec2.LaunchTemplate:
    """Declare what the node group launches.

    The one security group is the cluster's own, made and tagged `kubernetes.io/cluster/NAME` by EKS: the controller
    wants exactly one so tagged on a node's interface, and its members and the control plane reach each other on every
    port, the webhooks' 9443 among them (docs/adr/0010).
    https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
    """
    with_name = named(tags, name)
    return aws.ec2.LaunchTemplate(
        f"{name}-template",
        description="Nodes: IMDSv2 alone and not for pods, encrypted disk, the cluster's security group",
        update_default_version=True,
        vpc_security_group_ids=[security_group_id],
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            "http_put_response_hop_limit": 1,
        },
        block_device_mappings=[
            {
                "device_name": _ROOT_DEVICE,
                "ebs": {
                    "volume_type": "gp3",
                    "volume_size": disk_size,
                    "encrypted": "true",
                    "delete_on_termination": "true",
                },
            }
        ],
        tag_specifications=[
            {"resource_type": "instance", "tags": with_name},
            {"resource_type": "volume", "tags": with_name},
        ],
        tags=with_name,
        opts=pulumi.ResourceOptions(parent=parent, protect=False),
    )


def node_group(
    name: str,
    nodes: NodesArgs,
    cluster_version: str,
    *,
    cluster_name: str,
    subnet_ids: Input[Sequence[Input[str]]],
    role: aws.iam.Role,
    template: aws.ec2.LaunchTemplate,
    tags: Input[Mapping[str, Input[str]]],
    opts: pulumi.ResourceOptions,
) -> aws.eks.NodeGroup:
    """Declare the node group.

    Without a version EKS keeps the one that the nodes were made with, and refuses the cluster's next upgrades once they
    are too far behind. A new one is rolled out node by node, after the control plane and the add-ons that nodes need.

    Args:
        name: the resource's name.
        nodes: checked by `check_nodes`.
        cluster_version: the cluster's Kubernetes version.
        cluster_name: the cluster.
        subnet_ids: where the nodes run.
        role: what they run with.
        template: what they are launched from.
        tags: the group's.
        opts: the resource's.
    """
    version = nodes.get("version", cluster_version)
    managed = nodes.get("manage_desired_size", False)
    return aws.eks.NodeGroup(
        name,
        cluster_name=cluster_name,
        node_role_arn=role.arn,
        subnet_ids=subnet_ids,
        ami_type=nodes.get("ami_type"),
        version=None if version == LEFT_TO_EKS else version,
        release_version=_release(nodes, version, opts.parent),
        instance_types=list(nodes["instance_types"]),
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        scaling_config={
            "min_size": nodes["min_size"],
            "desired_size": nodes["desired_size"],
            "max_size": nodes["max_size"],
        },
        update_config={"max_unavailable": 1},
        tags=tags,
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(ignore_changes=[] if managed else ["scalingConfig.desiredSize"])
        ),
    )


def _release(nodes: NodesArgs, version: str, parent: pulumi.Resource | None) -> Input[str] | None:
    """Return the AMI's release to ask for, or None to leave it to EKS."""
    wanted = nodes.get("release_version", LEFT_TO_EKS)
    if wanted != LATEST:
        return None if wanted == LEFT_TO_EKS else wanted
    processor = _PROCESSORS[nodes.get("ami_type", AMI_TYPES[0])]
    found = aws.ssm.get_parameter_output(
        name=_RELEASE.format(version=version, processor=processor), opts=pulumi.InvokeOutputOptions(parent=parent)
    )
    return found.value
