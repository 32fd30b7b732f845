"""Every load balancer with its listeners, their target groups, and the pod behind every target.

From the AWS API and the clusters' pods, not from any program's outputs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes import client, config

from sandbox.network.elb import lookup, reading
from sandbox.network.elb.model import Target
from sandbox.run.clients import client as aws_client
from sandbox.run.state import State

_CLUSTER_TAG = "elbv2.k8s.aws/cluster"


def rows(state: State) -> list[dict[str, Any]]:
    """One row per listener and target group, sorted by host name and port.

    Shape: `{"loadBalancer", "kind", "scheme", "hostName", "cluster", "listener", "targetGroup", "targetType",
    "targets": [{"pod", "address", "port", "health"}]}`; `pod` is `namespace/name`, an instance's node name, or null.
    """
    elbv2 = aws_client(state, "elbv2")
    names = dict(_names(state))
    balancers = lookup.all_of(elbv2).balancers
    tags = dict(reading.tags(elbv2, [balancer.arn for balancer in balancers]))
    found: list[dict[str, Any]] = [
        {
            "loadBalancer": balancer.name,
            "kind": balancer.kind,
            "scheme": balancer.document["Scheme"],
            "hostName": balancer.host,
            "cluster": tags.get(balancer.arn, {}).get(_CLUSTER_TAG),
            "listener": str(listener),
            "targetGroup": group.name,
            "targetType": group.type,
            "targets": sorted((_target(target, names) for target in group.targets), key=lambda t: str(t["address"])),
        }
        for balancer in balancers
        for listener in balancer.listeners
        for group in balancer.groups_of(listener)
    ]
    return sorted(found, key=lambda r: (r["hostName"], int(r["listener"].partition(":")[2]), r["targetGroup"]))


def tree(found: list[dict[str, Any]]) -> str:
    """The rows in readable form: load balancers, their listeners and target groups, and targets; fits 80 columns."""
    lines: list[str] = []
    balancer = None
    for row in found:
        if row["loadBalancer"] != balancer:
            balancer = row["loadBalancer"]
            lines += [f"{row['kind']} {balancer} ({row['scheme']})", f"  {row['hostName']}"]
        lines.append(f"  {row['listener']} -> {row['targetGroup']} ({row['targetType']})")
        for target in row["targets"]:
            lines.append(f"    {target['pod'] or '?'}")
            lines.append(f"      {target['address']}:{target['port']} {target['health']}")
        if not row["targets"]:
            lines.append("    no target")
    return "\n".join(lines) or "no load balancer forwards to a target group"


def _target(target: Target, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "pod": names.get(target.id),
        "address": target.id,
        "port": target.port or None,
        "health": target.health,
    }


def _names(state: State) -> Iterator[tuple[str, str]]:
    """Pod addresses and instance ids of all clusters, with the name of their pod or node."""
    for cluster in state.active_clusters():
        kubeconfig = state.cluster(cluster) / "kubeconfig"
        if not kubeconfig.exists():
            continue
        core = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
        pods: list[Any] = core.list_pod_for_all_namespaces().items
        nodes: list[Any] = core.list_node().items
        for pod in pods:
            if pod.status.pod_ip and not pod.spec.host_network:
                yield pod.status.pod_ip, f"{pod.metadata.namespace}/{pod.metadata.name}"
        for node in nodes:
            yield (node.spec.provider_id or "").rpartition("/")[2], node.metadata.name
