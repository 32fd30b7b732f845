"""Nodes: launch templates, disks, images and open ports."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from kinds.aws import INGRESS_RULES, MACHINE, NODE_GROUP
from kinds.cidrs import WIDEST, is_world
from pack.controls import INSTANCE_PROFILE, cis, guide, hub
from pack.properties import Edit
from pack.registry import MEDIUM, Messages, View, number, numbers, rule, texts
from pack.values import Unknown, count, dig, items, known, truth

_ALL_PROTOCOLS = ("-1", "-1.0", "all")
_TCP = ("tcp", "6", "6.0")
_UDP = ("udp", "17", "17.0")

_on_machine = partial(rule, on=MACHINE)
_on_node_group = partial(rule, on=NODE_GROUP)


@_on_machine(
    instead='Set metadataOptions.httpTokens to "required"',
    source="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
    controls=[hub("EC2.8"), hub("EC2.170"), hub("AutoScaling.3")],
)
def instance_metadata_needs_a_token(machine: View) -> Messages:
    """The instance metadata service requires a session token (IMDSv2).

    Without it, one forged HTTP request from a pod is enough to read the node role's credentials.
    """
    if machine.tokens is None and _inherits(machine):
        return
    if machine.metadata_service != "disabled" and machine.tokens != "required":
        yield f"httpTokens is {machine.tokens or 'left to the default'}"


instance_metadata_needs_a_token.sets("tokens", "required")


@_on_machine(
    instead="Set metadataOptions.httpPutResponseHopLimit to 1",
    controls=[INSTANCE_PROFILE],
    max_hops=number(1, "the largest hop limit allowed"),
)
def instance_metadata_stays_on_the_node(machine: View, *, max_hops: float) -> Messages:
    """The instance metadata service cannot be reached from pods: hop limit 1.

    A pod is one hop further away than the node: with 2, every pod can use the node's role instead of its own. Without a
    limit the image decides, and EKS's own images say 2.
    """
    if machine.metadata_service == "disabled":
        return
    if machine.hop_limit is None and _inherits(machine):
        return
    if machine.hop_limit is None:
        yield "httpPutResponseHopLimit is left to the image"
    elif machine.hop_limit > max_hops:
        yield f"httpPutResponseHopLimit is {machine.hop_limit:g}"


@instance_metadata_stays_on_the_node.remedy
def _fix_instance_metadata_stays_on_the_node(machine: View, *, max_hops: float) -> Iterable[Edit]:
    yield machine.put("hop_limit", max_hops)


@_on_node_group(
    instead="Give launchTemplate, with IMDSv2, hop limit 1 and encrypted disks",
    source="https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html",
    severity=MEDIUM,
    controls=[INSTANCE_PROFILE],
)
def node_group_brings_its_launch_template(group: View) -> Messages:
    """A managed node group uses a launch template of the program's own.

    EKS's own template has hop limit 2, and no rule can see it.
    """
    if group.launch_template is None:
        yield "there is no launchTemplate, so EKS creates one with hop limit 2"


@_on_machine(
    instead="Give each block device mapping an ebs with encrypted true",
    source="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
    severity=MEDIUM,
    controls=[hub("EC2.3"), guide("security/data", "Encrypt data at rest")],
)
def node_disks_are_encrypted(machine: View) -> Messages:
    """Every disk of a node is encrypted.

    They hold images, logs and emptyDir volumes. Without a setting the account's default decides, which the program does
    not see.
    """
    disks = list(_disks(machine))
    if not disks and not _inherits(machine):
        yield "no block device is described, so the account's default decides about encryption"
    for device, disk, _ in disks:
        if not truth(dig(disk, ["encrypted"])):
            yield f"the disk {device} is not encrypted"


def _inherits(machine: View) -> bool:
    """Say whether an instance gets the rest from a launch template, which is checked where it is declared."""
    return machine.has("template") and machine.template is not None


def _disks(machine: View) -> Iterator[tuple[Any, Any, tuple[str | int, ...]]]:
    """Yield device name, disk and path of each disk."""
    at = tuple(machine.field("disks").path)
    for index, mapping in enumerate(items(machine.disks)):
        disk = dig(mapping, ["ebs"])
        nested = disk is not None
        if nested or machine.has("root_disk"):
            yield dig(mapping, ["deviceName"]), disk if nested else mapping, (*at, index, *(["ebs"] if nested else []))
    if machine.has("root_disk") and machine.root_disk is not None:
        yield "rootBlockDevice", machine.root_disk, machine.field("root_disk").path


@node_disks_are_encrypted.remedy
def _fix_node_disks_are_encrypted(machine: View) -> Iterable[Edit]:
    # the bridged launch template types this switch as a string
    on = "true" if machine.type == "aws:ec2/launchTemplate:LaunchTemplate" else True
    for _, disk, path in _disks(machine):
        if not truth(dig(disk, ["encrypted"])):
            yield Edit((*path, "encrypted"), on)


@_on_machine(
    instead="Leave associatePublicIpAddress out or set it to false",
    controls=[hub("EC2.25"), hub("EC2.9"), hub("Autoscaling.5"), cis("5.4.3")],
)
def nodes_get_no_public_address(machine: View) -> Messages:
    """No node has a public address.

    Load balancers reach pods inside the VPC. Whatever else a node listens on should not be public.
    """
    if machine.has("public_address") and machine.public_address:
        yield "associatePublicIpAddress is on"
    for interface in items(machine.interfaces) if machine.has("interfaces") else []:
        if truth(dig(interface, ["associatePublicIpAddress"])):
            yield "a network interface has associatePublicIpAddress"


@nodes_get_no_public_address.remedy
def _fix_nodes_get_no_public_address(machine: View) -> Iterable[Edit]:
    if machine.has("public_address"):
        yield machine.put("public_address", value=False)
        return
    off = "false" if machine.type == "aws:ec2/launchTemplate:LaunchTemplate" else False
    for index, interface in enumerate(items(machine.interfaces)):
        if truth(dig(interface, ["associatePublicIpAddress"])):
            yield Edit((*machine.field("interfaces").path, index, "associatePublicIpAddress"), off)


@_on_node_group(
    instead="Set amiType to AL2023 or Bottlerocket",
    source="https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-amis.html",
    severity=MEDIUM,
    controls=[guide("security/hosts", "Use an OS optimized for running containers")],
    families=texts(
        [
            "AL2023_x86_64_STANDARD",
            "AL2023_ARM_64_STANDARD",
            "BOTTLEROCKET_x86_64",
            "BOTTLEROCKET_ARM_64",
            "BOTTLEROCKET_x86_64_FIPS",
            "BOTTLEROCKET_ARM_64_FIPS",
            "AL2023_x86_64_NEURON",
            "AL2023_x86_64_NVIDIA",
            "AL2023_ARM_64_NVIDIA",
            "BOTTLEROCKET_x86_64_NVIDIA",
            "BOTTLEROCKET_ARM_64_NVIDIA",
            "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
            "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
        ],
        "the values of amiType allowed",
    ),
)
def node_image_family_is_allowed(group: View, *, families: list[str]) -> Messages:
    """Nodes run an image family for containers that gets updates.

    Amazon Linux 2 gets no more EKS images, and nobody updates a custom image. EKS's default is AL2023.
    """
    if group.ami_family is not None and group.ami_family not in families:
        yield f"amiType is {group.ami_family}"


@rule(
    on=INGRESS_RULES,
    instead="Use Session Manager, or name the networks or the security group that may come in",
    source="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-53",
    controls=[hub("EC2.13"), hub("EC2.14"), hub("EC2.53"), guide("security/hosts", "Minimize access to worker nodes")],
    ports=numbers([22, 3389, 10250], "the ports of remote administration and of the kubelet"),
    port_ranges=texts(["30000-32767"], "ranges of ports, FROM-TO, of which none may be open, by TCP or UDP"),
    **WIDEST,
)
def node_doors_are_not_open_to_the_world(
    group: View, *, ports: list[float], port_ranges: list[str], **widest: float
) -> Messages:
    """No security group lets the internet into ports of remote administration, the kubelet or node ports.

    An open SSH port is found and tried within minutes. The kubelet runs commands in pods, and node ports bypass the
    load balancer.
    """
    for ingress in group.rules or []:
        networks = known(ingress["networks"])
        open_to = [network for network in networks if is_world(network, **widest)]
        if open_to and ingress["type"] != "egress":
            for port in ports:
                if _covers(ingress, port, port, _TCP):
                    yield f"port {port:g} is open to {open_to[0]}"
            for span in port_ranges:
                low, _, high = span.partition("-")
                if low.isdecimal() and high.isdecimal() and _covers(ingress, int(low), int(high), (*_TCP, *_UDP)):
                    yield f"ports of {span} are open to {open_to[0]}"


def _covers(ingress: dict[str, Any], first: float, last: float, protocols: Iterable[str]) -> bool:
    """Say whether an ingress rule allows any port of a range."""
    protocol = ingress["protocol"]
    if isinstance(protocol, Unknown) or str(protocol).lower() in _ALL_PROTOCOLS:
        return bool(protocol)
    if str(protocol).lower() not in protocols:
        return False
    low, high = count(ingress["from"]), count(ingress["to"])
    return low is not None and low <= last and first <= (low if high is None else high)


@_on_node_group(
    instead="Leave remoteAccess out (use Session Manager), or name the groups that may connect",
    source="https://docs.aws.amazon.com/eks/latest/APIReference/API_RemoteAccessConfig.html",
    controls=[hub("EC2.13"), guide("security/hosts", "Minimize access to worker nodes")],
    min_sources=number(1, "how many source security groups a key needs"),
)
def node_group_ssh_names_its_sources(group: View, *, min_sources: float) -> Messages:
    """SSH to managed nodes, if at all, comes from named security groups.

    A key without source groups makes EKS open port 22 of the nodes to 0.0.0.0/0.
    """
    if group.ssh_key and len(items(group.ssh_sources)) < min_sources:
        yield "remoteAccess has a key and no source security groups, so EKS opens port 22 to 0.0.0.0/0"
