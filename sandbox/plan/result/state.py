"""What there is, as one document: load balancers with everything below them.

What AWS makes up is left out or said in words: addresses of pods, node ports, host names. docs/plan.md has the schema.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.network.balancers.documents import KINDS, Document, forwarded
from sandbox.observe.inventory import Inventory
from sandbox.observe.view.provisions import in_order
from sandbox.plan.result.rules import Words, action, condition

Json = dict[str, Any]
_PREFIXES = ("ingress.k8s.aws", "service.k8s.aws", "gateway.k8s.aws.alb", "gateway.k8s.aws.nlb")
_CLUSTER_TAG = "elbv2.k8s.aws/"
_CLUSTERS_TAGS = ("kubernetes.io/", *(f"{prefix}/" for prefix in _PREFIXES), _CLUSTER_TAG)
NODE_PORT = "node port"
_HEALTH = {
    "protocol": "HealthCheckProtocol",
    "port": "HealthCheckPort",
    "path": "HealthCheckPath",
    "intervalSeconds": "HealthCheckIntervalSeconds",
    "timeoutSeconds": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


@dataclass(frozen=True)
class Cluster:
    """What the cluster adds to what AWS holds."""

    pods: Mapping[str, str] = field(default_factory=dict[str, str])
    """Address -> the workload that has it, such as `Deployment shop/web`."""
    node_ports: frozenset[int] = frozenset()
    owners: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Host name -> the objects whose status has it, such as `Ingress shop/web`."""


def tag(tags: Mapping[str, str], what: str) -> str:
    """The controller's own tag: `stack` or `resource`."""
    return next((tags[f"{prefix}/{what}"] for prefix in _PREFIXES if f"{prefix}/{what}" in tags), "")


@dataclass(frozen=True)
class Reading:
    """Makes the document of an inventory."""

    inventory: Inventory
    cluster: Cluster
    defaults: Mapping[str, Mapping[str, str]]
    """Attributes that AWS gives by itself, by `application`, `network`, `HTTP` or `TCP`."""

    def document(self) -> Json:
        """The whole of it."""
        documents = self.inventory.documents
        balancers = [self._balancer(b) for b in documents.balancers if self._stack(b)]
        held = {group["identity"] for b in balancers for group in b["targetGroups"]}
        loose = [self._group(g) for arn, g in documents.groups.items() if arn not in held and g["Targets"]]
        return {
            "loadBalancers": sorted(balancers, key=lambda b: b["key"]),
            "targetGroups": sorted(loose, key=lambda g: g["key"]),
        }

    def _stack(self, balancer: Document) -> str:
        return tag(self.inventory.tags.get(balancer["LoadBalancerArn"], {}), "stack")

    def _balancer(self, balancer: Document) -> Json:
        arn, inventory = balancer["LoadBalancerArn"], self.inventory
        listeners = inventory.documents.listeners.get(arn, [])
        actions = [a for one in listeners for r in [*one["Rules"], {"Actions": one["DefaultActions"]}]
                   for a in r["Actions"]]  # fmt: skip
        groups = [inventory.documents.groups[g] for g in dict.fromkeys(forwarded(actions))]
        found = {
            "key": self._stack(balancer),
            "identity": arn,
            "owners": sorted(self.cluster.owners.get(balancer["DNSName"].lower(), [])),
            "kind": KINDS.get(balancer["Type"], balancer["Type"]),
            "name": shown(balancer["LoadBalancerName"]),
            "dnsName": balancer["DNSName"],
            "scheme": balancer["Scheme"],
            "ipAddressType": balancer.get("IpAddressType", ""),
            "subnets": sorted(self._subnet(zone) for zone in balancer["AvailabilityZones"]),
            "securityGroups": sorted(
                (self._security_group(g) for g in balancer.get("SecurityGroups") or []), key=_name
            ),
            "privateLinkRules": balancer.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") or "",
            "sourceNatIpv6": balancer.get("EnablePrefixForIpv6SourceNat") or "",
            "attributes": self._set(inventory.documents.attributes.get(arn, {}), balancer["Type"]),
            "tags": _own_tags(inventory.tags.get(arn, {})),
            "webAcl": inventory.web_acls.get(arn, ""),
            "listeners": [self._listener(one) for one in sorted(listeners, key=lambda e: (e["Port"], e["Protocol"]))],
            "targetGroups": sorted((self._group(g) for g in groups), key=lambda g: g["key"]),
        }
        return {key: value for key, value in found.items() if value not in ("", {}, None)}

    def _subnet(self, zone: Document) -> str:
        found = self.inventory.subnets.get(zone["SubnetId"], {})
        name = {t["Key"]: t["Value"] for t in found.get("Tags") or []}.get("Name", "")
        given = [a.get("AllocationId") or a.get("PrivateIPv4Address") for a in zone.get("LoadBalancerAddresses") or []]
        words = [zone["ZoneName"], zone["SubnetId"], f"({name})" if name else "", *(f"with {g}" for g in given if g)]
        return " ".join(word for word in words if word)

    def _security_group(self, identity: str) -> Json:
        group = self.inventory.groups.get(identity, {})
        tags = {t["Key"]: t["Value"] for t in group.get("Tags") or []}
        if tags.get(f"{_CLUSTER_TAG}resource") == "backend-sg":
            return {"name": "backend group", "managed": True, "rules": []}
        if tag(tags, "resource"):
            return {"name": shown(group["GroupName"]), "managed": True, "rules": self._rules(group)}
        return {"name": identity, "managed": False, "rules": []}

    @staticmethod
    def _rules(group: Document) -> list[str]:
        found = list[str]()
        for permission in group["IpPermissions"]:
            first, last, protocol = permission.get("FromPort"), permission.get("ToPort"), permission["IpProtocol"]
            ports = "all" if protocol == "-1" else f"{protocol}/{first}" + (f"-{last}" if last != first else "")
            peers = [r["CidrIp"] for r in permission.get("IpRanges") or []]
            peers += [r["CidrIpv6"] for r in permission.get("Ipv6Ranges") or []]
            peers += [r["PrefixListId"] for r in permission.get("PrefixListIds") or []]
            peers += [r["GroupId"] for r in permission.get("UserIdGroupPairs") or []]
            found += [f"{ports} from {peer}" for peer in peers]
        return sorted(found)

    def _listener(self, listener: Document) -> Json:
        rules = [self._rule(rule) for rule in in_order(listener["Rules"]) if rule["Priority"] != "default"]
        certificates = [c["CertificateArn"] for c in listener.get("Certificates") or []]
        mutual = {k: v for k, v in (listener.get("MutualAuthentication") or {}).items() if v not in ("off", "", None)}
        found = {
            "key": f"{listener['Protocol']}:{listener['Port']}",
            "identity": listener["ListenerArn"],
            "protocol": listener["Protocol"],
            "port": listener["Port"],
            "certificates": [*certificates[:1], *sorted(certificates[1:])],
            "tlsPolicy": listener.get("SslPolicy", "") if listener["Protocol"] in ("HTTPS", "TLS") else "",
            "alpn": ", ".join(listener.get("AlpnPolicy") or []),
            "mutualTls": ", ".join(f"{k} {v}" for k, v in sorted(mutual.items())),
            "attributes": self._set(listener.get("Attributes") or {}, f"listener {listener['Protocol']}"),
            "rules": rules,
            "default": [action(a, self._words) for a in listener["DefaultActions"]],
        }
        return {key: value for key, value in found.items() if value not in ("", {}, [], None)} | {"rules": rules}

    @property
    def _words(self) -> Words:
        return {arn: self._key(group) for arn, group in self.inventory.documents.groups.items()}

    def _rule(self, rule: Document) -> Json:
        return {
            "priority": int(rule["Priority"]),
            "conditions": sorted(condition(c) for c in rule.get("Conditions") or []),
            "actions": [action(a, self._words) for a in rule["Actions"]],
            **({"transforms": [_plain(t) for t in rule["Transforms"]]} if rule.get("Transforms") else {}),
        }

    def _key(self, group: Document) -> str:
        tags = self.inventory.tags.get(group["TargetGroupArn"], {})
        return tag(tags, "resource") or group["TargetGroupName"]

    def _group(self, group: Document) -> Json:
        arn, targets = group["TargetGroupArn"], [d["Target"] for d in group["Targets"]]
        counted = Counter((self._target(t), self._port(t.get("Port"), group)) for t in targets)
        matcher = group.get("Matcher") or {}
        health = {key: group.get(name) for key, name in _HEALTH.items()}
        health["codes"] = matcher.get("HttpCode") or matcher.get("GrpcCode")
        if str(health["port"]).isdigit():
            health["port"] = self._port(int(str(health["port"])), group)
        kind = group["Protocol"] if group["Protocol"] in ("HTTP", "HTTPS") else "TCP"
        found = {
            "key": self._key(group),
            "identity": arn,
            "name": shown(group["TargetGroupName"]),
            "protocol": group["Protocol"],
            "port": self._port(group.get("Port"), group),
            "protocolVersion": group.get("ProtocolVersion") or "",
            "targetType": group["TargetType"],
            "ipAddressType": group.get("IpAddressType") or "",
            "healthCheck": {key: value for key, value in health.items() if value not in (None, "")},
            "attributes": self._set(group["Attributes"], kind),
            "tags": _own_tags(self.inventory.tags.get(arn, {})),
            "targets": [{"target": t, "port": p, "count": n} for (t, p), n in sorted(counted.items(), key=str)],
        }
        return {key: value for key, value in found.items() if value not in ("", {}, None)}

    def _target(self, target: Document) -> str:
        identity = target["Id"]
        return "node" if identity.startswith("i-") else self.cluster.pods.get(identity, identity)

    def _port(self, port: int | None, group: Document) -> int | str | None:
        is_node_port = group["TargetType"] == "instance" and port in self.cluster.node_ports
        return NODE_PORT if is_node_port else port

    def _set(self, attributes: Mapping[str, str], kind: str) -> dict[str, str]:
        usual = self.defaults.get(kind, {})
        return {key: value for key, value in sorted(attributes.items()) if usual.get(key, "") != value}


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in sorted(tags.items()) if not key.startswith(_CLUSTERS_TAGS)}


def _plain(transform: Document) -> str:
    config: Json = transform.get("UrlRewriteConfig") or transform.get("HostHeaderRewriteConfig") or {}
    pairs = [f"{r.get('Regex')} -> {r.get('Replace')}" for r in config.get("Rewrites") or []]
    return f"{transform['Type']} {', '.join(pairs)}"


def _name(entry: Json) -> str:
    return entry["name"]


_GENERATED = re.compile(r"^(k8s-.*)-[0-9a-f]{10}$")


def shown(name: str) -> str:
    """A name; the end of one that the controller makes of an object's uid is not known before, and is a star."""
    return _GENERATED.sub(r"\1-*", name)


def workload(pod: Document) -> str:
    """What a pod belongs to: `Deployment shop/web`."""
    metadata = pod["metadata"]
    owner: Json = next(iter(metadata.get("ownerReferences") or []), {"kind": "Pod", "name": metadata["name"]})
    kind, name = owner["kind"], owner["name"]
    if kind == "ReplicaSet" and (hashed := (metadata.get("labels") or {}).get("pod-template-hash")):
        kind, name = "Deployment", name.removesuffix(f"-{hashed}")
    return f"{kind} {metadata['namespace']}/{name}"


def cluster(pods: Iterable[Document], services: Iterable[Document], asking: Iterable[Document]) -> Cluster:
    """What a cluster's objects add.

    Args:
        pods: all pods.
        services: all Services.
        asking: Services, Ingresses and Gateways, whose status may have host names.
    """
    addresses = {p["status"]["podIP"]: workload(p) for p in pods if (p.get("status") or {}).get("podIP")}
    ports = {p["nodePort"] for s in services for p in s["spec"].get("ports") or [] if p.get("nodePort")}
    ports |= {s["spec"]["healthCheckNodePort"] for s in services if s["spec"].get("healthCheckNodePort")}
    owners: dict[str, list[str]] = {}
    for one in asking:
        name = f"{one['kind']} {one['metadata']['namespace']}/{one['metadata']['name']}"
        status: Json = one.get("status") or {}
        served = [i.get("hostname") for i in (status.get("loadBalancer") or {}).get("ingress") or []]
        served += [a.get("value") for a in status.get("addresses") or []]
        for host in filter(None, served):
            owners.setdefault(host.lower(), []).append(name)
    return Cluster(addresses, frozenset(ports), owners)
