"""The managed nodes of a cluster: role, launch template, node group. Part of `Cluster`."""

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.tags import named
from eks_load_balancing.trust import service_trust

AMI_TYPES: Final = ("AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD")
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
    """Nodes wanted now."""
    max_size: int
    """Most nodes."""
    ami_type: NotRequired[str]
    """`AL2023_x86_64_STANDARD` (the default) or `AL2023_ARM_64_STANDARD`."""
    disk_size: NotRequired[int]
    """Root disk of a node in GiB. Default 30."""


def check_nodes(args: NodesArgs) -> NodesArgs:
    """Return the arguments, whole and consistent, or say what is wrong with them."""
    low = errors.at_least(args["min_size"], 0, "fewest nodes")
    high = errors.at_least(args["max_size"], 1, "most nodes")
    wanted = errors.at_least(args["desired_size"], 0, "nodes wanted")
    if not low <= wanted <= high:
        raise InvalidInputError(
            f"{wanted} nodes wanted, which is not between {low} (the fewest) and {high} (the most): give one that is"
        )
    if not args["instance_types"]:
        raise InvalidInputError("the nodes have no instance type: give one or more, such as m7i.large")
    return {
        "instance_types": list(args["instance_types"]),
        "min_size": low,
        "desired_size": wanted,
        "max_size": high,
        "ami_type": errors.one_of(args.get("ami_type", AMI_TYPES[0]), AMI_TYPES, "AMI type"),
        "disk_size": errors.at_least(args.get("disk_size", 30), SMALLEST_DISK, "disk size (GiB)"),
    }


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
            opts=child,
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
        opts=pulumi.ResourceOptions(parent=parent),
    )
