"""EKS's state, as plain data; `settling` decides how it progresses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from moto.moto_api._internal import mock_random

from sandbox.aws.determinism import utcnow
from sandbox.aws.eks.errors import InvalidRequestError, ResourceInUseError, ResourceNotFoundError
from sandbox.aws.identities.identity import Caller

Document = dict[str, Any]
Part = TypeVar("Part")


@dataclass(frozen=True)
class Request:
    """One call to EKS: its parameters as botocore's model names them, and the caller."""

    action: str
    parameters: Document
    caller: Caller

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or `default` if it is absent or null."""
        value = self.parameters.get(name)
        return default if value is None else value

    def must_repeat(self, token: str | None, taken: str) -> None:
        """Check that this is the request with that token again, whose answer was lost.

        Raises:
            ResourceInUseError: it is another one; `taken` is the message.
        """
        if not token or token != self.get("clientRequestToken"):
            raise ResourceInUseError(taken)


@dataclass
class NodeGroup:
    """One managed node group; `document` is what DescribeNodegroup returns."""

    document: Document
    instances: list[str] = field(default_factory=list[str])
    retiring: list[str] = field(default_factory=list[str])
    """Instances of an older version, terminated when their replacements are ready."""
    leaving: list[str] = field(default_factory=list[str])
    """Names of nodes whose instances are gone; the group is gone when these are gone."""
    update: str | None = None
    token: str | None = None

    @property
    def status(self) -> str:
        """CREATING, ACTIVE, UPDATING, DELETING."""
        return self.document["status"]


@dataclass
class Cluster:
    """One cluster; `document` is what DescribeCluster returns."""

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
        """The cluster with this name.

        Raises:
            ResourceNotFoundError: it does not exist.
        """
        if name not in self.clusters:
            raise ResourceNotFoundError(f"No cluster found for name: {name}.")
        return self.clusters[name]

    def active(self, name: str) -> Cluster:
        """The cluster with this name, if it can be changed now.

        Raises:
            ResourceNotFoundError: it does not exist.
            InvalidRequestError: it is not ACTIVE.
        """
        cluster = self.cluster(name)
        if cluster.document["status"] != "ACTIVE":
            raise InvalidRequestError(f"Cluster '{name}' is not in ACTIVE status")
        return cluster

    def part(
        self, request: Request, key: str, parts: Callable[[Cluster], dict[str, Part]], missing: str
    ) -> tuple[Cluster, Part]:
        """What a request names in a cluster, and the cluster.

        Args:
            request: it has the cluster's name as `clusterName`.
            key: the parameter with the part's name.
            parts: those of a cluster, by name.
            missing: EKS's message if it does not exist, with `{}` for its name.

        Raises:
            ResourceNotFoundError: the cluster or the part does not exist.
        """
        cluster, name = self.cluster(request["clusterName"]), request[key]
        found = parts(cluster).get(name)
        if found is None:
            raise ResourceNotFoundError(missing.format(name))
        return cluster, found

    def knows(self, observation: Document) -> bool:
        """Whether an observation contains nothing new."""
        cluster = self.clusters[observation["cluster"]]
        return (cluster.status, cluster.keys) == (observation["status"], observation["keys"])

    def public_keys(self, issuer: str) -> str | None:
        """The keys of the cluster with that issuer; None if it does not exist, or has not created them yet."""
        return next((c.keys for c in self.clusters.values() if c.issuer == issuer), None)


def record_update(
    cluster: Cluster, kind: str, parameters: dict[str, Any], *, done: bool, subject: str = ""
) -> Document:
    """Start an update that DescribeUpdate can return.

    Args:
        cluster: the updated cluster.
        kind: VersionUpdate, EndpointAccessUpdate, LoggingUpdate, ConfigUpdate, AccessConfigUpdate, ...
        parameters: the changes, by EKS's parameter type.
        done: whether it is complete at once.
        subject: the name of the node group or add-on, if it belongs to one.
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
    """The current time in the documents' format."""
    return utcnow()


def page(key: str, items: list[Any], request: Request) -> Document:
    """One page of `items` and the token of the next page; a token is the index of the next page's first item."""
    start = int(request.get("nextToken") or 0)
    size = int(request.get("maxResults") or 100)
    rest = start + size < len(items)
    return {key: items[start : start + size], "nextToken": str(start + size) if rest else None}
