"""What was provisioned, as items: load balancers, listeners, rules; target groups, targets, their health. Pure."""

from collections.abc import Iterable, Mapping

from sandbox.network.elb.model import Listener, LoadBalancer, LoadBalancing, Rule, Target, TargetGroup
from sandbox.observe.view.items import Item, broken_first, item

_WAITING = ("initial", "draining", "unused")


def section(balancing: LoadBalancing, names: Mapping[str, str]) -> dict[str, list[Item]]:
    """The page's right column: load balancers with listeners and rules, target groups with targets.

    Args:
        balancing: all of it.
        names: address or instance -> the pod or node that has it.
    """
    balancers = [balancer(b, balancing.groups) for b in balancing.balancers]
    balancers += [classic(c, names) for c in balancing.classic]
    groups = [group(g, names) for g in balancing.groups.values()]
    return {"balancers": broken_first(balancers), "groups": broken_first(groups)}


def balancer(data: LoadBalancer, groups: Mapping[str, TargetGroup]) -> Item:
    """A load balancer of ELBv2."""
    document = data.document
    state = document["State"]["Code"]
    return item(
        data.arn,
        data.name,
        f"{data.kind} {document['Scheme']} {state}",
        {"active": "good", "failed": "bad"}.get(state, "wait"),
        refs=[data.host, data.arn, f"balancer {data.name}"],
        details=[
            ("host name", data.host),
            ("zones", ", ".join(zone["ZoneName"] for zone in document.get("AvailabilityZones", []))),
            ("security groups", ", ".join(document.get("SecurityGroups", []))),
        ],
        items=[listener(entry, groups) for entry in sorted(data.listeners, key=lambda entry: entry.port)],
    )


def listener(data: Listener, groups: Mapping[str, TargetGroup]) -> Item:
    """A listener with its rules, in the order in which they are tried."""
    return item(
        data.arn,
        str(data),
        "listener",
        details=[("certificates", ", ".join(data.certificates)), ("TLS policy", data.document.get("SslPolicy", ""))],
        refs=[data.arn],
        items=[
            item(
                rule.arn or rule.priority,
                f"rule {rule.priority}",
                " ".join(word for word in (rule.words, "→", action(rule, groups)) if word),
                refs=[*rule.groups, rule.arn],
            )
            for rule in data.rules
        ],
    )


def group(data: TargetGroup, names: Mapping[str, str]) -> Item:
    """A target group with its targets."""
    document = data.document
    targets, healthy = _judged(data.targets, names)
    return item(
        data.arn,
        data.name,
        f"{data.type} {document.get('Protocol', '')}:{document.get('Port', '')}, {healthy} of {len(targets)} healthy",
        "good" if targets and healthy == len(targets) else "bad" if targets and not healthy else "wait",
        refs=[data.arn],
        details=[
            ("health check", " ".join(str(document.get(k, "")) for k in ("HealthCheckProtocol", "HealthCheckPath"))),
            ("deregistration delay", f"{data.attributes.get('deregistration_delay.timeout_seconds', '?')} s"),
        ],
        items=broken_first(targets),
    )


def _judged(targets: Iterable[Target], names: Mapping[str, str]) -> tuple[list[Item], int]:
    """Targets as items, and how many are healthy."""
    items = [target(each, names) for each in targets]
    return items, sum(each["mood"] == "good" for each in items)


def target(data: Target, names: Mapping[str, str]) -> Item:
    """A target, or a Classic load balancer's instance, with its health."""
    mood = "good" if data.healthy else "wait" if data.health in _WAITING else "bad"
    reason = f"({data.reason})" if data.reason else ""
    words = " ".join(word for word in (names.get(data.id, ""), data.health, reason) if word)
    return item(str(data), str(data), words, mood, refs=[data.id])


def classic(data: LoadBalancer, names: Mapping[str, str]) -> Item:
    """A Classic load balancer: its listeners, and its instances."""
    listeners = [
        item(
            f"listener {entry.port}",
            str(entry),
            f"listener → instances' port {entry.document['InstancePort']}",
        )
        for entry in data.listeners
    ]
    instances, healthy = _judged(data.instances, names)
    return item(
        data.name,
        data.name,
        f"{data.kind} {data.document['Scheme']}, {healthy} of {len(instances)} in service",
        "good" if healthy else "bad",
        refs=[data.host, f"balancer {data.name}"],
        details=[("host name", data.host), ("health check", data.document.get("HealthCheck", {}).get("Target", ""))],
        items=listeners + instances,
    )


def server_error(rule: Rule) -> str:
    """The status 5xx with which a rule answers itself, as the controller has it for a backend that does not exist."""
    codes = [each.config.get("StatusCode", "") for each in rule.actions if each.type == "fixed-response"]
    return next((code for code in codes if code.startswith("5")), "")


def action(rule: Rule, groups: Mapping[str, TargetGroup]) -> str:
    """What a rule does, in words."""
    to = [groups[arn].name if arn in groups else arn for arn in rule.groups]
    if to:
        return f"forward to {', '.join(to)}"
    return f"{rule.last.type or 'nothing'} {rule.last.config.get('StatusCode', '')}".strip()
