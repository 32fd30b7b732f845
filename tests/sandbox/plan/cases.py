"""Manifests before and after, and what AWS and the controller are known to make of the step."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ALB = "alb.ingress.kubernetes.io"
NLB = "service.beta.kubernetes.io/aws-load-balancer"
_ONE = "arn:aws:acm:us-west-2:123456789012:certificate/11111111-1111-1111-1111-111111111111"
_TWO = "arn:aws:acm:us-west-2:123456789012:certificate/22222222-2222-2222-2222-222222222222"

Object = dict[str, Any]


def pods(name: str = "web", port: int = 8080) -> Object:
    """Two pods."""
    container = {"name": "app", "image": "nginx", "ports": [{"containerPort": port}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def service(name: str = "web", ports: tuple[int, ...] = (80,), **annotations: str) -> Object:
    """A Service in front of them; with annotations one that asks for an NLB."""
    given = [{"name": f"p{port}", "port": port, "targetPort": 8080} for port in ports]
    spec: Object = {"selector": {"app": "web"}, "ports": given}
    if annotations:
        spec["type"] = "LoadBalancer"
    else:
        spec["type"] = "NodePort"
    metadata = {"name": name, "annotations": {f"{NLB}-{k.replace('_', '-')}": v for k, v in annotations.items()}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def ingress(name: str = "web", **annotations: str) -> Object:
    """An ALB in front of the Service."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": f"/{name}", "pathType": "Prefix", "backend": backend}
    given = {"target-type": "ip", **{k.replace("__", ".").replace("_", "-"): v for k, v in annotations.items()}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": {f"{ALB}/{k}": v for k, v in given.items()}},
        "spec": {"ingressClassName": "alb", "rules": [{"http": {"paths": [path]}}]},
    }


@dataclass(frozen=True)
class Case:
    """One step."""

    name: str
    before: list[Object]
    after: list[Object]
    expected: dict[str, str]
    """Key of a load balancer, its namespace left out -> what happens to it."""
    below: tuple[str, str, str] = ("", "", "")
    """Kind, key's end and action of something below the first of them."""


def _step(
    change: Callable[..., Object], before: dict[str, str], after: dict[str, str]
) -> tuple[list[Object], list[Object]]:
    return [pods(), service(), change(**before)], [pods(), service(), change(**after)]


def _nlb(ports: tuple[int, ...] = (80,), **annotations: str) -> list[Object]:
    return [pods(), service("web", ports, nlb_target_type="ip", **annotations)]


_HTTPS = {"listen_ports": json.dumps([{"HTTPS": 443}])}
_OTHERS = [ingress("other", group__name="both-{ns}")]
CASES = (
    Case("scheme", *_step(ingress, {}, {"scheme": "internet-facing"}), {"web": "replace"}),
    Case("nlb-scheme", _nlb(), _nlb(scheme="internet-facing"), {"web": "replace"}),
    # The controller finds it by its tags and goes on using it under the old name.
    Case("name", *_step(ingress, {"load_balancer_name": "first"}, {"load_balancer_name": "second"}), {"web": "keep"}),
    Case(
        "target-type",
        *_step(ingress, {}, {"target_type": "instance"}),
        {"web": "change"},
        ("target group", ":80", "replace"),
    ),
    Case("subnets", *_step(ingress, {}, {"subnets": "subnet-0aaa,subnet-0bbb"}), {"web": "change"}),
    Case("addresses", *_step(ingress, {}, {"ip_address_type": "dualstack"}), {"web": "change"}),
    Case(
        "joined",
        [pods(), service(), ingress(), *_OTHERS],
        [pods(), service(), ingress(group__name="both-{ns}"), *_OTHERS],
        {"web": "remove", "both-{ns}": "change"},
    ),
    Case(
        "left",
        [pods(), service(), ingress(group__name="both-{ns}"), *_OTHERS],
        [pods(), service(), ingress(), *_OTHERS],
        {"web": "add", "both-{ns}": "change"},
    ),
    Case("port", _nlb(), _nlb((80, 81)), {"web": "change"}, ("listener", "81", "add")),
    Case(
        "certificate",
        *_step(ingress, {**_HTTPS, "certificate_arn": _ONE}, {**_HTTPS, "certificate_arn": _TWO}),
        {"web": "change"},
        ("listener", "443", "change"),
    ),
    Case("removed", [pods(), service(), ingress()], [pods(), service()], {"web": "remove"}),
)
