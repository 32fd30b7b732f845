"""The state of load balancers in the ELBv2, Classic ELB, EC2 and ACM APIs, read at once.

It only reads and decides nothing.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]

KINDS = {"application": "ALB", "network": "NLB", "gateway": "GWLB"}
"""The usual names of ELBv2's load balancer types."""


def forwarded(actions: Iterable[Document]) -> Iterator[str]:
    """The ARNs of the target groups that actions forward to; one may occur twice."""
    for action in actions:
        if "TargetGroupArn" in action:
            yield action["TargetGroupArn"]
        yield from (g["TargetGroupArn"] for g in (action.get("ForwardConfig") or {}).get("TargetGroups") or [])


@dataclass(frozen=True)
class Documents:
    """API documents, as boto3 returns them."""

    balancers: list[Document] = field(default_factory=list[Document])
    listeners: dict[str, list[Document]] = field(default_factory=dict[str, list[Document]])
    """Load balancer's ARN -> its listeners, each with `Rules`, `Attributes` (a mapping) and `Certificates` (all)."""
    groups: dict[str, Document] = field(default_factory=dict[str, Document])
    """Target group's ARN -> the group, with `Attributes` (a mapping) and `Targets` (TargetHealthDescriptions)."""
    attributes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Load balancer's ARN, or a Classic one's name -> its attributes."""
    classic: list[Document] = field(default_factory=list[Document])
    interfaces: list[Document] = field(default_factory=list[Document])
    """Those of load balancers."""
    instances: dict[str, str] = field(default_factory=dict[str, str])
    """Instance -> its private address."""
    zones: dict[str, str] = field(default_factory=dict[str, str])
    """Instance -> its zone."""
    policies: dict[str, Document] = field(default_factory=dict[str, Document])
    """TLS policies by name."""


class Reader:
    """Reads everything, with parallel calls."""

    def __init__(self, elbv2: Any, elb: Any, ec2: Any) -> None:
        self._elbv2, self._elb, self._ec2 = elbv2, elb, ec2
        self._policies: dict[str, Document] = {}
        self._pool = ThreadPoolExecutor(4, "documents")

    def read(self) -> Documents:
        """Read everything; blocking."""
        if not self._policies:
            self._policies = {p["Name"]: p for p in self._elbv2.describe_ssl_policies()["SslPolicies"]}
        balancers = _all(self._elbv2, "describe_load_balancers", "LoadBalancers")
        groups = _all(self._elbv2, "describe_target_groups", "TargetGroups")
        classic = _all(self._elb, "describe_load_balancers", "LoadBalancerDescriptions")
        arns = [b["LoadBalancerArn"] for b in balancers]
        instances = [
            i
            for reservation in (_all(self._ec2, "describe_instances", "Reservations") if balancers or classic else [])
            for i in reservation["Instances"]
            if i.get("PrivateIpAddress")
        ]
        described = list(self._pool.map(self._group, groups))
        return Documents(
            balancers=balancers,
            listeners=dict(zip(arns, self._pool.map(self._listeners, arns), strict=True)),
            groups={g["TargetGroupArn"]: g for g in described},
            attributes=dict(zip(arns, self._pool.map(self._attributes, arns), strict=True))
            | {c["LoadBalancerName"]: self._classic_attributes(c["LoadBalancerName"]) for c in classic},
            classic=classic,
            interfaces=[
                i
                for i in _all(self._ec2, "describe_network_interfaces", "NetworkInterfaces")
                if i.get("Description", "").startswith("ELB ")
            ],
            instances={i["InstanceId"]: i["PrivateIpAddress"] for i in instances},
            zones={i["InstanceId"]: i["Placement"]["AvailabilityZone"] for i in instances},
            policies=self._policies,
        )

    def _group(self, group: Document) -> Document:
        arn = group["TargetGroupArn"]
        attributes = self._elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        targets = self._elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {**group, "Attributes": _mapping(attributes), "Targets": targets}

    def _listeners(self, balancer: str) -> list[Document]:
        found: list[Document] = []
        for listener in _all(self._elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer):
            arn = listener["ListenerArn"]
            attributes = self._elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"]
            more: Document = {"Rules": _all(self._elbv2, "describe_rules", "Rules", ListenerArn=arn)}
            if listener.get("Certificates"):
                held = self._elbv2.describe_listener_certificates(ListenerArn=arn)["Certificates"]
                more["Certificates"] = [*listener["Certificates"], *(c for c in held if not c.get("IsDefault"))]
            found.append({**listener, **more, "Attributes": _mapping(attributes)})
        return found

    def _attributes(self, balancer: str) -> dict[str, str]:
        return _mapping(self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer)["Attributes"])

    def _classic_attributes(self, name: str) -> dict[str, str]:
        told = self._elb.describe_load_balancer_attributes(LoadBalancerName=name)["LoadBalancerAttributes"]
        return {
            "load_balancing.cross_zone.enabled": str(told["CrossZoneLoadBalancing"]["Enabled"]).lower(),
            "idle_timeout.timeout_seconds": str(told.get("ConnectionSettings", {}).get("IdleTimeout", 60)),
        }


def _mapping(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {a["Key"]: a.get("Value", "") for a in attributes}


def _all(client: Any, operation: str, key: str, **arguments: Any) -> list[Document]:
    if not client.can_paginate(operation):
        return getattr(client, operation)(**arguments)[key]
    return client.get_paginator(operation).paginate(**arguments).build_full_result().get(key, [])
