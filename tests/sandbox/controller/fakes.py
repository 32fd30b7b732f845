"""A cluster and an AWS of plain values, for what decides without either."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.controller.model import groups, ingress, service
from sandbox.controller.model.lookup import Existing
from sandbox.controller.model.stack import Json, ModelError, Stack
from sandbox.controller.settings import Settings

SETTINGS = Settings(cluster_name="demo", aws_vpc_id="vpc-0123456789abcdef0", aws_region="us-west-2")


class Cluster:
    """Objects by kind, as an informer would keep them."""

    def __init__(self, *objects: Json) -> None:
        self.objects = list(objects)

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        for obj in self.list(kind):
            if (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) == (namespace, name):
                return obj
        return None

    def list(self, kind: str, namespace: str | None = None) -> list[Json]:
        return [
            obj
            for obj in self.objects
            if obj["kind"] == kind and namespace in (None, obj["metadata"].get("namespace", ""))
        ]


def subnet(name: str, zone: str, cidr: str, tags: Json | None = None, *, free: int = 250) -> Json:
    labels = [{"Key": k, "Value": v} for k, v in (tags or {}).items()]
    return {
        "SubnetId": f"subnet-{name}",
        "AvailabilityZone": f"us-west-2{zone}",
        "AvailabilityZoneId": f"usw2-az{zone}",
        "CidrBlock": cidr,
        "AvailableIpAddressCount": free,
        "Tags": [{"Key": "Name", "Value": name}, *labels],
    }


ELB: Json = {"kubernetes.io/role/elb": "1"}
INTERNAL: Json = {"kubernetes.io/role/internal-elb": "1"}


@dataclass
class FakeAws:
    """`model.lookup.Lookup` over values."""

    all_subnets: list[Json] = field(
        default_factory=lambda: [
            subnet("public-a", "a", "10.0.0.0/24", ELB),
            subnet("public-b", "b", "10.0.1.0/24", ELB),
            subnet("private-a", "a", "10.0.16.0/20", INTERNAL),
            subnet("private-b", "b", "10.0.32.0/20", INTERNAL),
        ]
    )
    certificate_hosts: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    secrets: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)

    def subnets(self) -> list[Json]:
        return self.all_subnets

    def public_subnets(self) -> frozenset[str]:
        return frozenset(s["SubnetId"] for s in self.all_subnets if "public" in s["SubnetId"])

    def zone_type(self, zone_id: str) -> str:
        return "local-zone" if "local" in zone_id else "availability-zone"

    def vpc_cidrs(self, family: str) -> list[str]:
        return ["10.0.0.0/16"] if family == "ipv4" else []

    def security_groups(self, names_or_ids: list[str]) -> list[str]:
        return [one if one.startswith("sg-") else self.groups[one] for one in names_or_ids]

    def certificates(self, hosts: list[str]) -> list[str]:
        missing = [host for host in hosts if host not in self.certificate_hosts]
        if missing:
            raise ModelError(f"no certificate found for host: {missing[0]}")
        return sorted({arn for host in hosts for arn in self.certificate_hosts[host]})

    def target_group(self, name: str) -> str:
        return f"arn:named:{name}"

    def trust_store(self, name: str) -> str:
        return f"arn:store:{name}"

    def web_acl(self, name: str) -> str:
        return f"arn:acl:{name}"

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        return self.secrets[namespace, name]


def a_service(name: str = "web", port: int = 80, target: int | str = 8080, **more: Any) -> Json:
    annotations = more.pop("annotations", {})
    ports = more.pop("ports", [{"port": port, "targetPort": target, "nodePort": 31000 + port, "protocol": "TCP"}])
    return {
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": name, "uid": f"uid-{name}", "annotations": annotations},
        "spec": {"type": "NodePort", "ports": ports, "selector": {"app": name}} | more,
    }


def an_nlb(annotations: dict[str, str] | None = None, **more: Any) -> Json:
    spec: Json = {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"} | more
    return a_service(annotations=annotations or {}, **spec)


ALB_CLASS: Json = {
    "kind": "IngressClass",
    "metadata": {"name": "alb"},
    "spec": {"controller": "ingress.k8s.aws/alb"},
}


def a_path(path: str, kind: str = "Prefix", service_name: str = "web", port: int | str = 80) -> Json:
    number = {"number": port} if isinstance(port, int) else {"name": port}
    return {"path": path, "pathType": kind, "backend": {"service": {"name": service_name, "port": number}}}


def an_ingress(name: str = "web", *paths: Json, host: str = "", **annotations: str) -> Json:
    rule: Json = {"http": {"paths": list(paths) or [a_path("/")]}} | ({"host": host} if host else {})
    keys = {f"alb.ingress.kubernetes.io/{k.replace('__', '.').replace('_', '-')}": v for k, v in annotations.items()}
    return {
        "kind": "Ingress",
        "metadata": {"namespace": "shop", "name": name, "uid": f"uid-{name}", "annotations": keys},
        "spec": {"ingressClassName": "alb", "rules": [rule]},
    }


def class_with(**spec: Any) -> list[Json]:
    """An IngressClass `alb` with IngressClassParams of that spec."""
    reference = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "alb"}
    with_params = {**ALB_CLASS, "spec": {**ALB_CLASS["spec"], "parameters": reference}}
    return [with_params, {"kind": "IngressClassParams", "metadata": {"name": "alb"}, "spec": spec}]


def alb_stack(
    *objects: Json,
    group: str = "",
    aws: FakeAws | None = None,
    settings: Settings = SETTINGS,
    existing: Existing | None = None,
    classes: Iterable[Json] = (ALB_CLASS,),
) -> Stack:
    """The stack of the Ingress `shop/web`, or of a named group, in a cluster with these objects."""
    cluster = Cluster(*classes, *objects)
    identity = groups.group_id("", group) if group else groups.group_id("shop", "web")
    loaded = groups.load(identity, cluster, settings)
    return ingress.build(loaded, cluster, aws or FakeAws(), settings, existing)


def nlb_stack(
    one: Json,
    *others: Json,
    aws: FakeAws | None = None,
    settings: Settings = SETTINGS,
    existing: Existing | None = None,
) -> Stack:
    """The stack of a Service."""
    return service.build(one, Cluster(one, *others), aws or FakeAws(), settings, existing)
