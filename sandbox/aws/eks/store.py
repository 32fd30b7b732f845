"""What EKS holds, and how what agents report moves it on. No input or output."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.moto_api._internal import mock_random

from sandbox.aws.determinism import utcnow
from sandbox.aws.eks import logs, machines
from sandbox.aws.eks.errors import InvalidRequestError, ResourceNotFoundError
from sandbox.aws.identities.identity import Caller

Document = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """One call to EKS: its parameters as botocore's model names them, and who makes it."""

    action: str
    parameters: Document
    caller: Caller

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or `default` if it is absent or null."""
        value = self.parameters.get(name)
        return default if value is None else value


@dataclass
class NodeGroup:
    """One managed node group; `document` as DescribeNodegroup gives it."""

    document: Document
    instances: list[str] = field(default_factory=list[str])
    retiring: list[str] = field(default_factory=list[str])
    """Instances of an older version: they go once their successors are ready."""
    leaving: list[str] = field(default_factory=list[str])
    """Names of nodes whose instances are gone: the group is gone when they are."""
    update: str | None = None
    token: str | None = None

    @property
    def status(self) -> str:
        """CREATING, ACTIVE, UPDATING, DELETING."""
        return self.document["status"]


@dataclass
class Cluster:
    """One cluster; `document` as DescribeCluster gives it."""

    document: Document
    creator: str
    bootstrap_admin: bool
    token: str | None = None
    status: Document = field(default_factory=dict[str, Any])
    """The agent's last report."""
    keys: str | None = None
    """The public keys of its service account tokens, PEM."""
    nodegroups: dict[str, NodeGroup] = field(default_factory=dict[str, NodeGroup])
    addons: dict[str, Document] = field(default_factory=dict[str, Document])
    entries: dict[str, Document] = field(default_factory=dict[str, Document])
    """Access entries by principal ARN."""
    policies: dict[tuple[str, str], Document] = field(default_factory=dict[tuple[str, str], Document])
    """Access policies by principal and policy ARN."""
    associations: dict[str, Document] = field(default_factory=dict[str, Document])
    """Pod Identity associations by id."""
    updates: dict[str, Document] = field(default_factory=dict[str, Document])

    @property
    def name(self) -> str:
        """Its name."""
        return self.document["name"]

    @property
    def issuer(self) -> str:
        """The URL that its service account tokens carry as `iss`."""
        return self.document["identity"]["oidc"]["issuer"]

    @property
    def ready_nodes(self) -> set[str]:
        """The names of the nodes that its agent reports as ready."""
        return set(self.status.get("ready_nodes") or [])


@dataclass(frozen=True)
class Wanted:
    """What shall stand on the machine for one cluster: cluster.json, the nodes of nodes.json, or its end."""

    name: str
    cluster: Document
    nodes: list[Document]
    deleting: bool


@dataclass
class Eks:
    """All clusters of the account in the sandbox's region."""

    region: str
    account: str
    partition: str
    endpoint: str
    clusters: dict[str, Cluster] = field(default_factory=dict[str, Cluster])

    def arn(self, kind: str, *path: str) -> str:
        """`arn:aws:eks:REGION:ACCOUNT:kind/path...`."""
        return f"arn:{self.partition}:eks:{self.region}:{self.account}:{'/'.join((kind, *path))}"

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name.

        Raises:
            ResourceNotFoundError: there is none.
        """
        if name not in self.clusters:
            raise ResourceNotFoundError(f"No cluster found for name: {name}.")
        return self.clusters[name]

    def active(self, name: str) -> Cluster:
        """The cluster of that name, if it can be changed now.

        Raises:
            ResourceNotFoundError: there is none.
            InvalidRequestError: it is not ACTIVE.
        """
        cluster = self.cluster(name)
        if cluster.document["status"] != "ACTIVE":
            raise InvalidRequestError(f"Cluster '{name}' is not in ACTIVE status")
        return cluster

    def knows(self, observation: Document) -> bool:
        """Whether an observation says nothing new."""
        cluster = self.clusters[observation["cluster"]]
        return (cluster.status, cluster.keys) == (observation["status"], observation["keys"])

    def observe(self, observation: Document) -> None:
        """Take in what an agent reports, or that its cluster is gone."""
        cluster = self.clusters.get(observation["cluster"])
        if cluster is None:
            return
        if observation.get("gone"):
            if cluster.document["status"] == "DELETING":
                machines.delete_security_group(self, cluster.document)
                logs.write(self, cluster.document, last=True)
                del self.clusters[cluster.name]
            return
        cluster.status, cluster.keys = observation["status"], observation["keys"]
        self.settle()

    def settle(self) -> None:
        """Move everything on that waits for a report or for instances."""
        for cluster in self.clusters.values():
            settle_cluster(cluster)
            if cluster.document["status"] == "ACTIVE":
                logs.write(self, cluster.document)
            for group in list(cluster.nodegroups.values()):
                machines.keep_count(self, cluster, group)
                settle_group(self, cluster, group)

    def public_keys(self, issuer: str) -> str | None:
        """The keys of the cluster with that issuer; None if there is none, or it has not made them yet."""
        return next((c.keys for c in self.clusters.values() if c.issuer == issuer), None)

    def wanted(self) -> list[Wanted]:
        """What shall stand on the machine."""
        return [
            Wanted(
                cluster.name,
                self._specification(cluster),
                [n for g in cluster.nodegroups.values() for n in machines.nodes(self, g)],
                deleting=cluster.document["status"] == "DELETING",
            )
            for cluster in self.clusters.values()
        ]

    def _specification(self, cluster: Cluster) -> Document:
        document = cluster.document
        return {
            "name": cluster.name,
            "arn": document["arn"],
            "version": document["version"],
            "region": self.region,
            "account": self.account,
            "vpc_id": document["resourcesVpcConfig"]["vpcId"],
            "issuer": cluster.issuer,
            "aws_endpoint": self.endpoint,
            "service_cidr": document["kubernetesNetworkConfig"]["serviceIpv4Cidr"],
            "deployer_arn": cluster.creator,
            "bootstrap_admin": cluster.bootstrap_admin,
        }


def settle_cluster(cluster: Cluster) -> None:
    """Give the cluster its endpoint and CA once its agent names them, and the status that the agent's phase means."""
    document, report = cluster.document, cluster.status
    if report.get("endpoint") and report.get("ca"):
        document["endpoint"] = report["endpoint"]
        document["certificateAuthority"] = {"data": report["ca"]}
    if document["status"] in {"CREATING", "FAILED"} and report.get("phase") in {"ACTIVE", "FAILED"}:
        document["status"] = report["phase"]
        failed = report["phase"] == "FAILED"
        issue = {"code": "Other", "message": report.get("message") or "see the agent's log", "resourceIds": []}
        document["health"] = {"issues": [issue] if failed else []}


def settle_group(eks: Eks, cluster: Cluster, group: NodeGroup) -> None:
    """Make a group ACTIVE when its nodes are ready, end what they replace, forget it when its last node has gone."""
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


def record_update(
    cluster: Cluster, kind: str, parameters: dict[str, Any], *, done: bool, subject: str = ""
) -> Document:
    """Begin an update that DescribeUpdate can be asked about.

    Args:
        cluster: whose.
        kind: VersionUpdate, EndpointAccessUpdate, LoggingUpdate, ConfigUpdate, AccessConfigUpdate, ...
        parameters: what it changes, by EKS's parameter type.
        done: whether it is complete at once.
        subject: the node group's or add-on's name, if it is one's.
    """
    update: Document = {
        "id": str(mock_random.uuid4()),
        "status": "Successful" if done else "InProgress",
        "type": kind,
        "params": [{"type": key, "value": str(value)} for key, value in parameters.items()],
        "createdAt": timestamp(),
        "errors": [],
        "subject": subject,
    }
    cluster.updates[update["id"]] = update
    return update


def timestamp() -> datetime:
    """Now, as documents carry it."""
    return utcnow()


def page(key: str, items: list[Any], request: Request) -> Document:
    """One page of `items` and the token of the next; a token is the index that the next page begins at."""
    start = int(request.get("nextToken") or 0)
    size = int(request.get("maxResults") or 100)
    rest = start + size < len(items)
    return {key: items[start : start + size], "nextToken": str(start + size) if rest else None}
