"""What the managed nodes of a cluster may be: their arguments, checked. Part of `Cluster`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict

from pulumi import Input

from eks_load_balancing import errors
from eks_load_balancing.cluster.addons import LATEST, LEFT_TO_EKS
from eks_load_balancing.cluster.properties import check_properties
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.forms import processor
from eks_load_balancing.versions import kubernetes_number, release

AMI_TYPES: Final = (
    *("AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD", "AL2023_x86_64_NEURON"),
    *("AL2023_x86_64_NVIDIA", "AL2023_ARM_64_NVIDIA", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64"),
    *("BOTTLEROCKET_x86_64_FIPS", "BOTTLEROCKET_ARM_64_FIPS"),
    *("BOTTLEROCKET_x86_64_NVIDIA", "BOTTLEROCKET_ARM_64_NVIDIA"),
)
"""https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html#AmazonEKS-Type-Nodegroup-amiType"""
FARTHEST_BEHIND: Final = 3
"""Minor versions that a kubelet may be behind: https://kubernetes.io/releases/version-skew-policy/"""
SMALLEST_DISK: Final = 20
CAPACITY_TYPES: Final = ("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")
EFFECTS: Final = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
GROUP_PROPERTIES: Final = {
    "amiType": "ami_type",
    "capacityType": "capacity_type",
    "clusterName": "cluster_name",
    "instanceTypes": "instance_types",
    "labels": "labels",
    "launchTemplate": "launch_template_properties",
    "releaseVersion": "release_version",
    "scalingConfig": "min_size, desired_size and max_size",
    "subnetIds": "subnet_ids",
    "taints": "taints",
    "version": "version",
}
"""Properties of a node group that have an argument of their own."""
_LABEL_KEY: Final = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set"""


class TaintArgs(TypedDict):
    """A taint of nodes."""

    key: str
    """Its key."""
    value: NotRequired[str]
    """Its value. Default: none."""
    effect: str
    """`NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`, as EKS spells them."""


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
    """The AMI's type: `AL2023_x86_64_STANDARD` (the default), `AL2023_ARM_64_STANDARD`, one for accelerators, such as
    `AL2023_x86_64_NVIDIA`, or one of Bottlerocket, such as `BOTTLEROCKET_x86_64`."""
    disk_size: NotRequired[int]
    """Disk of a node in GiB: the root's, or that for data of Bottlerocket. Default 30."""
    capacity_type: NotRequired[str]
    """`ON_DEMAND`, EKS's default, `SPOT` or `CAPACITY_BLOCK`. Another one is another node group."""
    labels: NotRequired[Mapping[str, str]]
    """Labels of the nodes in Kubernetes."""
    taints: NotRequired[Sequence[TaintArgs]]
    """Taints of the nodes. Give the add-ons tolerations, or leave another group without."""
    subnet_ids: NotRequired[Input[Sequence[Input[str]]]]
    """Subnets of these nodes. Default: the cluster's."""
    max_unavailable: NotRequired[int]
    """Nodes that are replaced at once. Default 1."""
    node_group_properties: NotRequired[Mapping[str, Any]]
    """Any other property of the node group, by its name in Pulumi's registry (`aws.eks.NodeGroup`) in camel case, such
    as `nodeRepairConfig`, over those of this component."""
    launch_template_properties: NotRequired[Mapping[str, Any]]
    """Any other property of the launch template, by its name in Pulumi's registry (`aws.ec2.LaunchTemplate`) in camel
    case, such as `userData`, `keyName` or `monitoring`, over those of this component."""
    manage_desired_size: NotRequired[bool]
    """Whether every `up` sets the number of nodes to `desired_size` again. Default no. Say yes once where `min_size` or
    `max_size` moves past the number of nodes: EKS refuses that otherwise."""
    version: NotRequired[str]
    """The nodes' Kubernetes version, such as `1.36`, or `eks` for what EKS chose when the nodes were made. Default: the
    cluster's, which they follow."""
    release_version: NotRequired[str]
    """The release of the nodes' AMI: one such as `1.36.3-20261101`, or `latest`, which every `up` looks up. Default:
    EKS's choice when the nodes are made or get another Kubernetes version."""


def ami_processor(ami_type: str) -> str:
    """Return the architecture of an AMI's type, as `processor` names it."""
    return "arm64" if "_ARM_64" in ami_type else "x86_64"


def check_groups(nodes: NodesArgs, more: Mapping[str, NodesArgs], cluster_version: str) -> dict[str, NodesArgs]:
    """Return all groups, whole and consistent, by what their resources' names end in; the first has no suffix."""
    groups = {"": check_nodes(nodes, cluster_version)}
    for name, group in more.items():
        errors.label(name, "node group")
        try:
            groups[f"-{name}"] = check_nodes(group, cluster_version)
        except InvalidInputError as error:
            raise InvalidInputError(f"node_groups.{name}: {error}", key="node_groups") from None
    return groups


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
        if processor(instance_type) != ami_processor(ami_type):
            raise InvalidInputError(
                f"{instance_type} has another architecture than the AMI, {ami_type}: give instance types of"
                f" {ami_processor(ami_type)}, or another AMI type (ami_type)",
                key="instance_types",
            )
    if "capacity_type" in args:
        errors.one_of(args["capacity_type"], CAPACITY_TYPES, "capacity type", key="capacity_type")
    _check_labels(args)
    check_properties(args.get("node_group_properties", {}), GROUP_PROPERTIES, "node_group_properties")
    check_properties(args.get("launch_template_properties", {}), {}, "launch_template_properties")
    return {
        **args,
        "instance_types": list(args["instance_types"]),
        "min_size": low,
        "desired_size": wanted,
        "max_size": high,
        "ami_type": ami_type,
        "max_unavailable": errors.at_least(args.get("max_unavailable", 1), 1, "max_unavailable", key="max_unavailable"),
        "disk_size": errors.at_least(args.get("disk_size", 30), SMALLEST_DISK, "disk size (GiB)", key="disk_size"),
        "manage_desired_size": args.get("manage_desired_size", False),
        "version": _version(args, cluster_version),
        "release_version": _release_version(args, cluster_version),
    }


def _check_labels(args: NodesArgs) -> None:
    taints = args.get("taints", ())
    named = [("labels", key, value) for key, value in args.get("labels", {}).items()]
    named += [("taints", taint["key"], taint.get("value", "")) for taint in taints]
    for key, name, value in named:
        if not _LABEL_KEY.fullmatch(name) or not _LABEL_VALUE.fullmatch(value):
            raise InvalidInputError(
                f"{key} {name}={value} is not one that Kubernetes takes: give at most 63 letters, digits, dashes, dots"
                " and underscores for each part, beginning and ending with a letter or digit",
                key=key,
            )
    for taint in taints:
        errors.one_of(taint["effect"], EFFECTS, f"effect of the taint {taint['key']}", key="taints")


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
            "the nodes need a version, because it decides which AMI is the latest: give version",
            key="version",
        )
    bottlerocket = args.get("ami_type", "").startswith("BOTTLEROCKET")  # its releases have numbers of their own
    if (
        wanted not in (LATEST, LEFT_TO_EKS)
        and not bottlerocket
        and version != LEFT_TO_EKS
        and not wanted.startswith(f"{version}.")
    ):
        raise InvalidInputError(
            f"AMI release {wanted} is not for Kubernetes {version}: give one such as {version}.3-20261101, or latest",
            key="release_version",
        )
    return wanted
