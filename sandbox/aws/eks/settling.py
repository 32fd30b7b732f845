"""How EKS's state progresses: from the agents' reports, towards what must run on this machine. No input or output."""

from dataclasses import dataclass

from sandbox.aws.eks import logs, machines
from sandbox.aws.eks.store import Cluster, Document, Eks, NodeGroup


@dataclass(frozen=True)
class Wanted:
    """What must run on this machine for one cluster: cluster.json, the nodes in nodes.json, or nothing any more."""

    name: str
    cluster: Document
    nodes: list[Document]
    deleting: bool


def observe(eks: Eks, observation: Document) -> None:
    """Take an agent's report, or the end of its cluster."""
    cluster = eks.clusters.get(observation["cluster"])
    if cluster is None:
        return
    if observation.get("gone"):
        if cluster.document["status"] == "DELETING":
            machines.delete_security_group(eks, cluster.document)
            logs.write(eks, cluster.document, last=True)
            del eks.clusters[cluster.name]
        return
    cluster.status, cluster.keys = observation["status"], observation["keys"]
    settle(eks)


def settle(eks: Eks) -> None:
    """Advance everything that waits for a report or for instances."""
    for cluster in eks.clusters.values():
        settle_cluster(cluster)
        if cluster.document["status"] == "ACTIVE":
            logs.write(eks, cluster.document)
        for group in list(cluster.nodegroups.values()):
            machines.keep_count(eks, cluster, group)
            settle_group(eks, cluster, group)


def wanted(eks: Eks) -> list[Wanted]:
    """What must run on this machine."""
    return [
        Wanted(
            cluster.name,
            _specification(eks, cluster),
            [n for g in cluster.nodegroups.values() for n in machines.nodes(eks, g)],
            deleting=cluster.document["status"] == "DELETING",
        )
        for cluster in eks.clusters.values()
    ]


def _specification(eks: Eks, cluster: Cluster) -> Document:
    document = cluster.document
    return {
        "name": cluster.name,
        "arn": document["arn"],
        "version": document["version"],
        "region": eks.region,
        "account": eks.account,
        "vpc_id": document["resourcesVpcConfig"]["vpcId"],
        "issuer": cluster.issuer,
        "aws_endpoint": eks.endpoint,
        "service_cidr": document["kubernetesNetworkConfig"]["serviceIpv4Cidr"],
        "deployer_arn": cluster.creator,
        "bootstrap_admin": cluster.bootstrap_admin,
    }


def settle_cluster(cluster: Cluster) -> None:
    """Give the cluster the endpoint and CA that its agent reports, and the status for the agent's phase."""
    document, report = cluster.document, cluster.status
    if report.get("phase") == "ACTIVE" and report.get("endpoint") and report.get("ca"):
        document["endpoint"] = report["endpoint"]
        document["certificateAuthority"] = {"data": report["ca"]}
    if document["status"] in {"CREATING", "FAILED"} and report.get("phase") in {"ACTIVE", "FAILED"}:
        document["status"] = report["phase"]
        failed = report["phase"] == "FAILED"
        issue = {"code": "Other", "message": report.get("message") or "see the agent's log", "resourceIds": []}
        document["health"] = {"issues": [issue] if failed else []}


def settle_group(eks: Eks, cluster: Cluster, group: NodeGroup) -> None:
    """Make a group ACTIVE when its nodes are ready, terminate what they replace, forget it after its last node."""
    ready = cluster.ready_nodes
    group.leaving = [name for name in group.leaving if name in ready]
    if group.status == "DELETING":
        if not group.leaving:
            del cluster.nodegroups[group.document["nodegroupName"]]
            machines.forget_role(cluster, group)
        return
    present = {machines.node_name(eks, instance) for instance in group.instances}
    if not present <= ready:
        return
    if group.retiring:
        machines.retire(eks, group)
    if group.leaving:
        return
    group.document["status"] = "ACTIVE"
    if group.update:
        cluster.updates[group.update]["status"] = "Successful"
        group.update = None
