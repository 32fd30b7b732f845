"""Managed node groups: create, describe, list, change, delete."""

from moto.moto_api._internal import mock_random

from sandbox.aws.eks import access, machines
from sandbox.aws.eks.catalog import check_version, minor, node_release
from sandbox.aws.eks.clusters import check_role
from sandbox.aws.eks.errors import (
    InvalidParameterError,
    InvalidRequestError,
    ResourceInUseError,
)
from sandbox.aws.eks.settling import settle
from sandbox.aws.eks.store import Cluster, Document, Eks, NodeGroup, Request, page, record_update, timestamp


def create_nodegroup(eks: Eks, request: Request) -> Document:
    """CreateNodegroup: creates the instances at once; ACTIVE when the agent reports their nodes as ready."""
    cluster = eks.active(request["clusterName"])
    name = request["nodegroupName"]
    if existing := cluster.nodegroups.get(name):
        taken = f"NodeGroup already exists with name {name} and cluster name {cluster.name}"
        request.must_repeat(existing.token, taken)
        return {"nodegroup": existing.document}
    check_role(eks, request["nodeRole"], "ec2.amazonaws.com", "nodeRole")
    check_subnets(eks, cluster, request["subnets"])
    version, release = versions(cluster, request)
    template = resolve_template(eks, request.get("launchTemplate"))
    group_id = str(mock_random.uuid4())
    scaling = {"minSize": 1, "maxSize": 2, "desiredSize": 2, **request.get("scalingConfig", {})}
    check_scaling(scaling)
    check_template(request, machines.launch_template_data(eks, {"launchTemplate": template}))
    document: Document = {
        "nodegroupName": name,
        "nodegroupArn": eks.arn("nodegroup", cluster.name, name, group_id),
        "clusterName": cluster.name,
        "version": version,
        "releaseVersion": release,
        "createdAt": timestamp(),
        "modifiedAt": timestamp(),
        "status": "CREATING",
        "capacityType": request.get("capacityType", "ON_DEMAND"),
        "scalingConfig": scaling,
        "instanceTypes": request.get("instanceTypes") or ([] if template else ["t3.medium"]),
        "subnets": request["subnets"],
        "amiType": request.get("amiType", "AL2023_x86_64_STANDARD"),
        "nodeRole": request["nodeRole"],
        "labels": request.get("labels", {}),
        "taints": request.get("taints", []),
        "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{group_id}"}]},
        "health": {"issues": []},
        "updateConfig": request.get("updateConfig") or {"maxUnavailable": 1},
        "nodeRepairConfig": request.get("nodeRepairConfig") or {"enabled": False},
        "tags": request.get("tags", {}),
    }
    if template:
        document["launchTemplate"] = template
    else:
        document["diskSize"] = request.get("diskSize", 20)
    group = NodeGroup(document, token=request.get("clientRequestToken"))
    access.admit_nodes(eks, cluster, request["nodeRole"])
    cluster.nodegroups[name] = group
    settle(eks)
    return {"nodegroup": document}


def versions(cluster: Cluster, request: Request) -> tuple[str, str]:
    """A request's Kubernetes version and image release; by default the cluster's version and the newest release.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html
    """
    current = cluster.document["version"]
    version = check_version(request.get("version", current))
    if minor(version) > minor(current):
        raise InvalidParameterError(
            f"Nodegroup kubernetes version {version} is newer than the cluster's, which is {current}"
        )
    release = request.get("releaseVersion", node_release(version))
    if not release.startswith(f"{version}."):
        raise InvalidParameterError(
            f"Requested release version {release} is not valid for kubernetes version {version}."
        )
    return version, release


def check_subnets(eks: Eks, cluster: Cluster, ids: list[str]) -> None:
    """The subnets, which must exist in the cluster's VPC."""
    found = {s.id: s for s in machines.ec2(eks).describe_subnets()}
    for subnet_id in ids:
        if subnet_id not in found:
            raise InvalidParameterError(f"The subnet ID '{subnet_id}' does not exist")
        if found[subnet_id].vpc_id != cluster.document["resourcesVpcConfig"]["vpcId"]:
            raise InvalidParameterError(f"Subnet {subnet_id} is not in the VPC of cluster {cluster.name}")


def check_scaling(scaling: Document) -> None:
    """0 <= minSize <= desiredSize <= maxSize, and maxSize at least 1."""
    low, desired, high = scaling["minSize"], scaling["desiredSize"], scaling["maxSize"]
    if not 0 <= low <= desired <= high:
        raise InvalidParameterError(
            f"desired capacity {desired} must be between minimum {low} and maximum {high}: change scalingConfig"
        )
    if high < 1:
        raise InvalidParameterError("maxSize must be at least 1")


def check_template(request: Request, data: Document) -> None:
    """What a launch template must not contain, and what must not be given together with one."""
    if not data:
        return
    if request.get("diskSize"):
        raise InvalidParameterError("Disk size must be specified within the launch template.")
    if request.get("remoteAccess"):
        raise InvalidParameterError("Remote access configuration cannot be specified with a launch template.")
    if data.get("InstanceType") and request.get("instanceTypes"):
        raise InvalidParameterError("Instance types cannot be specified in both the node group and its launch template")
    if any(i.get("SubnetId") for i in data.get("NetworkInterfaces") or []):
        raise InvalidParameterError("Launch template should not specify a subnet")
    if (data.get("IamInstanceProfile") or {}) != {}:
        raise InvalidParameterError(
            "Launch template should not specify an instance profile. The noderole in the node"
            " group will be used instead"
        )
    if data.get("SecurityGroupIds") and any(i.get("Groups") for i in data.get("NetworkInterfaces") or []):
        raise InvalidParameterError(
            "give security groups in the launch template's interfaces or in the template, not in both"
        )


def resolve_template(eks: Eks, wanted: Document | None) -> Document | None:
    """The launch template with both its id and its name, and a version number."""
    if not wanted:
        return None
    try:
        names = {"template_ids": [wanted["id"]]} if wanted.get("id") else {"template_names": [wanted["name"]]}
        template = machines.ec2(eks).describe_launch_templates(**names)[0]
        version = template.get_version(wanted.get("version") or "$Default")
    except Exception as error:
        raise InvalidRequestError(f"Couldn't find launch template {wanted.get('id') or wanted.get('name')}") from error
    return {"id": template.id, "name": template.name, "version": str(version.number)}


def find(eks: Eks, request: Request) -> tuple[Cluster, NodeGroup]:
    """The group that a request names."""
    return eks.part(request, "nodegroupName", lambda cluster: cluster.nodegroups, "No node group found for name: {}.")


def describe_nodegroup(eks: Eks, request: Request) -> Document:
    """DescribeNodegroup."""
    return {"nodegroup": find(eks, request)[1].document}


def list_nodegroups(eks: Eks, request: Request) -> Document:
    """ListNodegroups."""
    return page("nodegroups", sorted(eks.cluster(request["clusterName"]).nodegroups), request)


def changeable(eks: Eks, request: Request) -> tuple[Cluster, NodeGroup]:
    """The group, if no other update is running."""
    cluster, group = find(eks, request)
    if group.status != "ACTIVE":
        raise ResourceInUseError(
            f"Nodegroup {group.document['nodegroupName']} is {group.status}: it can be changed when it is ACTIVE"
        )
    return cluster, group


def update_nodegroup_config(eks: Eks, request: Request) -> Document:
    """UpdateNodegroupConfig: labels, taints, and the number of nodes."""
    cluster, group = changeable(eks, request)
    document = group.document
    changes: Document = {}
    if wanted := request.get("scalingConfig"):
        scaling = {**document["scalingConfig"], **wanted}
        check_scaling(scaling)
        document["scalingConfig"] = scaling
        changes |= {"MinSize": scaling["minSize"], "MaxSize": scaling["maxSize"], "DesiredSize": scaling["desiredSize"]}
    if wanted := request.get("labels"):
        kept = {k: v for k, v in document["labels"].items() if k not in (wanted.get("removeLabels") or [])}
        document["labels"] = kept | (wanted.get("addOrUpdateLabels") or {})
        changes["LabelsToAdd"] = document["labels"]
    if wanted := request.get("taints"):
        document["taints"] = merge_taints(document["taints"], wanted)
        changes["TaintsToAdd"] = document["taints"]
    for name, parameter in (("updateConfig", "MaxUnavailable"), ("nodeRepairConfig", "NodeRepairEnabled")):
        if request.get(name):
            document[name] = request[name]
            changes[parameter] = request[name]
    return begin(eks, cluster, group, "ConfigUpdate", changes)


def merge_taints(taints: list[Document], wanted: Document) -> list[Document]:
    """Taints after an update; key and effect identify a taint. Pure."""
    identity = lambda taint: (taint["key"], taint["effect"])  # noqa: E731 - said once, used four times below
    merged = {identity(t): t for t in taints}
    for taint in wanted.get("removeTaints") or []:
        merged.pop(identity(taint), None)
    merged |= {identity(t): t for t in wanted.get("addOrUpdateTaints") or []}
    return list(merged.values())


def update_nodegroup_version(eks: Eks, request: Request) -> Document:
    """UpdateNodegroupVersion: creates new instances first; the old ones are terminated when those are ready."""
    cluster, group = changeable(eks, request)
    version, release = versions(cluster, request)
    if minor(version) < minor(group.document["version"]):
        raise InvalidParameterError(f"Nodegroup kubernetes version {version} is older than its current version")
    if wanted := request.get("launchTemplate"):
        current = group.document.get("launchTemplate")
        template = resolve_template(eks, wanted)
        if not current or not template or current["id"] != template["id"]:
            raise InvalidParameterError(
                "a node group keeps its launch template; only the template's version can change"
            )
        group.document["launchTemplate"] = template
    group.document["version"], group.document["releaseVersion"] = version, release
    group.retiring = list(group.instances)
    return begin(eks, cluster, group, "VersionUpdate", {"Version": version, "ReleaseVersion": release})


def begin(eks: Eks, cluster: Cluster, group: NodeGroup, kind: str, changes: Document) -> Document:
    """Set a group to UPDATING and apply its document."""
    update = record_update(cluster, kind, changes, done=False, subject=group.document["nodegroupName"])
    group.document["status"] = "UPDATING"
    group.document["modifiedAt"] = timestamp()
    group.update = update["id"]
    settle(eks)
    return {"update": update}


def delete_nodegroup(eks: Eks, request: Request) -> Document:
    """DeleteNodegroup: terminates its instances; complete when their nodes are gone."""
    _, group = find(eks, request)
    group.document["status"] = "DELETING"
    machines.terminate(eks, group, list(group.instances))
    answer = {"nodegroup": dict(group.document)}
    settle(eks)
    return answer
