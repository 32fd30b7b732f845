"""The comparison's subject: one application, five paths to it. Kubernetes objects as values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

NAMESPACE = "compare"
CROWD = "compare-crowd"
"""The namespace of the Services that only add rules."""
APP = "app"
PORT = 8080
REPLICAS = 4
DEREGISTRATION_SECONDS = 5
PRE_STOP_SECONDS = 12
"""Longer than the deregistration delay, like the sample's, so that a pod serves until nobody sends to it."""
_IMAGE = "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine"
_LB = "service.beta.kubernetes.io/aws-load-balancer"
_ALB = "alb.ingress.kubernetes.io"
_HEALTH = {"interval": "5", "timeout": "3", "healthy-threshold": "2", "unhealthy-threshold": "2"}

Object = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One path to the application."""

    name: str
    kind: str
    """`classic`, `nlb` or `alb`."""
    targets: str
    """`instance` or `ip`."""

    @property
    def title(self) -> str:
        """In readable form."""
        return {"classic": "Classic ELB", "nlb": "NLB", "alb": "ALB"}[self.kind] + f", {self.targets} targets"


WAYS = (
    Way("classic", "classic", "instance"),
    Way("nlb-instance", "nlb", "instance"),
    Way("alb-instance", "alb", "instance"),
    Way("nlb-ip", "nlb", "ip"),
    Way("alb-ip", "alb", "ip"),
)


def objects(*, careful: bool) -> list[Object]:
    """Everything in the application's namespace.

    Args:
        careful: whether pods wait for their load balancers (readiness gate), and continue to serve while they are
            deregistered (preStop, grace period).
    """
    return [
        _namespace(NAMESPACE, {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"} if careful else {}),
        deployment(careful=careful),
        *(entry for way in WAYS for entry in _way(way)),
    ]


def deployment(*, careful: bool) -> Object:
    """The application."""
    container: Object = {
        "name": "web",
        "image": _IMAGE,
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 2},
    }
    spec: Object = {"containers": [container], "automountServiceAccountToken": False}
    if careful:
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
        spec["terminationGracePeriodSeconds"] = PRE_STOP_SECONDS + 10
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": APP}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": APP, "namespace": NAMESPACE},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": {"app": APP}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 2}},
            "template": {
                "metadata": {"labels": {"app": APP, "careful": str(careful).lower()}},
                "spec": {**spec, "topologySpreadConstraints": [spread]},
            },
        },
    }


def crowd(count: int) -> list[Object]:
    """Services with one endpoint each, which nobody uses: they only add rules."""
    idle: Object = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "idle", "namespace": CROWD},
        "spec": {
            "selector": {"matchLabels": {"app": "idle"}},
            "template": {
                "metadata": {"labels": {"app": "idle"}},
                "spec": {"containers": [{"name": "idle", "image": "registry.k8s.io/pause:3.10"}]},
            },
        },
    }
    return [_namespace(CROWD, {}), idle, *crowd_services(range(count))]


def crowd_services(numbers: Iterable[int]) -> list[Object]:
    """Services of the crowd, by number."""
    return [_service(f"crowd-{n}", CROWD, "ClusterIP", "idle", {}) for n in numbers]


def _namespace(name: str, labels: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _service(name: str, namespace: str, kind: str, app: str, annotations: dict[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {
            "type": kind,
            "selector": {"app": app},
            "ports": [{"name": "http", "port": 80, "targetPort": PORT}],
        },
    }


def _way(way: Way) -> list[Object]:
    attributes = f"deregistration_delay.timeout_seconds={DEREGISTRATION_SECONDS}"
    if way.kind == "classic":
        # Its load balancer is created separately (`classic`), because this controller does not create this kind.
        return [_service(way.name, NAMESPACE, "NodePort", APP, {})]
    if way.kind == "nlb":
        annotations = {
            f"{_LB}-scheme": "internal",
            f"{_LB}-nlb-target-type": way.targets,
            f"{_LB}-target-group-attributes": f"{attributes},preserve_client_ip.enabled=false",
            f"{_LB}-attributes": "load_balancing.cross_zone.enabled=true",
            **{f"{_LB}-healthcheck-{key}": value for key, value in _HEALTH.items()},
        }
        service = _service(way.name, NAMESPACE, "LoadBalancer", APP, annotations)
        service["spec"]["loadBalancerClass"] = "service.k8s.aws/nlb"
        return [service]
    annotations = {
        f"{_ALB}/scheme": "internal",
        f"{_ALB}/target-type": way.targets,
        f"{_ALB}/target-group-attributes": attributes,
        f"{_ALB}/healthcheck-interval-seconds": _HEALTH["interval"],
        f"{_ALB}/healthcheck-timeout-seconds": _HEALTH["timeout"],
        f"{_ALB}/healthy-threshold-count": _HEALTH["healthy-threshold"],
        f"{_ALB}/unhealthy-threshold-count": _HEALTH["unhealthy-threshold"],
    }
    backend = {"service": {"name": way.name, "port": {"name": "http"}}}
    ingress: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": way.name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": {
            "ingressClassName": "alb",
            "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
        },
    }
    return [_service(way.name, NAMESPACE, "NodePort" if way.targets == "instance" else "ClusterIP", APP, {}), ingress]
