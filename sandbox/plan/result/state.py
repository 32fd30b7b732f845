"""What there is, as one document: load balancers with everything below them.

What AWS makes up is left out or said in words: addresses of pods, node ports, host names. docs/plan.md has the schema.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.network.elb.model import TYPES, Document, Listener, LoadBalancer, Rule, Target, TargetGroup
from sandbox.observe.inventory import Inventory
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
        balancing = self.inventory.balancing
        balancers = [self._balancer(b) for b in balancing.balancers if self._stack(b)]
        held = {group["identity"] for b in balancers for group in b["targetGroups"]}
        loose = [self._group(g) for arn, g in balancing.groups.items() if arn not in held and g.targets]
        return {
            "loadBalancers": sorted(balancers, key=lambda b: b["key"]),
            "targetGroups": sorted(loose, key=lambda g: g["key"]),
        }

    def _stack(self, balancer: LoadBalancer) -> str:
        return tag(self.inventory.tags.get(balancer.arn, {}), "stack")

    def _balancer(self, balancer: LoadBalancer) -> Json:
        arn, document = balancer.arn, balancer.document
        found = {
            "key": self._stack(balancer),
            "identity": arn,
            "owners": sorted(self.cluster.owners.get(balancer.host.lower(), [])),
            "kind": balancer.kind,
            "name": shown(balancer.name),
            "dnsName": balancer.host,
            "scheme": document["Scheme"],
            "ipAddressType": document.get("IpAddressType", ""),
            "subnets": sorted(self._subnet(zone) for zone in document["AvailabilityZones"]),
            "securityGroups": sorted(
                (self._security_group(g) for g in document.get("SecurityGroups") or []), key=_name
            ),
            "privateLinkRules": document.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") or "",
            "sourceNatIpv6": document.get("EnablePrefixForIpv6SourceNat") or "",
            "attributes": self._set(balancer.attributes, TYPES.get(balancer.kind, "")),
            "tags": _own_tags(self.inventory.tags.get(arn, {})),
            "webAcl": self.inventory.web_acls.get(arn, ""),
            "listeners": [self._listener(e) for e in sorted(balancer.listeners, key=lambda e: (e.port, e.protocol))],
            "targetGroups": sorted((self._group(g) for g in balancer.groups), key=lambda g: g["key"]),
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

    def _listener(self, listener: Listener) -> Json:
        *others, default = listener.rules
        rules = [self._rule(rule) for rule in others]
        document, certificates = listener.document, listener.certificates
        mutual = {k: v for k, v in (document.get("MutualAuthentication") or {}).items() if v not in ("off", "", None)}
        found = {
            "key": str(listener),
            "identity": listener.arn,
            "protocol": listener.protocol,
            "port": listener.port,
            "certificates": [*certificates[:1], *sorted(certificates[1:])],
            "tlsPolicy": document.get("SslPolicy", "") if listener.protocol in ("HTTPS", "TLS") else "",
            "alpn": ", ".join(document.get("AlpnPolicy") or []),
            "mutualTls": ", ".join(f"{k} {v}" for k, v in sorted(mutual.items())),
            "attributes": self._set(listener.attributes, f"listener {listener.protocol}"),
            "rules": rules,
            "default": [action(a, self._words) for a in default.actions],
        }
        return {key: value for key, value in found.items() if value not in ("", {}, [], None)} | {"rules": rules}

    @property
    def _words(self) -> Words:
        return {arn: self._key(group) for arn, group in self.inventory.balancing.groups.items()}

    def _rule(self, rule: Rule) -> Json:
        transforms = [_plain(t) for t in rule.document.get("Transforms") or []]
        return {
            "priority": int(rule.priority),
            "conditions": sorted(condition(c) for c in rule.conditions),
            "actions": [action(a, self._words) for a in rule.actions],
            **({"transforms": transforms} if transforms else {}),
        }

    def _key(self, group: TargetGroup) -> str:
        return tag(self.inventory.tags.get(group.arn, {}), "resource") or group.name

    def _group(self, group: TargetGroup) -> Json:
        document, protocol = group.document, group.document["Protocol"]
        counted = Counter((self._target(t), self._port(t.port or None, group)) for t in group.targets)
        matcher = document.get("Matcher") or {}
        health = {key: document.get(name) for key, name in _HEALTH.items()}
        health["codes"] = matcher.get("HttpCode") or matcher.get("GrpcCode")
        if str(health["port"]).isdigit():
            health["port"] = self._port(int(str(health["port"])), group)
        found = {
            "key": self._key(group),
            "identity": group.arn,
            "name": shown(group.name),
            "protocol": protocol,
            "port": self._port(document.get("Port"), group),
            "protocolVersion": document.get("ProtocolVersion") or "",
            "targetType": group.type,
            "ipAddressType": document.get("IpAddressType") or "",
            "healthCheck": {key: value for key, value in health.items() if value not in (None, "")},
            "attributes": self._set(group.attributes, protocol if protocol in ("HTTP", "HTTPS") else "TCP"),
            "tags": _own_tags(self.inventory.tags.get(group.arn, {})),
            "targets": [{"target": t, "port": p, "count": n} for (t, p), n in sorted(counted.items(), key=str)],
        }
        return {key: value for key, value in found.items() if value not in ("", {}, None)}

    def _target(self, target: Target) -> str:
        return "node" if target.id.startswith("i-") else self.cluster.pods.get(target.id, target.id)

    def _port(self, port: int | None, group: TargetGroup) -> int | str | None:
        is_node_port = group.type == "instance" and port in self.cluster.node_ports
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
