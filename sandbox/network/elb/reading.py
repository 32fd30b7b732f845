"""The state of load balancers in the ELBv2, Classic ELB and EC2 APIs.

It only reads and decides nothing.
"""

from collections.abc import Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sandbox.network.elb.model import Document
from sandbox.run.pages import everything

_TAGS_AT_ONCE = 20


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
    states: dict[str, list[Document]] = field(default_factory=dict[str, list[Document]])
    """Classic load balancer's name -> its InstanceStates."""
    interfaces: list[Document] = field(default_factory=list[Document])
    """Those of load balancers."""
    instances: dict[str, str] = field(default_factory=dict[str, str])
    """Instance -> its private address."""
    zones: dict[str, str] = field(default_factory=dict[str, str])
    """Instance -> its zone."""
    policies: dict[str, Document] = field(default_factory=dict[str, Document])
    """TLS policies by name."""
    stores: dict[str, Document] = field(default_factory=dict[str, Document])
    """Trust stores by ARN."""


def balancers(elbv2: Any) -> list[Document]:
    """The load balancers of ELBv2."""
    return everything(elbv2, "describe_load_balancers", "LoadBalancers")


def listeners(elbv2: Any, balancer: str) -> list[Document]:
    """A load balancer's listeners with their rules."""
    return [
        {**listener, "Rules": everything(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])}
        for listener in everything(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer)
    ]


def groups(elbv2: Any, wanted: Container[str] | None = None) -> dict[str, Document]:
    """Target groups with their targets, by ARN: those that are wanted, or all."""
    found = everything(elbv2, "describe_target_groups", "TargetGroups")
    arns = {group["TargetGroupArn"]: group for group in found}
    return {arn: with_targets(elbv2, group) for arn, group in arns.items() if wanted is None or arn in wanted}


def with_targets(elbv2: Any, group: Document) -> Document:
    """A target group with its targets."""
    targets = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    return {**group, "Targets": targets}


def classic_balancers(elb: Any) -> list[Document]:
    """The Classic load balancers."""
    return everything(elb, "describe_load_balancers", "LoadBalancerDescriptions")


def states(elb: Any, name: str) -> list[Document]:
    """The health of a Classic load balancer's instances."""
    return elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]


def tags(elbv2: Any, arns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The tags of load balancers and target groups, by ARN."""
    for start in range(0, len(arns), _TAGS_AT_ONCE):
        for described in elbv2.describe_tags(ResourceArns=arns[start : start + _TAGS_AT_ONCE])["TagDescriptions"]:
            yield described["ResourceArn"], {t["Key"]: t["Value"] for t in described["Tags"]}


def mapping(answer: Document) -> dict[str, str]:
    """The attributes in an answer, by key."""
    return {a["Key"]: a.get("Value", "") for a in answer["Attributes"]}


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
        found = balancers(self._elbv2)
        listed = everything(self._elbv2, "describe_target_groups", "TargetGroups")
        classic = classic_balancers(self._elb)
        arns, names = [b["LoadBalancerArn"] for b in found], [c["LoadBalancerName"] for c in classic]
        instances = [
            i
            for reservation in (everything(self._ec2, "describe_instances", "Reservations") if found or classic else [])
            for i in reservation["Instances"]
            if i.get("PrivateIpAddress")
        ]
        described = list(self._pool.map(self._group, listed))
        return Documents(
            balancers=found,
            listeners=dict(zip(arns, self._pool.map(self._listeners, arns), strict=True)),
            groups={g["TargetGroupArn"]: g for g in described},
            attributes=dict(zip(arns, self._pool.map(self._attributes, arns), strict=True))
            | {name: self._classic_attributes(name) for name in names},
            classic=classic,
            states={name: states(self._elb, name) for name in names},
            interfaces=[
                i
                for i in everything(self._ec2, "describe_network_interfaces", "NetworkInterfaces")
                if i.get("Description", "").startswith("ELB ")
            ],
            instances={i["InstanceId"]: i["PrivateIpAddress"] for i in instances},
            zones={i["InstanceId"]: i["Placement"]["AvailabilityZone"] for i in instances},
            policies=self._policies,
            stores={
                store["TrustStoreArn"]: store
                for store in everything(self._elbv2, "describe_trust_stores", "TrustStores")
            },
        )

    def _group(self, group: Document) -> Document:
        told = self._elbv2.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])
        return {**with_targets(self._elbv2, group), "Attributes": mapping(told)}

    def _listeners(self, balancer: str) -> list[Document]:
        return [self._listener(listener) for listener in listeners(self._elbv2, balancer)]

    def _listener(self, listener: Document) -> Document:
        arn = listener["ListenerArn"]
        attributes = mapping(self._elbv2.describe_listener_attributes(ListenerArn=arn))
        if not listener.get("Certificates"):
            return {**listener, "Attributes": attributes}
        held = self._elbv2.describe_listener_certificates(ListenerArn=arn)["Certificates"]
        certificates = [*listener["Certificates"], *(c for c in held if not c.get("IsDefault"))]
        return {**listener, "Attributes": attributes, "Certificates": certificates}

    def _attributes(self, balancer: str) -> dict[str, str]:
        return mapping(self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer))

    def _classic_attributes(self, name: str) -> dict[str, str]:
        told = self._elb.describe_load_balancer_attributes(LoadBalancerName=name)["LoadBalancerAttributes"]
        return {
            "load_balancing.cross_zone.enabled": str(told["CrossZoneLoadBalancing"]["Enabled"]).lower(),
            "idle_timeout.timeout_seconds": str(told.get("ConnectionSettings", {}).get("IdleTimeout", 60)),
        }
