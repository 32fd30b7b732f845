"""What EKS creates in EC2: the cluster's security group, and the instances of node groups."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections.dependencies import check_unused
from sandbox.aws.eks.catalog import NODE_IMAGE
from sandbox.aws.eks.store import Cluster, Document, Eks, NodeGroup
from sandbox.aws.refusal import Refusal

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
_GONE = {"shutting-down", "terminated"}


def ec2(eks: Eks) -> Any:
    """Moto's EC2 of the sandbox's region."""
    return ec2_backends[eks.account][eks.region]


def create_security_group(eks: Eks, name: str, vpc_id: str) -> str:
    """The group that EKS creates for every cluster; nodes without their own launch template carry it."""
    group_name = f"eks-cluster-sg-{name}-{mock_random.randint(10**8, 10**10)}"
    description = (
        "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes,"
        " as well as any managed workloads."
    )
    tags = {"Name": group_name, f"kubernetes.io/cluster/{name}": "owned", "aws:eks:cluster-name": name}
    group = ec2(eks).create_security_group(group_name, description, vpc_id, tags=tags)
    ec2(eks).authorize_security_group_ingress(
        group.id, "-1", None, None, [], source_groups=[{"GroupId": group.id, "UserId": eks.account}], vpc_id=vpc_id
    )
    return group.id


def delete_security_group(eks: Eks, cluster: Document) -> None:
    """Remove the cluster's group with the cluster; like EKS, keep it if something still uses it."""
    group_id = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    group = ec2(eks).get_security_group_from_id(group_id)
    if group is None:
        return
    try:
        check_unused(ec2(eks), group)
    except Refusal:
        return
    ec2(eks).delete_security_group(group_id=group_id)


def launch(eks: Eks, cluster: Cluster, group: NodeGroup) -> None:
    """Add one instance, in the group's subnet with the fewest."""
    document = group.document
    counts = dict.fromkeys(document["subnets"], 0)
    for instance_id in group.instances:
        counts[instance(eks, instance_id).subnet_id] += 1
    subnet_id = min(counts, key=lambda subnet: counts[subnet])
    template = launch_template_data(eks, document)
    options = instance_options(cluster.document, document, template, subnet_id)
    reservation = ec2(eks).run_instances(region_name=eks.region, count=1, security_group_names=[], **options)
    made = reservation.instances[0]
    made.architecture = "arm64" if "ARM_64" in document["amiType"] else "x86_64"
    group.instances.append(made.id)


def instance_options(cluster: Document, group: Document, template: Document, subnet_id: str) -> Document:
    """The parameters of RunInstances: the launch template's, and EKS's additions. Pure.

    If the template has no security groups, a node carries the cluster's.
    """
    interfaces = template.get("NetworkInterfaces") or [{}]
    security_groups = interfaces[0].get("Groups") or template.get("SecurityGroupIds") or []
    tags = {kind: dict[str, str]() for kind in ("instance", "volume", "network-interface")}
    for specification in template.get("TagSpecifications") or []:
        entries = specification.get("Tags") or specification.get("Tag") or []
        tags.setdefault(specification["ResourceType"], {}).update({t["Key"]: t["Value"] for t in entries})
    name, group_name = cluster["name"], group["nodegroupName"]
    tags["instance"] |= {
        "eks:cluster-name": name,
        "eks:nodegroup-name": group_name,
        f"kubernetes.io/cluster/{name}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{name}": "owned",
        "aws:autoscaling:groupName": group["resources"]["autoScalingGroups"][0]["name"],
    }
    interface = {
        "DeviceIndex": 0,
        "SubnetId": subnet_id,
        "DeleteOnTermination": True,
        "Groups": security_groups or [cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]],
        "Description": f"Primary network interface of a node of {name}/{group_name}",
    }
    if interfaces[0].get("AssociatePublicIpAddress") is not None:
        interface["AssociatePublicIpAddress"] = interfaces[0]["AssociatePublicIpAddress"]
    return {
        "image_id": template.get("ImageId") or NODE_IMAGE,
        "user_data": template.get("UserData"),
        "instance_type": template.get("InstanceType") or group["instanceTypes"][0],
        "is_instance_type_default": False,
        "nics": [interface],
        "associate_public_ip": None,
        "key_name": template.get("KeyName"),
        "metadata_options": template.get("MetadataOptions") or {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "monitoring_state": "enabled" if (template.get("Monitoring") or {}).get("Enabled") else "disabled",
        "block_device_mappings": block_devices(group, template),
        "tags": tags,
        "lifecycle": "spot" if group.get("capacityType") == "SPOT" else None,
    }


def block_devices(group: Document, template: Document) -> list[Document]:
    """The root volume and the template's others; all of them are deleted with the instance."""
    given: list[Document] = template.get("BlockDeviceMappings") or [{"DeviceName": "/dev/xvda", "Ebs": {}}]
    size = group.get("diskSize") or 20
    return [
        {
            "DeviceName": device["DeviceName"],
            "Ebs": {
                "VolumeSize": size,
                "VolumeType": "gp3",
                "DeleteOnTermination": True,
                **{k: v for k, v in (device.get("Ebs") or {}).items() if v is not None},
            },
        }
        for device in given
    ]


def launch_template_data(eks: Eks, group: Document) -> Document:
    """The data of the group's launch template in its version; empty without one."""
    wanted = group.get("launchTemplate")
    if not wanted:
        return {}
    template = ec2(eks).describe_launch_templates(template_ids=[wanted["id"]])[0]
    return template.get_version(wanted["version"]).data


def instance(eks: Eks, instance_id: str) -> Any:
    """Moto's instance with that id."""
    return ec2(eks).get_instance(instance_id)


def node_name(eks: Eks, instance_id: str) -> str:
    """The name of an instance's node: its private DNS name."""
    return instance(eks, instance_id).private_dns_name


def terminate(eks: Eks, group: NodeGroup, instance_ids: list[str]) -> None:
    """Terminate instances, and remember their nodes until these are gone too."""
    for instance_id in instance_ids:
        machine = instance(eks, instance_id)
        group.leaving.append(machine.private_dns_name)
        if machine.state not in _GONE:
            ec2(eks).terminate_instances([instance_id])
    if instance_ids:
        elbv2_backends[eks.account][eks.region].notify_terminate_instances(instance_ids)
    group.instances = [i for i in group.instances if i not in instance_ids]
    group.retiring = [i for i in group.retiring if i not in instance_ids]


def retire(eks: Eks, group: NodeGroup) -> None:
    """Terminate the instances whose replacements are ready."""
    terminate(eks, group, list(group.retiring))


def keep_count(eks: Eks, cluster: Cluster, group: NodeGroup) -> None:
    """The work of a node group's autoscaling group: keep the desired number of running instances."""
    if group.status == "DELETING":
        return
    lost = [i for i in group.instances if instance(eks, i).state in _GONE]
    terminate(eks, group, lost)
    current = [i for i in group.instances if i not in group.retiring]
    desired = group.document["scalingConfig"]["desiredSize"]
    for _ in range(desired - len(current)):
        launch(eks, cluster, group)
    terminate(eks, group, surplus(eks, group, len(current) - desired))


def surplus(eks: Eks, group: NodeGroup, count: int) -> list[str]:
    """The instances to remove when a group shrinks: from the subnet with the most, newest first."""
    left = [i for i in group.instances if i not in group.retiring]
    going: list[str] = []
    for _ in range(max(count, 0)):
        subnets = [instance(eks, i).subnet_id for i in left]
        fullest = max(group.document["subnets"], key=subnets.count)
        victim = next(i for i in reversed(left) if instance(eks, i).subnet_id == fullest)
        left.remove(victim)
        going.append(victim)
    return going


def forget_role(cluster: Cluster, group: NodeGroup) -> None:
    """When a node role's last group is deleted, EKS removes the access entry that it created."""
    role = group.document["nodeRole"]
    entry = cluster.entries.get(role)
    if entry and entry.get("managed") and all(g.document["nodeRole"] != role for g in cluster.nodegroups.values()):
        del cluster.entries[role]


def nodes(eks: Eks, group: NodeGroup) -> list[Document]:
    """The group's part of nodes.json."""
    if group.status == "DELETING":
        return []
    return [node(eks, group.document, instance(eks, i)) for i in group.instances]


def node(eks: Eks, group: Document, machine: Any) -> Document:
    """One node of nodes.json."""
    name, zone = machine.private_dns_name, machine.placement.zone
    labels = {
        **group["labels"],
        "eks.amazonaws.com/nodegroup": group["nodegroupName"],
        "eks.amazonaws.com/capacityType": group["capacityType"],
        "eks.amazonaws.com/nodegroup-image": machine.image_id,
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": eks.region,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "failure-domain.beta.kubernetes.io/region": eks.region,
        "node.kubernetes.io/instance-type": machine.instance_type,
        "beta.kubernetes.io/instance-type": machine.instance_type,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64" if machine.architecture == "arm64" else "amd64",
    }
    return {
        "name": name,
        "provider_id": f"aws:///{zone}/{machine.id}",
        "instance_id": machine.id,
        "address": machine.private_ip,
        "zone": zone,
        "subnet_id": machine.subnet_id,
        "eni_id": machine.nics[0].id,
        "instance_type": machine.instance_type,
        "nodegroup": group["nodegroupName"],
        "labels": labels,
        "taints": [
            {"key": t["key"], "value": t.get("value", ""), "effect": _EFFECTS[t["effect"]]} for t in group["taints"]
        ],
    }
