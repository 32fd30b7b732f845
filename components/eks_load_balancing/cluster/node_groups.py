"""The managed nodes of a cluster: role, launch templates, node groups. Part of `Cluster`."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi import Input

from eks_load_balancing.cluster.addons import LATEST, LEFT_TO_EKS
from eks_load_balancing.cluster.nodes import AMI_TYPES, NodesArgs, ami_processor
from eks_load_balancing.cluster.properties import with_properties
from eks_load_balancing.identity.trust import service_trust
from eks_load_balancing.outputs import applied
from eks_load_balancing.tags import named

_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_AL2023: Final = "/aws/service/eks/optimized-ami/{}/amazon-linux-2023/{}/{}/recommended/release_version"
"""https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html"""
_BOTTLEROCKET: Final = "/aws/service/bottlerocket/aws-k8s-{}/{}/latest/image_version"
"""https://bottlerocket.dev/en/os/latest/#/install/quickstart/aws/host-containers/"""
_ROOT_DEVICE: Final = "/dev/xvda"
_DATA_DEVICE: Final = "/dev/xvdb"
"""Where Bottlerocket has images, logs and volumes; its root is for the system alone."""

# The CNI's permissions are not among them: its pods have a role of their own.
# https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
_NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


def node_role(
    name: str,
    partition: Input[str],
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
            policy_arn=applied(lambda known, policy=policy: f"arn:{known}:iam::aws:policy/{policy}", partition),
            opts=pulumi.ResourceOptions(parent=parent, protect=False),
        )
        for policy in _NODE_POLICIES
    ]
    return role, attachments


def launch_template(
    name: str,
    nodes: NodesArgs,
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
    bottlerocket = nodes.get("ami_type", "").startswith("BOTTLEROCKET")
    more = nodes.get("launch_template_properties")
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
                "device_name": _DATA_DEVICE if bottlerocket else _ROOT_DEVICE,
                "ebs": {
                    "volume_type": "gp3",
                    "volume_size": nodes.get("disk_size", 30),
                    "encrypted": "true",
                    "delete_on_termination": "true",
                },
            },
            *([{"device_name": _ROOT_DEVICE, "ebs": {"encrypted": "true"}}] if bottlerocket else []),
        ],
        tag_specifications=[
            {"resource_type": "instance", "tags": with_name},
            {"resource_type": "volume", "tags": with_name},
        ],
        tags=with_name,
        opts=pulumi.ResourceOptions(
            parent=parent, protect=False, transforms=[with_properties(_TEMPLATE, more)] if more else None
        ),
    )


def node_group(
    name: str,
    nodes: NodesArgs,
    cluster_version: str,
    *,
    cluster_name: Input[str],
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
    more = nodes.get("node_group_properties")
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
        update_config={"max_unavailable": nodes.get("max_unavailable", 1)},
        capacity_type=nodes.get("capacity_type"),
        labels=nodes.get("labels"),
        taints=_taints(nodes),
        tags=tags,
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                ignore_changes=[] if managed else ["scalingConfig.desiredSize"],
                transforms=[with_properties(_GROUP, more)] if more else None,
            ),
        ),
    )


def _release(nodes: NodesArgs, version: str, parent: pulumi.Resource | None) -> Input[str] | None:
    """Return the AMI's release to ask for, or None to leave it to EKS."""
    wanted = nodes.get("release_version", LEFT_TO_EKS)
    if wanted != LATEST:
        return None if wanted == LEFT_TO_EKS else wanted
    found = aws.ssm.get_parameter_output(
        name=release_parameter(nodes.get("ami_type", AMI_TYPES[0]), version),
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    return found.value


def release_parameter(ami_type: str, version: str) -> str:
    """Return the public parameter that has the latest release of an AMI's type for a Kubernetes version."""
    variant = ami_type.rpartition("64")[2].removeprefix("_").lower()
    if ami_type.startswith("BOTTLEROCKET"):
        return _BOTTLEROCKET.format(f"{version}-{variant}".rstrip("-"), ami_processor(ami_type))
    return _AL2023.format(version, ami_processor(ami_type), variant)


def _taints(nodes: NodesArgs) -> list[aws.eks.NodeGroupTaintArgsDict] | None:
    found: list[aws.eks.NodeGroupTaintArgsDict] = []
    for taint in nodes.get("taints", ()):
        made: aws.eks.NodeGroupTaintArgsDict = {"key": taint["key"], "effect": taint["effect"]}
        if "value" in taint:
            made["value"] = taint["value"]
        found.append(made)
    return found or None
