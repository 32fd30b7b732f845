"""From the APIs' documents to the model. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.network.elb.model import (
    CLASSIC,
    KINDS,
    Action,
    Condition,
    Document,
    Listener,
    LoadBalancer,
    LoadBalancing,
    Rule,
    Target,
    TargetGroup,
)
from sandbox.network.elb.reading import Documents


def parsed(documents: Documents) -> LoadBalancing:
    """Everything that was read."""
    groups = {arn: _group(group) for arn, group in documents.groups.items()}
    return LoadBalancing(
        tuple(_balancer(balancer, documents, groups) for balancer in documents.balancers),
        tuple(_classic(balancer, documents) for balancer in documents.classic),
        groups,
    )


def _balancer(data: Document, documents: Documents, groups: Mapping[str, TargetGroup]) -> LoadBalancer:
    arn = data["LoadBalancerArn"]
    listeners = tuple(_listener(listener) for listener in documents.listeners.get(arn, []))
    used = dict.fromkeys(group for listener in listeners for group in listener.groups)
    return LoadBalancer(
        kind=KINDS.get(str(data["Type"]), str(data["Type"])),
        name=data["LoadBalancerName"],
        key=arn.partition(":loadbalancer/")[2],
        host=data["DNSName"],
        listeners=listeners,
        # A target group may have been created and used after the groups were listed.
        groups=tuple(groups[group] for group in used if group in groups),
        arn=arn,
        attributes=documents.attributes.get(arn, {}),
        document=data,
    )


def _listener(data: Document) -> Listener:
    return Listener(
        # A Gateway Load Balancer's listener has neither.
        protocol=data.get("Protocol", ""),
        port=int(data.get("Port", 0)),
        rules=rules(data.get("Rules") or []),
        arn=data.get("ListenerArn", ""),
        document=data,
    )


def rules(listed: Iterable[Document]) -> tuple[Rule, ...]:
    """Rules in the order of their evaluation."""
    found = (
        Rule(
            priority=str(data.get("Priority", "default")),
            conditions=tuple(condition(each) for each in data.get("Conditions") or []),
            actions=tuple(action(each) for each in data["Actions"]),
            arn=data.get("RuleArn", ""),
            document=data,
        )
        for data in listed
    )
    return tuple(sorted(found, key=lambda r: (r.priority == "default", int(r.priority) if r.priority.isdigit() else 0)))


def condition(data: Document) -> Condition:
    """A condition; its values stand in two places if it has a short form."""
    config = _config(data)
    values: Iterable[Any] = config.get("Values") or data.get("Values") or []
    texts = (f"{v.get('Key') or ''}={v['Value']}" if isinstance(v, dict) else str(v) for v in values)
    expressions: Iterable[str] = config.get("RegexValues") or data.get("RegexValues") or []
    return Condition(data["Field"], tuple(texts), tuple(expressions), config)


def action(data: Document) -> Action:
    """An action; a single target group may stand in two places."""
    config = _config(data)
    short = [{"TargetGroupArn": data["TargetGroupArn"]}] if data.get("TargetGroupArn") else []
    listed: list[Document] = config.get("TargetGroups") or short
    forwards = tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in listed)
    return Action(data["Type"], config, forwards, data.get("Order", 1))


def _config(data: Document) -> Document:
    return next((value for key, value in data.items() if key.endswith("Config") and value), {})


def _group(data: Document) -> TargetGroup:
    targets = tuple(_target(described) for described in data.get("Targets") or [])
    return TargetGroup(data["TargetGroupArn"], data["TargetGroupName"], data["TargetType"], targets, data)


def _target(described: Document) -> Target:
    target, health = described["Target"], described["TargetHealth"]
    port, zone = int(target.get("Port") or 0), target.get("AvailabilityZone", "")
    return Target(target["Id"], port, health["State"], health.get("Reason", ""), zone)


def _classic(data: Document, documents: Documents) -> LoadBalancer:
    """A Classic ELB: each listener has a rule, and a group of all instances at its port."""
    name = data["LoadBalancerName"]
    listeners: list[Document] = [entry["Listener"] for entry in data["ListenerDescriptions"]]
    health = {s["InstanceId"]: (s["State"], _reason(s)) for s in documents.states.get(name, [])}
    instances = [i["InstanceId"] for i in data["Instances"]]
    return LoadBalancer(
        kind=CLASSIC,
        name=name,
        key=name,
        host=data["DNSName"],
        listeners=tuple(_classic_listener(entry) for entry in listeners),
        groups=tuple(
            TargetGroup(
                str(entry["LoadBalancerPort"]),
                "",
                "instance",
                tuple(Target(i, entry["InstancePort"], *health.get(i, ("unknown", ""))) for i in instances),
            )
            for entry in listeners
        ),
        attributes=documents.attributes.get(name, {}),
        document=data,
    )


def _reason(state: Document) -> str:
    reason = state.get("ReasonCode", "")
    return "" if reason == "N/A" else reason


def _classic_listener(data: Document) -> Listener:
    port = data["LoadBalancerPort"]
    forward = Action("forward", forwards=((str(port), 1),))
    return Listener(data["Protocol"], int(port), (Rule("default", (), (forward,)),), document=data)
