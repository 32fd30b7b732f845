"""The state of load balancers in the ELBv2, Classic ELB and EC2 APIs.

It only reads and decides nothing. What is deleted while it reads is left out.
"""

import functools
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from sandbox.network.elb.model import Document
from sandbox.run.pages import everything

_TAGS_AT_ONCE = 20
_OF_BALANCERS = [{"Name": "description", "Values": ["ELB *"]}]
"""Only these interfaces are read: a node's lists an address for every pod."""
A = TypeVar("A")
T = TypeVar("T")


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


def if_there(read: Callable[..., T], *arguments: Any) -> T | None:
    """What a call reads; None if AWS no longer has it."""
    try:
        return read(*arguments)
    except ClientError as error:
        if error.response["Error"]["Code"].removesuffix("Exception").endswith("NotFound"):
            return None
        raise


def balancers(elbv2: Any) -> list[Document]:
    """The load balancers of ELBv2."""
    return everything(elbv2, "describe_load_balancers", "LoadBalancers")


def listeners(elbv2: Any, balancer: str) -> list[Document]:
    """A load balancer's listeners with their rules."""
    listed = if_there(functools.partial(everything, elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer))
    found = [(listener, if_there(_rules, elbv2, listener["ListenerArn"])) for listener in listed or []]
    return [{**listener, "Rules": rules} for listener, rules in found if rules is not None]


def _rules(elbv2: Any, listener: str) -> list[Document]:
    return everything(elbv2, "describe_rules", "Rules", ListenerArn=listener)


def groups(elbv2: Any, wanted: Container[str] | None = None) -> dict[str, Document]:
    """Target groups with their targets, by ARN: those that are wanted, or all."""
    found = everything(elbv2, "describe_target_groups", "TargetGroups")
    arns = {group["TargetGroupArn"]: group for group in found}
    asked = {arn: if_there(with_targets, elbv2, g) for arn, g in arns.items() if wanted is None or arn in wanted}
    return {arn: group for arn, group in asked.items() if group is not None}


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
        classic = classic_balancers(self._elb)
        arns, names = [b["LoadBalancerArn"] for b in found], [c["LoadBalancerName"] for c in classic]
        instances = [
            i
            for reservation in (everything(self._ec2, "describe_instances", "Reservations") if found or classic else [])
            for i in reservation["Instances"]
            if i.get("PrivateIpAddress")
        ]
        held = dict(zip(arns, self._pool.map(self._listeners, arns), strict=True))
        # After the listeners: so every target group that they use is there, unless it has been deleted since.
        described = self._all(self._group, everything(self._elbv2, "describe_target_groups", "TargetGroups"))
        attributes = dict(zip(arns, self._all(self._attributes, arns), strict=True)) | dict(
            zip(names, self._all(self._classic_attributes, names), strict=True)
        )
        health = dict(zip(names, self._all(functools.partial(states, self._elb), names), strict=True))
        return Documents(
            balancers=[b for b in found if attributes[b["LoadBalancerArn"]] is not None],
            listeners=held,
            groups={g["TargetGroupArn"]: g for g in described if g is not None},
            attributes={key: told for key, told in attributes.items() if told is not None},
            classic=[c for c in classic if attributes[c["LoadBalancerName"]] is not None],
            states={name: told for name, told in health.items() if told is not None},
            interfaces=everything(self._ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=_OF_BALANCERS),
            instances={i["InstanceId"]: i["PrivateIpAddress"] for i in instances},
            zones={i["InstanceId"]: i["Placement"]["AvailabilityZone"] for i in instances},
            policies=self._policies,
            stores={
                store["TrustStoreArn"]: store
                for store in everything(self._elbv2, "describe_trust_stores", "TrustStores")
            },
        )

    def balancers(self) -> list[Document]:
        """Read the load balancers of ELBv2 and nothing else; blocking."""
        return balancers(self._elbv2)

    def _all(self, read: Callable[[A], T], arguments: list[A]) -> list[T | None]:
        """What is read for each argument, in parallel."""
        return list(self._pool.map(functools.partial(if_there, read), arguments))

    def _group(self, group: Document) -> Document:
        told = self._elbv2.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])
        return {**with_targets(self._elbv2, group), "Attributes": mapping(told)}

    def _listeners(self, balancer: str) -> list[Document]:
        found = [if_there(self._listener, listener) for listener in listeners(self._elbv2, balancer)]
        return [listener for listener in found if listener is not None]

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
