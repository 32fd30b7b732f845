"""Node objects for AWS's node instances.

On AWS a node's kubelet registers it. Here nothing runs on the instance: the agent creates the object, `leases.py`
renews its lease, and kwok reports it as ready. When AWS no longer has a node, it is removed together with its pods, as
if the instance had ended.
"""

import logging
from dataclasses import dataclass
from typing import Any

from sandbox.cluster.api import NOT_FOUND, Api, ApiError, Cache, Object
from sandbox.cluster.nodes import kubelet
from sandbox.cluster.spec import ClusterSpec, NodeSpec

log = logging.getLogger(__name__)

KUBELET_VERSION = "v1.36.3"
_PODS_BELOW_30_VCPU = 110
_PODS = 250


@dataclass(frozen=True)
class Machine:
    """The resources of an instance type."""

    vcpus: int
    memory_mib: int


FALLBACK = Machine(vcpus=2, memory_mib=8192)


def max_pods(machine: Machine) -> int:
    """The maximum number of pods on a node: EKS's recommendation for nodes with prefix delegation.

    https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html#determine-max-pods
    """
    return _PODS_BELOW_30_VCPU if machine.vcpus < 30 else _PODS  # noqa: PLR2004 - EKS's border


def reserved_cpu(vcpus: int) -> int:
    """Millicores that an EKS node reserves: 6 % of the first core, 1 % of the next, 0.5 % of two more, then 0.25 %.

    https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/kubelet/config.go
    """
    shares = [60, 10, 5, 5]
    return int(sum(shares[:vcpus]) + 2.5 * max(vcpus - len(shares), 0))


def resources(machine: Machine) -> tuple[dict[str, str], dict[str, str]]:
    """Capacity and allocatable of a node."""
    pods = max_pods(machine)
    # 255 MiB and 11 for each pod, then kubelet's threshold for eviction.
    reserved_mib = 255 + 11 * pods + 100
    capacity = {
        "cpu": str(machine.vcpus),
        "memory": f"{machine.memory_mib}Mi",
        "ephemeral-storage": "20Gi",
        "pods": str(pods),
    }
    allocatable = {
        **capacity,
        "cpu": f"{machine.vcpus * 1000 - reserved_cpu(machine.vcpus)}m",
        "memory": f"{max(machine.memory_mib - reserved_mib, 256)}Mi",
        "ephemeral-storage": "18Gi",
    }
    return capacity, allocatable


def labels(spec: ClusterSpec, node: NodeSpec) -> dict[str, str]:
    """The labels from kubelet and the cloud, and those from the node group."""
    return {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": node.name,
        "node.kubernetes.io/instance-type": node.instance_type,
        "topology.kubernetes.io/region": spec.region,
        "topology.kubernetes.io/zone": node.zone,
        **({"eks.amazonaws.com/nodegroup": node.nodegroup} if node.nodegroup else {}),
        **node.labels,
    }


def taints(node: NodeSpec) -> list[dict[str, str]]:
    """The taints in Kubernetes' spelling; EKS's API uses capitals (`NO_SCHEDULE`)."""
    return [
        {**taint, "effect": taint["effect"].title().replace("_", "")} if taint["effect"].isupper() else taint
        for taint in node.taints
    ]


def node_object(spec: ClusterSpec, node: NodeSpec, machine: Machine) -> Object:
    """The Node as its kubelet would register it, without the conditions, which kwok writes."""
    capacity, allocatable = resources(machine)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels(spec, node)},
        "spec": {"providerID": node.provider_id, "taints": taints(node)},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": node.address},
                {"type": "InternalDNS", "address": node.name},
                {"type": "Hostname", "address": node.name},
            ],
            "capacity": capacity,
            "allocatable": allocatable,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet.PORT}},
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "none (sandbox)",
                "kernelVersion": "none",
                "kubeletVersion": KUBELET_VERSION,
                "kubeProxyVersion": KUBELET_VERSION,
                "containerRuntimeVersion": "kwok://0.8.0",
                "machineID": node.instance_id,
                "systemUUID": node.instance_id,
                "bootID": node.instance_id,
            },
        },
    }


def is_ready(node: Object) -> bool:
    """Whether a Node's Ready condition is True."""
    conditions: list[dict[str, Any]] = node.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


class Nodes:
    """Keeps the cluster's Node objects equal to AWS's nodes."""

    def __init__(self, api: Api, spec: ClusterSpec, nodes: Cache, pods: Cache) -> None:
        """`nodes` and `pods` are caches of all of them."""
        self._api = api
        self._spec = spec
        self._nodes = nodes
        self._pods = pods

    async def reconcile(self, wanted: dict[str, NodeSpec], machines: dict[str, Machine]) -> None:
        """Create, label and remove nodes. `machines` is by instance type."""
        present = {name: obj for (_, name), obj in self._nodes.objects.items()}
        for name, obj in present.items():
            known = wanted.get(name)
            # The same private address may come back with another instance, which is another node.
            if known is None or known.provider_id != obj["spec"].get("providerID"):
                await self._remove(name)
                present = {n: o for n, o in present.items() if n != name}
        for name, node in wanted.items():
            machine = machines.get(node.instance_type, FALLBACK)
            if name not in present:
                await self._register(node_object(self._spec, node, machine))
            else:
                await self._relabel(present[name], labels(self._spec, node))

    async def _register(self, node: Object) -> None:
        try:
            await self._api.create("/api/v1/nodes", node)
            log.info("node %s registered", node["metadata"]["name"])
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise

    async def _relabel(self, node: Object, wanted: dict[str, str]) -> None:
        current = node["metadata"].get("labels") or {}
        missing = {k: v for k, v in wanted.items() if current.get(k) != v}
        if missing:
            await self._api.patch(f"/api/v1/nodes/{node['metadata']['name']}", {"metadata": {"labels": missing}})

    async def _remove(self, name: str) -> None:
        await self._api.delete(f"/api/v1/nodes/{name}")
        log.info("node %s removed", name)
        for (namespace, pod), obj in list(self._pods.objects.items()):
            if obj["spec"].get("nodeName") == name:
                uid = obj["metadata"]["uid"]
                try:
                    await self._api.delete(f"/api/v1/namespaces/{namespace}/pods/{pod}", grace=0, uid=uid)
                except ApiError as error:
                    if error.status != NOT_FOUND:
                        raise
