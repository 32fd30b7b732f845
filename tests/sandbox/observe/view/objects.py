"""Small documents of kube-apiserver and of AWS, for tests to change one thing of."""

from typing import Any

from sandbox.network.elb.model import LoadBalancing
from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Documents
from sandbox.observe.view.paths import Cluster

Json = dict[str, Any]
BALANCER = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/web/0123456789abcdef"
GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/tg-web/0123456789abcdef"


def named(name: str, *, namespace: str = "shop", **more: Any) -> Json:
    return {"metadata": {"name": name, "namespace": namespace} | more.pop("metadata", {}), **more}


def pod(name: str = "web-1", address: str = "10.0.1.7", node: str = "node-a", *, ready: bool = True) -> Json:
    conditions = [{"type": "Ready", "status": str(ready)}]
    return named(
        name,
        spec={"nodeName": node, "containers": [{"image": "web:1"}]},
        status={"podIP": address, "phase": "Running", "conditions": conditions},
    )


def node(name: str = "node-a", instance: str = "i-a") -> Json:
    conditions = [{"type": "Ready", "status": "True"}]
    return {
        "metadata": {"name": name},
        "spec": {"providerID": f"aws:///us-west-2a/{instance}"},
        "status": {"conditions": conditions, "addresses": [{"type": "InternalIP", "address": "10.0.1.5"}]},
    }


def service(policy: str = "Cluster", *, hosts: tuple[str, ...] = ()) -> Json:
    return named(
        "web",
        spec={
            "type": "LoadBalancer",
            "externalTrafficPolicy": policy,
            "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}],
        },
        status={"loadBalancer": {"ingress": [{"hostname": host} for host in hosts]}},
    )


def endpoints(*ends: tuple[str, str], ready: bool = True) -> Json:
    """The Service's endpoints: address and node of each."""
    listed = [{"addresses": [a], "nodeName": n, "conditions": {"ready": ready}} for a, n in ends]
    labels = {"kubernetes.io/service-name": "web"}
    return named("web-abc", metadata={"labels": labels}, endpoints=listed, ports=[{"port": 8080}])


def cluster(policy: str = "Cluster", *ends: tuple[str, str]) -> Cluster:
    """Two nodes, a pod on each; a Service with those endpoints."""
    return Cluster(
        {
            "Pod": [pod(), pod("web-2", "10.0.2.7", "node-b")],
            "Node": [node(), node("node-b", "i-b")],
            "Service": [service(policy)],
            "EndpointSlice": [endpoints(*ends)],
        }
    )


def rule(priority: str = "default", **condition: Any) -> Json:
    conditions = [{"Field": field.replace("_", "-"), "Values": values} for field, values in condition.items()]
    return {"Priority": priority, "Conditions": conditions, "Actions": [{"Type": "forward", "TargetGroupArn": GROUP}]}


def provisioned(
    *rules: Json, kind: str = "ip", target: str = "10.0.1.7", states: tuple[str, ...] = ("healthy",)
) -> LoadBalancing:
    """One ALB with one listener and one target group, which has a target in each state, at addresses that count up."""
    network, _, last = target.rpartition(".")
    ids = [target, *(f"{network}.{int(last) + n}" for n in range(1, len(states)))]
    balancer = {
        "LoadBalancerArn": BALANCER,
        "LoadBalancerName": "web",
        "Type": "application",
        "Scheme": "internal",
        "DNSName": "web.test",
        "State": {"Code": "active"},
        "VpcId": "vpc-1",
    }
    listener = {"ListenerArn": "l", "Protocol": "HTTP", "Port": 80, "Rules": list(rules or (rule(),))}
    port = 8080 if kind == "ip" else 30080
    group = {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "tg-web",
        "TargetType": kind,
        "Protocol": "HTTP",
        "Port": port,
        "VpcId": "vpc-1",
        "Targets": [
            {"Target": {"Id": identity, "Port": port}, "TargetHealth": {"State": state}}
            for identity, state in zip(ids, states, strict=False)
        ],
    }
    return parsed(Documents([balancer], {BALANCER: [listener]}, {GROUP: group}))
