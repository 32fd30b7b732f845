"""The ELB APIs' state of a load balancer: listeners, rules, target groups, targets and their health."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.network.balancers.documents import KINDS, forwarded


@dataclass(frozen=True)
class Target:
    """A target of a target group, or an instance of a Classic ELB."""

    id: str
    """A pod's address, or an instance."""
    port: int
    health: str
    reason: str = ""


@dataclass(frozen=True)
class TargetGroup:
    """A target group; for a Classic ELB's listener, one without a name."""

    arn: str
    name: str
    type: str
    """`ip` or `instance`."""
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Rule:
    """A rule of a listener; `priority` is `default` for its default action."""

    priority: str
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    groups: tuple[str, ...]
    """The target groups that it forwards to."""
    action: str
    fixed: str = ""
    """Its fixed response, as status and text; empty for another action."""

    def matches(self, host: str, path: str) -> bool:
        """Whether its host and path conditions hold; other conditions count as true."""
        values = {"host-header": host.lower(), "path-pattern": path}
        return all(
            any(fnmatch.fnmatchcase(values[kind], p.lower() if kind == "host-header" else p) for p in patterns)
            for kind, patterns in self.conditions
            if kind in values
        )

    def __str__(self) -> str:
        """In readable form."""
        words = " and ".join(f"{kind} {' or '.join(patterns)}" for kind, patterns in self.conditions)
        return f"rule {self.priority}" + (f" ({words})" if words else "")


@dataclass(frozen=True)
class Listener:
    """A listener with its rules, the default one last."""

    protocol: str
    port: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Balancer:
    """A load balancer."""

    kind: str
    """`ALB`, `NLB` or `Classic ELB`."""
    name: str
    key: str
    """The name in its interfaces' descriptions: `app/NAME/ID`, `net/NAME/ID`, or a Classic ELB's name."""
    host: str
    listeners: tuple[Listener, ...]
    groups: tuple[TargetGroup, ...]

    def listener(self, port: int) -> Listener | None:
        """The listener on a port."""
        return next((entry for entry in self.listeners if entry.port == port), None)

    def rule(self, port: int, host: str, path: str, target: str = "") -> Rule | None:
        """The first rule that matches a request; if a target answered, the first that leads to it."""
        listener = self.listener(port)
        holding = {g.arn for g in self.groups if any(t.id == target for t in g.targets)}
        for rule in listener.rules if listener else ():
            if rule.matches(host, path) and (not target or holding & set(rule.groups)):
                return rule
        return None


def find(elbv2: Any, elb: Any, host: str) -> Balancer | None:
    """The load balancer with this host name, from boto3's clients; blocking.

    Names ignore case. The prefix `dualstack.` is AWS's own.
    """
    wanted = host.lower().removeprefix("dualstack.")
    for page in elbv2.get_paginator("describe_load_balancers").paginate():
        for data in page["LoadBalancers"]:
            if data["DNSName"].lower() == wanted:
                return _balancer(elbv2, data)
    for data in elb.describe_load_balancers()["LoadBalancerDescriptions"]:
        if data["DNSName"].lower() == wanted:
            return _classic(elb, data)
    return None


def _balancer(elbv2: Any, data: dict[str, Any]) -> Balancer:
    arn = data["LoadBalancerArn"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    try:
        groups = elbv2.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    except elbv2.exceptions.TargetGroupNotFoundException:  # ELB's answer for a load balancer without any
        groups = []
    return Balancer(
        kind=KINDS[data["Type"]],
        name=data["LoadBalancerName"],
        key=arn.partition(":loadbalancer/")[2],
        host=data["DNSName"],
        listeners=tuple(
            Listener(
                entry["Protocol"],
                entry["Port"],
                rules(elbv2.describe_rules(ListenerArn=entry["ListenerArn"])["Rules"])
                if data["Type"] == "application"
                else rules([{"Priority": "default", "Actions": entry["DefaultActions"]}]),
            )
            for entry in listeners
        ),
        groups=tuple(
            TargetGroup(
                g["TargetGroupArn"],
                g["TargetGroupName"],
                g["TargetType"],
                tuple(
                    Target(
                        h["Target"]["Id"],
                        h["Target"]["Port"],
                        h["TargetHealth"]["State"],
                        h["TargetHealth"].get("Reason", ""),
                    )
                    for h in elbv2.describe_target_health(TargetGroupArn=g["TargetGroupArn"])[
                        "TargetHealthDescriptions"
                    ]
                ),
            )
            for g in groups
        ),
    )


def rules(listed: Iterable[dict[str, Any]]) -> tuple[Rule, ...]:
    """Rules in the order of their evaluation."""

    def order(rule: Rule) -> tuple[bool, int]:
        return (rule.priority == "default", int(rule.priority) if rule.priority.isdigit() else 0)

    return tuple(
        sorted(
            (
                Rule(
                    str(data["Priority"]),
                    tuple((c["Field"], _patterns(c)) for c in data.get("Conditions") or []),
                    tuple(arn for action in data["Actions"] for arn in list(dict.fromkeys(forwarded([action])))),
                    data["Actions"][-1]["Type"] if data["Actions"] else "",
                    _fixed(data["Actions"][-1]) if data["Actions"] else "",
                )
                for data in listed
            ),
            key=order,
        )
    )


def _patterns(condition: dict[str, Any]) -> tuple[str, ...]:
    configured = next((v for k, v in condition.items() if k.endswith("Config") and v), {})
    return tuple(str(v) for v in condition.get("Values") or configured.get("Values") or [])


def _fixed(action: dict[str, Any]) -> str:
    config = action.get("FixedResponseConfig") or {}
    return f"{config.get('StatusCode', '')} {config.get('MessageBody') or ''}".strip()


def _classic(elb: Any, data: dict[str, Any]) -> Balancer:
    name = data["LoadBalancerName"]
    listeners = [entry["Listener"] for entry in data["ListenerDescriptions"]]
    states = elb.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
    health = {s["InstanceId"]: (s["State"], s.get("ReasonCode", "")) for s in states}
    return Balancer(
        kind="Classic ELB",
        name=name,
        key=name,
        host=data["DNSName"],
        listeners=tuple(
            Listener(
                entry["Protocol"],
                entry["LoadBalancerPort"],
                (Rule("default", (), (str(entry["LoadBalancerPort"]),), "forward"),),
            )
            for entry in listeners
        ),
        groups=tuple(
            TargetGroup(
                str(entry["LoadBalancerPort"]),
                "",
                "instance",
                tuple(
                    Target(i["InstanceId"], entry["InstancePort"], *health.get(i["InstanceId"], ("unknown", "")))
                    for i in data["Instances"]
                ),
            )
            for entry in listeners
        ),
    )
