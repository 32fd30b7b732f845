"""The APIs' documents of small load balancers, of which tests change single parts."""

from typing import Any

from sandbox.network.elb.reading import Documents

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012"
BALANCER = f"{ARN}:loadbalancer/app/web/0123456789abcdef"
NETWORK = f"{ARN}:loadbalancer/net/web/0123456789abcdef"
HTTP = {
    "load_balancing.cross_zone.enabled": "true",
    "idle_timeout.timeout_seconds": "60",
    "routing.http2.enabled": "true",
    "routing.http.preserve_host_header.enabled": "false",
}
POLICY = {
    "Name": "ELBSecurityPolicy-2016-08",
    "SslProtocols": ["TLSv1", "TLSv1.1", "TLSv1.2"],
    "Ciphers": [{"Name": "ECDHE-ECDSA-AES128-GCM-SHA256"}, {"Name": "ECDHE-RSA-AES128-GCM-SHA256"}],
}
MODERN = {
    "Name": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "SslProtocols": ["TLSv1.3", "TLSv1.2"],
    "Ciphers": [{"Name": "TLS_AES_128_GCM_SHA256"}, *POLICY["Ciphers"]],
}
Document = dict[str, Any]


def group_arn(name: str) -> str:
    return f"{ARN}:targetgroup/{name}/0123456789abcdef"


def forward(*names: str, weights: tuple[int, ...] = (), **more: Any) -> Document:
    if len(names) == 1 and not more:
        return {"Type": "forward", "TargetGroupArn": group_arn(names[0])}
    groups = [{"TargetGroupArn": group_arn(n), "Weight": w} for n, w in zip(names, weights or [1] * len(names))]  # noqa: B905
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **more}}


def rule(action: Document, *conditions: Document) -> Document:
    return {"Conditions": list(conditions), "Actions": [action]}


def listener(*rules: Document, protocol: str = "HTTP", port: int = 80, **more: Any) -> Document:
    return {"Protocol": protocol, "Port": port, "Rules": list(rules), "Attributes": {}, **more}


def group(name: str = "web", protocol: str = "HTTP", kind: str = "ip", **attributes: str) -> Document:
    return {
        "TargetGroupArn": group_arn(name),
        "TargetGroupName": name,
        "Protocol": protocol,
        "TargetType": kind,
        "HealthCheckProtocol": "HTTP" if protocol == "HTTP" else "TCP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/",
        "HealthCheckIntervalSeconds": 15,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
        "Attributes": {key.replace("__", "."): value for key, value in attributes.items()},
        "Targets": [],
    }


def target(name: str, zone: str = "us-west-2a", state: str = "healthy", port: int = 8080) -> Document:
    found = {"Id": name, "Port": port, "AvailabilityZone": zone}
    return {"Target": found, "TargetHealth": {"State": state}}


def documents(*listeners: Document, groups: list[Document] | None = None, kind: str = "app", **more: Any) -> Documents:
    arn = BALANCER if kind == "app" else NETWORK
    types = {"app": "application", "net": "network"}
    given: Document = {
        "balancers": [
            {
                "LoadBalancerArn": arn,
                "LoadBalancerName": "web",
                "Type": types[kind],
                "DNSName": "web-1.us-west-2.elb.amazonaws.com",
                "State": {"Code": "active"},
            }
        ],
        "listeners": {arn: list(listeners)},
        "groups": {g["TargetGroupArn"]: g for g in groups or [group()]},
        "attributes": {arn: HTTP if kind == "app" else {"load_balancing.cross_zone.enabled": "false"}},
        "interfaces": [interface(f"{kind}/web/0123456789abcdef", n) for n in range(2)],
        "policies": {p["Name"]: p for p in (POLICY, MODERN)},
    }
    return Documents(**{**given, **more})


def interface(name: str, number: int) -> Document:
    return {
        "NetworkInterfaceId": f"eni-{number}",
        "Description": f"ELB {name}",
        "PrivateIpAddress": f"10.0.{number}.5",
        "AvailabilityZone": f"us-west-2{'ab'[number]}",
    }
