"""What AWS requires from a cluster, and where the cluster keeps its files.

The AWS process writes `cluster.json` and `nodes.json`; the agent reads them. Everything else in the folder is the
agent's.
"""

import ipaddress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sandbox.run.state import State, read_json


class SpecError(Exception):
    """The agent cannot use a document of the AWS process."""


@dataclass(frozen=True)
class ClusterSpec:
    """cluster.json: one cluster as requested in CreateCluster."""

    name: str
    arn: str
    version: str
    region: str
    account: str
    vpc_id: str
    issuer: str
    """The issuer (`iss`) of service account tokens, and the URL of the IAM OIDC provider."""
    aws_endpoint: str
    service_cidr: str = "172.20.0.0/16"
    deployer_arn: str = ""
    bootstrap_admin: bool = True

    @property
    def service_network(self) -> ipaddress.IPv4Network:
        """The range of ClusterIPs."""
        return ipaddress.IPv4Network(self.service_cidr)

    @property
    def api_service_address(self) -> str:
        """The ClusterIP of the `kubernetes` Service: always the range's first."""
        return str(self.service_network[1])

    @staticmethod
    def read(folder: "Folder") -> "ClusterSpec":
        """The spec in a cluster's folder.

        Raises:
            SpecError: it is missing, or lacks a field.
        """
        data = read_json(folder.spec_file)
        if data is None:
            raise SpecError(f"{folder.spec_file} is missing: the AWS process writes it before it starts an agent")
        known = {f.name for f in fields(ClusterSpec)}
        try:
            return ClusterSpec(**{k: v for k, v in data.items() if k in known})
        except TypeError as error:
            raise SpecError(f"{folder.spec_file}: {error}") from error


@dataclass(frozen=True)
class NodeSpec:
    """One entry of nodes.json: an instance that should be a node."""

    name: str
    provider_id: str
    instance_id: str
    address: str
    zone: str
    subnet_id: str
    eni_id: str
    instance_type: str
    nodegroup: str = ""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    taints: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    @staticmethod
    def from_json(data: dict[str, Any]) -> "NodeSpec":
        """The entry from nodes.json; a null label map or taint list counts as empty."""
        known = {f.name for f in fields(NodeSpec)}
        return NodeSpec(**{k: v for k, v in data.items() if k in known and v is not None})


def read_nodes(path: Path) -> dict[str, NodeSpec]:
    """The wanted nodes by name; none if the file does not exist."""
    data: dict[str, Any] = read_json(path) or {}
    return {entry["name"]: NodeSpec.from_json(entry) for entry in data.get("nodes", [])}


@dataclass(frozen=True)
class Folder:
    """The paths of one cluster's folder."""

    state: State
    name: str

    @property
    def root(self) -> Path:
        """D/clusters/NAME."""
        return self.state.cluster(self.name)

    @property
    def spec_file(self) -> Path:
        """AWS's request."""
        return self.root / "cluster.json"

    @property
    def nodes_file(self) -> Path:
        """The nodes AWS wants."""
        return self.root / "nodes.json"

    @property
    def status_file(self) -> Path:
        """The agent's report."""
        return self.root / "status.json"

    @property
    def lock(self) -> Path:
        """Held by the one agent that a cluster has."""
        return self.root / ".lock"

    @property
    def ports_file(self) -> Path:
        """Ports, chosen once."""
        return self.root / "ports.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The cluster's data."""
        return self.root / "etcd"

    @property
    def pods(self) -> Path:
        """What process pods see as their volumes."""
        return self.root / "pods"

    @property
    def config(self) -> Path:
        """Files the agent generates for the parts it starts."""
        return self.root / "config"

    def log(self, part: str) -> Path:
        """The log of one part of this cluster."""
        return self.state.log(f"{self.name}-{part}")
