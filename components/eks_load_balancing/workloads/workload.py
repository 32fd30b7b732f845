"""The pods behind a load balancer: a Deployment that loses no request while it rolls, and its disruption budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input

from eks_load_balancing.errors import InvalidInputError

SAMPLE_IMAGE: Final = "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine"
SAMPLE_PORT: Final = 8080
DEFAULT_DELAY: Final = 30
DEFAULT_USER: Final = 101
_SPARE: Final = 10
"""Seconds for a load balancer to hear of a pod that goes, and for a pod to end after the last request."""
_RESOURCES: Final[Mapping[str, Mapping[str, str]]] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "128Mi"},
}


@dataclass(frozen=True)
class Listener:
    """A port that a load balancer listens on, and that of the pods behind it."""

    name: str
    port: int
    container_port: int
    protocol: str = "TCP"


@dataclass(frozen=True)
class Workload:
    """A set of equal pods."""

    name: str
    namespace: Input[str]
    image: Input[str]
    container_port: int
    replicas: Input[int]
    deregistration_delay: int
    health_check_path: str
    more_ports: Sequence[Listener] = ()
    """Further ports that the container listens on."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict[str, Input[str]])
    resources: Mapping[str, Mapping[str, str]] | None = None
    user_id: int = DEFAULT_USER

    @property
    def labels(self) -> dict[str, str]:
        """What the Deployment and the Service select the pods by."""
        return {"app.kubernetes.io/name": self.name}

    @property
    def metadata(self) -> kubernetes.meta.v1.ObjectMetaArgsDict:
        """What each of its objects is called."""
        return {"name": self.name, "namespace": self.namespace, "labels": self.labels}


OF_OUR_PODS: Final = ("image", "replicas", "environment", "resources", "user_id")
"""Arguments about the pods that are made here: with pods of the program's own they would say nothing."""


def refuse_both(args: Mapping[str, Any], one: str, others: Sequence[str], why: str) -> None:
    """Refuse an argument together with others that it leaves without effect."""
    for key in others:
        if one in args and key in args:
            raise InvalidInputError(f"{key} and {one} are both given, and {why}: give one of them", key=key)


def drain_seconds(deregistration_delay: int) -> tuple[int, int]:
    """Return how long a pod sleeps before it gets SIGTERM, and its whole grace period.

    Kubernetes ends a pod at the moment it leaves the endpoints, and the load balancer goes on sending for a while: the
    pod serves on until the target is deregistered and its connections have had their delay.
    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/pod_readiness_gate/
    """
    sleep = deregistration_delay + _SPARE
    return sleep, sleep + _SPARE


def deploy(workload: Workload, parent: pulumi.Resource) -> kubernetes.apps.v1.Deployment:
    """Declare the Deployment and its PodDisruptionBudget.

    Nothing here may depend on the Service or Ingress: Pulumi waits for those until they have ready endpoints, which
    are these pods.
    """
    child = pulumi.ResourceOptions(parent=parent)
    sleep, grace = drain_seconds(workload.deregistration_delay)
    kubernetes.policy.v1.PodDisruptionBudget(
        f"{workload.name}-budget",
        metadata=workload.metadata,
        spec={"max_unavailable": 1, "selector": {"match_labels": workload.labels}},
        opts=child,
    )
    return kubernetes.apps.v1.Deployment(
        f"{workload.name}-deployment",
        metadata=workload.metadata,
        spec={
            "replicas": workload.replicas,
            "selector": {"match_labels": workload.labels},
            "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
            "template": {
                "metadata": {"labels": workload.labels},
                "spec": {
                    "automount_service_account_token": False,
                    "termination_grace_period_seconds": grace,
                    "security_context": {
                        "run_as_non_root": True,
                        "run_as_user": workload.user_id,
                        "seccomp_profile": {"type": "RuntimeDefault"},
                    },
                    "topology_spread_constraints": [
                        {
                            "max_skew": 1,
                            "topology_key": "topology.kubernetes.io/zone",
                            "when_unsatisfiable": "ScheduleAnyway",
                            "label_selector": {"match_labels": workload.labels},
                        }
                    ],
                    "containers": [_container(workload, sleep)],
                    "volumes": [{"name": "tmp", "empty_dir": {}}],
                },
            },
        },
        opts=child,
    )


def _container(workload: Workload, sleep: int) -> kubernetes.core.v1.ContainerArgsDict:
    ports: list[kubernetes.core.v1.ContainerPortArgsDict] = [
        {"name": "http", "container_port": workload.container_port},
        *(
            {"name": one.name, "container_port": one.container_port, "protocol": one.protocol}
            for one in workload.more_ports
        ),
    ]
    container: kubernetes.core.v1.ContainerArgsDict = {
        "name": "web",
        "image": workload.image,
        "ports": ports,
        "lifecycle": {"pre_stop": {"sleep": {"seconds": sleep}}},
        "readiness_probe": {
            "http_get": {"path": workload.health_check_path, "port": workload.container_port},
            "period_seconds": 5,
        },
        "resources": _resources(workload),
        "security_context": {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
            "read_only_root_filesystem": True,
        },
        "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - the pod's own
    }
    if workload.environment:
        container["env"] = [{"name": key, "value": value} for key, value in workload.environment.items()]
    return container


def _resources(workload: Workload) -> kubernetes.core.v1.ResourceRequirementsArgsDict:
    asked = workload.resources or _RESOURCES
    return {"requests": asked.get("requests", {}), "limits": asked.get("limits", {})}
