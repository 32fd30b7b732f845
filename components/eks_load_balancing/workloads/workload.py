"""The pods behind a load balancer: a Deployment that loses no request while it rolls, and its disruption budget."""

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input

SAMPLE_IMAGE: Final = "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine"
SAMPLE_PORT: Final = 8080
DEFAULT_DELAY: Final = 30
_SPARE: Final = 10
"""Seconds for a load balancer to hear of a pod that goes, and for a pod to end after the last request."""


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

    @property
    def labels(self) -> dict[str, str]:
        """What the Deployment and the Service select the pods by."""
        return {"app.kubernetes.io/name": self.name}


def drain_seconds(deregistration_delay: int) -> tuple[int, int]:
    """Return how long a pod sleeps before it is told to end, and how long it has in all.

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
        metadata={"name": workload.name, "namespace": workload.namespace, "labels": workload.labels},
        spec={"max_unavailable": 1, "selector": {"match_labels": workload.labels}},
        opts=child,
    )
    return kubernetes.apps.v1.Deployment(
        f"{workload.name}-deployment",
        metadata={"name": workload.name, "namespace": workload.namespace, "labels": workload.labels},
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
                        "run_as_user": 101,
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
                    "containers": [
                        {
                            "name": "web",
                            "image": workload.image,
                            "ports": [{"name": "http", "container_port": workload.container_port}],
                            "lifecycle": {"pre_stop": {"sleep": {"seconds": sleep}}},
                            "readiness_probe": {
                                "http_get": {"path": workload.health_check_path, "port": workload.container_port},
                                "period_seconds": 5,
                            },
                            "resources": {
                                "requests": {"cpu": "50m", "memory": "64Mi"},
                                "limits": {"memory": "128Mi"},
                            },
                            "security_context": {
                                "allow_privilege_escalation": False,
                                "capabilities": {"drop": ["ALL"]},
                                "read_only_root_filesystem": True,
                            },
                            "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - the pod's own
                        }
                    ],
                    "volumes": [{"name": "tmp", "empty_dir": {}}],
                },
            },
        },
        opts=child,
    )
