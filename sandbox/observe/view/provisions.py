"""What was provisioned, as items: load balancers, listeners, rules; target groups, targets, their health. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.network.balancers.documents import KINDS, Documents, forwarded
from sandbox.observe.view.items import Item, Json, broken_first, item

HEALTHY = ("healthy", "InService")
_WAITING = ("initial", "draining", "unused")


@dataclass(frozen=True)
class Provisioned:
    """What the APIs hold of load balancers."""

    documents: Documents = field(default_factory=Documents)
    instances: Mapping[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    """Classic load balancer's name -> its InstanceStates."""

    def within(self, vpc: str) -> "Provisioned":
        """What of it belongs to a VPC."""
        d = self.documents
        balancers = [b for b in d.balancers if b.get("VpcId") == vpc]
        groups = {arn: g for arn, g in d.groups.items() if g.get("VpcId") in {vpc, None}}
        classic = [c for c in d.classic if c.get("VPCId") == vpc]
        return Provisioned(Documents(balancers, d.listeners, groups, d.attributes, classic), self.instances)


def section(provisioned: Provisioned, names: Mapping[str, str]) -> dict[str, list[Item]]:
    """The page's right column: load balancers with listeners and rules, target groups with targets.

    Args:
        provisioned: all of it.
        names: address or instance -> the pod or node that has it.
    """
    documents = provisioned.documents
    balancers = [balancer(b, documents) for b in documents.balancers]
    balancers += [classic(c, provisioned.instances.get(c["LoadBalancerName"], []), names) for c in documents.classic]
    groups = [group(g, names) for g in documents.groups.values()]
    return {"balancers": broken_first(balancers), "groups": broken_first(groups)}


def balancer(data: Json, documents: Documents) -> Item:
    """A load balancer of ELBv2."""
    arn, state = data["LoadBalancerArn"], data["State"]["Code"]
    kind = KINDS.get(data["Type"], data["Type"])
    listeners = sorted(documents.listeners.get(arn, []), key=lambda entry: entry.get("Port", 0))
    return item(
        arn,
        data["LoadBalancerName"],
        f"{kind} {data['Scheme']} {state}",
        {"active": "good", "failed": "bad"}.get(state, "wait"),
        refs=[data["DNSName"], arn, f"balancer {data['LoadBalancerName']}"],
        details=[
            ("host name", data["DNSName"]),
            ("zones", ", ".join(zone["ZoneName"] for zone in data.get("AvailabilityZones", []))),
            ("security groups", ", ".join(data.get("SecurityGroups", []))),
        ],
        items=[listener(entry, documents) for entry in listeners],
    )


def listener(data: Json, documents: Documents) -> Item:
    """A listener with its rules, in the order in which they are tried."""
    certificates = ", ".join(c["CertificateArn"] for c in data.get("Certificates") or [])
    return item(
        data["ListenerArn"],
        f"{data.get('Protocol', '')}:{data.get('Port', '')}",
        "listener",
        details=[("certificates", certificates), ("TLS policy", data.get("SslPolicy", ""))],
        refs=[data["ListenerArn"]],
        items=[
            item(
                rule.get("RuleArn", rule["Priority"]),
                f"rule {rule['Priority']}",
                " ".join(word for word in (conditions(rule), "→", action(rule["Actions"], documents.groups)) if word),
                refs=[*forwarded(rule["Actions"]), rule.get("RuleArn", "")],
            )
            for rule in in_order(data.get("Rules") or [])
        ],
    )


def group(data: Json, names: Mapping[str, str]) -> Item:
    """A target group with its targets."""
    arn = data["TargetGroupArn"]
    targets = [target(entry, names) for entry in data.get("Targets") or []]
    healthy = sum(entry["mood"] == "good" for entry in targets)
    attributes: Mapping[str, str] = data.get("Attributes") or {}
    return item(
        arn,
        data["TargetGroupName"],
        f"{data['TargetType']} {data.get('Protocol', '')}:{data.get('Port', '')}, {healthy} of {len(targets)} healthy",
        "good" if targets and healthy == len(targets) else "bad" if targets and not healthy else "wait",
        refs=[arn],
        details=[
            ("health check", " ".join(str(data.get(k, "")) for k in ("HealthCheckProtocol", "HealthCheckPath"))),
            ("deregistration delay", f"{attributes.get('deregistration_delay.timeout_seconds', '?')} s"),
        ],
        items=broken_first(targets),
    )


def target(described: Json, names: Mapping[str, str]) -> Item:
    """A target as DescribeTargetHealth has it."""
    identity, port = described["Target"]["Id"], described["Target"].get("Port", "")
    health = described["TargetHealth"]
    return _target(f"{identity}:{port}", identity, health["State"], _reason(health), names)


def classic(data: Json, states: Iterable[Json], names: Mapping[str, str]) -> Item:
    """A Classic load balancer: its listeners, and its instances."""
    name = data["LoadBalancerName"]
    listeners = [
        item(
            f"listener {entry['LoadBalancerPort']}",
            f"{entry['Protocol']}:{entry['LoadBalancerPort']}",
            f"listener → instances' port {entry['InstancePort']}",
        )
        for entry in (d["Listener"] for d in data["ListenerDescriptions"])
    ]
    instances = [
        _target(s["InstanceId"], s["InstanceId"], s["State"], s.get("ReasonCode", "").replace("N/A", ""), names)
        for s in states
    ]
    healthy = sum(entry["mood"] == "good" for entry in instances)
    return item(
        name,
        name,
        f"Classic ELB {data['Scheme']}, {healthy} of {len(instances)} in service",
        "good" if healthy else "bad",
        refs=[data["DNSName"], f"balancer {name}"],
        details=[("host name", data["DNSName"]), ("health check", data.get("HealthCheck", {}).get("Target", ""))],
        items=listeners + instances,
    )


def in_order(rules: Iterable[Json]) -> list[Json]:
    """Rules in the order in which they are tried, the default one last."""
    return sorted(
        rules, key=lambda r: (r["Priority"] == "default", int(r["Priority"]) if r["Priority"].isdigit() else 0)
    )


def conditions(rule: Json) -> str:
    """A rule's conditions in words; empty for one without."""
    return " and ".join(f"{c['Field']} {' or '.join(values(c))}" for c in rule.get("Conditions") or [])


def values(condition: Json) -> list[str]:
    """What a condition wants of its field."""
    configured: Json = next((v for k, v in condition.items() if k.endswith("Config") and v), {})
    found = condition.get("Values") or configured.get("Values") or []
    return [f"{v['Key']}={v['Value']}" if isinstance(v, dict) else str(v) for v in found]


def server_error(rule: Json) -> str:
    """The status 5xx with which a rule answers itself, as the controller has it for a backend that does not exist."""
    codes = [(each.get("FixedResponseConfig") or {}).get("StatusCode", "") for each in rule["Actions"]]
    return next((code for code in codes if code.startswith("5")), "")


def action(actions: list[Json], groups: Mapping[str, Json]) -> str:
    """What a rule does, in words."""
    to = [groups[arn]["TargetGroupName"] if arn in groups else arn for arn in dict.fromkeys(forwarded(actions))]
    if to:
        return f"forward to {', '.join(to)}"
    last = actions[-1] if actions else {}
    code = (last.get("FixedResponseConfig") or last.get("RedirectConfig") or {}).get("StatusCode", "")
    return f"{last.get('Type', 'nothing')} {code}".strip()


def _target(title: str, identity: str, state: str, reason: str, names: Mapping[str, str]) -> Item:
    mood = "good" if state in HEALTHY else "wait" if state in _WAITING else "bad"
    words = " ".join(word for word in (names.get(identity, ""), state, f"({reason})" if reason else "") if word)
    return item(title, title, words, mood, refs=[identity])


def _reason(health: Json) -> str:
    return health.get("Reason", "")
