"""Every load balancer with its listeners, their target groups, and the pod behind every target.

From the AWS API and the clusters' pods, not from any program's outputs.
"""

from collections.abc import Iterator
from typing import Any

from kubernetes import client, config

from sandbox.network.balancers.documents import KINDS, forwarded
from sandbox.run.clients import client as aws_client
from sandbox.run.state import State

_TAGS_AT_ONCE = 20


def rows(state: State) -> list[dict[str, Any]]:
    """One row per listener and target group, sorted by host name and port.

    Shape: `{"loadBalancer", "kind", "scheme", "hostName", "cluster", "listener", "targetGroup", "targetType",
    "targets": [{"pod", "address", "port", "health"}]}`; `pod` is `namespace/name`, an instance's node name, or null.
    """
    elb = aws_client(state, "elbv2")
    names = dict(_names(state))
    found: list[dict[str, Any]] = []
    balancers = _all(elb, "describe_load_balancers", "LoadBalancers")
    clusters = _cluster_tags(elb, [b["LoadBalancerArn"] for b in balancers])
    groups = {g["TargetGroupArn"]: g for g in _all(elb, "describe_target_groups", "TargetGroups")}
    for balancer in balancers:
        arn = balancer["LoadBalancerArn"]
        for listener in _all(elb, "describe_listeners", "Listeners", LoadBalancerArn=arn):
            rules = _all(elb, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
            actions = [a for r in rules for a in r["Actions"]] + listener["DefaultActions"]
            for group in sorted(set(forwarded(actions))):
                health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
                found.append(
                    {
                        "loadBalancer": balancer["LoadBalancerName"],
                        "kind": KINDS.get(balancer["Type"], balancer["Type"]),
                        "scheme": balancer["Scheme"],
                        "hostName": balancer["DNSName"],
                        "cluster": clusters.get(arn),
                        "listener": f"{listener['Protocol']}:{listener['Port']}",
                        "targetGroup": groups[group]["TargetGroupName"],
                        "targetType": groups[group]["TargetType"],
                        "targets": sorted((_target(h, names) for h in health), key=lambda t: str(t["address"])),
                    }
                )
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


def _target(description: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    target = description["Target"]
    return {
        "pod": names.get(target["Id"]),
        "address": target["Id"],
        "port": target.get("Port"),
        "health": description["TargetHealth"]["State"],
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


def _cluster_tags(elb: Any, arns: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(arns), _TAGS_AT_ONCE):
        for described in elb.describe_tags(ResourceArns=arns[start : start + _TAGS_AT_ONCE])["TagDescriptions"]:
            tags = {t["Key"]: t["Value"] for t in described["Tags"]}
            if "elbv2.k8s.aws/cluster" in tags:
                found[described["ResourceArn"]] = tags["elbv2.k8s.aws/cluster"]
    return found


def _all(elb: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    if elb.can_paginate(operation):
        return elb.get_paginator(operation).paginate(**arguments).build_full_result().get(key, [])
    return getattr(elb, operation)(**arguments)[key]
