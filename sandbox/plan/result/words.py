"""How load balancers and what is below them are put into words: titles, and fields as lists of short lines. Pure."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
Fields = dict[str, list[str]]


def title(kind: str, entity: Mapping[str, Any]) -> str:
    """What a thing is called: `ALB shop/web`, `listener HTTPS:443`."""
    match kind:
        case "load balancer":
            return f"{entity['kind']} {entity['key']}"
        case "listener":
            return f"listener {entity['protocol']}:{entity['port']}"
        case "rule":
            return f"rule {' and '.join(entity['conditions'])}"
        case "security group":
            return f"security group {entity['name']}"
        case _:
            return f"target group {entity['key']}"


def children(kind: str, entity: Mapping[str, Any]) -> dict[str, list[Json]]:
    """What is below a thing, by kind."""
    match kind:
        case "load balancer":
            return {
                "security group": [g for g in entity.get("securityGroups", []) if g["managed"] and g["rules"]],
                "listener": entity.get("listeners", []),
                "target group": entity.get("targetGroups", []),
            }
        case "listener":
            return {"rule": entity.get("rules", [])}
        case _:
            return {}


def fields(kind: str, entity: Mapping[str, Any]) -> Fields:
    """The lines that describe a resource, without empty fields."""
    made = {
        "load balancer": _balancer,
        "listener": _listener,
        "rule": _rule,
        "security group": lambda e: {"rules": e["rules"]},
        "target group": _group,
    }[kind](entity)
    return {name: values for name, values in made.items() if values}


def short(arn: str) -> str:
    """An ARN without what is the same for all: its resource."""
    return arn.split(":", 5)[5] if arn.startswith("arn:") and arn.count(":") >= 5 else arn  # noqa: PLR2004 - an ARN's parts


def _one(value: Any) -> list[str]:
    return [str(value)] if value not in (None, "") else []


def _pairs(given: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {value}" for key, value in sorted(given.items())]


def _balancer(b: Mapping[str, Any]) -> Fields:
    return {
        "for": b.get("owners", []),
        "type": _one(b["kind"]),
        "name": _one(b["name"]),
        "scheme": _one(b["scheme"]),
        "addresses": _one(b.get("ipAddressType")),
        "subnets": b["subnets"],
        "security groups": [g["name"] for g in b.get("securityGroups", [])],
        "private link": ["inbound rules off"] if b.get("privateLinkRules") == "off" else [],
        "source NAT": ["IPv6 prefix on"] if b.get("sourceNatIpv6") == "on" else [],
        "attributes": _pairs(b.get("attributes", {})),
        "tags": _pairs(b.get("tags", {})),
        "web ACL": _one(short(b.get("webAcl", ""))),
    }


def _listener(e: Mapping[str, Any]) -> Fields:
    return {
        "protocol": _one(e["protocol"]),
        "certificates": [short(arn) for arn in e.get("certificates", [])],
        "TLS policy": _one(e.get("tlsPolicy")),
        "ALPN": _one(e.get("alpn")),
        "mutual TLS": _one(short(e.get("mutualTls", ""))),
        "attributes": _pairs(e.get("attributes", {})),
        "default": e.get("default", []),
    }


def _rule(r: Mapping[str, Any]) -> Fields:
    return {"priority": _one(r["priority"]), "actions": r["actions"], "transforms": r.get("transforms", [])}


def _group(g: Mapping[str, Any]) -> Fields:
    return {
        "name": _one(g["name"]),
        "target type": _one(g["targetType"]),
        "protocol": _one(g["protocol"]),
        "protocol version": _one(g.get("protocolVersion")),
        "port": _one(g.get("port")),
        "address type": _one(g.get("ipAddressType")),
        "health check": _health(g["healthCheck"]),
        "attributes": _pairs(g.get("attributes", {})),
        "tags": _pairs(g.get("tags", {})),
        "targets": [f"{t['count']} x {t['target']} on {t['port']}" for t in g.get("targets", [])],
    }


def _health(check: Mapping[str, Any]) -> list[str]:
    asked = " ".join(str(check[key]) for key in ("protocol", "port", "path", "codes") if check.get(key))
    counted = f"{check.get('healthyThreshold')} times healthy, {check.get('unhealthyThreshold')} times not"
    return [asked, f"every {check.get('intervalSeconds')} s, within {check.get('timeoutSeconds')} s, {counted}"]
