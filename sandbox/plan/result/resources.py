"""The AWS resources of a state as a Pulumi program declares them, and the objects behind each: for the policy pack.

Pure. Attributes that a state leaves out are those that AWS gives by itself.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.network.elb.model import TYPES

Json = dict[str, Any]
_REDIRECT = re.compile(r"^redirect (\d+) to (?:.*?\bprotocol (\w+))?")
_RULE = re.compile(r"^(\S+?)(?:/(\d+)(?:-(\d+))?)? from (\S+)$")


def resources(state: Mapping[str, Any]) -> Iterator[tuple[Json, list[str]]]:
    """Load balancers, listeners, target groups, security groups and web ACLs; with each the objects that ask for it."""
    for balancer in state["loadBalancers"]:
        for resource in _of_balancer(balancer):
            yield resource, balancer.get("owners", [])


def _of_balancer(b: Json) -> Iterator[Json]:
    key, attributes = b["key"], b.get("attributes", {})
    yield {
        "type": "aws:lb/loadBalancer:LoadBalancer",
        "name": key,
        "properties": {
            "name": b["name"],
            "arn": b["identity"],
            "internal": b["scheme"] == "internal",
            "loadBalancerType": TYPES.get(b["kind"], "gateway"),
            "ipAddressType": b.get("ipAddressType", "ipv4"),
            "enableDeletionProtection": _on(attributes, "deletion_protection.enabled"),
            "dropInvalidHeaderFields": _on(attributes, "routing.http.drop_invalid_header_fields.enabled"),
            "desyncMitigationMode": attributes.get("routing.http.desync_mitigation_mode", "defensive"),
            "enableWafFailOpen": _on(attributes, "waf.fail_open.enabled"),
            "accessLogs": {
                "enabled": _on(attributes, "access_logs.s3.enabled"),
                "bucket": attributes.get("access_logs.s3.bucket", ""),
            },
            "tags": b.get("tags", {}),
        },
    }
    if b.get("webAcl"):
        properties = {"resourceArn": b["identity"], "webAclArn": b["webAcl"]}
        name = f"{key} web ACL"
        yield {"type": "aws:wafv2/webAclAssociation:WebAclAssociation", "name": name, "properties": properties}
    for group in b.get("securityGroups", []):
        if group["managed"] and group["rules"]:
            rules = [_ingress(rule) for rule in group["rules"]]
            properties = {"name": group["name"], "ingress": rules}
            yield {"type": "aws:ec2/securityGroup:SecurityGroup", "name": group["name"], "properties": properties}
    for one in b.get("listeners", []):
        properties = {
            "loadBalancerArn": b["identity"],
            "port": one["port"],
            "protocol": one["protocol"],
            **({"sslPolicy": one["tlsPolicy"]} if "tlsPolicy" in one else {}),
            **({"certificateArn": one["certificates"][0]} if one.get("certificates") else {}),
            "defaultActions": [_action(word) for word in one.get("default", [])],
        }
        yield {"type": "aws:lb/listener:Listener", "name": f"{key} {one['key']}", "properties": properties}
    for one in b.get("targetGroups", []):
        properties = {
            "name": one["name"],
            "protocol": one["protocol"],
            "port": one.get("port"),
            "targetType": one["targetType"],
            "healthCheck": one["healthCheck"],
            "tags": one.get("tags", {}),
        }
        yield {"type": "aws:lb/targetGroup:TargetGroup", "name": one["key"], "properties": properties}


def _on(attributes: Mapping[str, str], key: str) -> bool:
    return attributes.get(key) == "true"


def _action(words: str) -> Json:
    if match := _REDIRECT.match(words):
        return {
            "type": "redirect",
            "redirect": {"statusCode": f"HTTP_{match[1]}", "protocol": match[2] or "#{protocol}"},
        }
    return {"type": "fixed-response" if words.startswith("respond") else words.split(" ", 1)[0]}


def _ingress(words: str) -> Json:
    match = _RULE.match(words)
    protocol, first, last, peer = match.groups() if match else ("-1", None, None, "")
    network = "ipv6CidrBlocks" if ":" in peer else "cidrBlocks" if "/" in peer else "securityGroups"
    ports = {"fromPort": int(first or 0), "toPort": int(last or first or 0)}
    return {"protocol": "-1" if protocol == "all" else protocol, **ports, network: [peer]}
