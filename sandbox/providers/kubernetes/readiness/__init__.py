"""When an object is ready, as pulumi-kubernetes sees it: pure functions from what there is to what is missing.

Each rule is told the object (role `self`) and those that it depends on, and answers in words; no words mean ready.
"""

from collections.abc import Mapping
from typing import Final

from sandbox.providers.kubernetes.readiness import others, traffic, workloads
from sandbox.providers.kubernetes.readiness.others import definition, waits_for
from sandbox.providers.kubernetes.readiness.rule import SELF, FailedError, Objects, Rule, Settling, at, condition

__all__ = ["RULES", "SELF", "FailedError", "Objects", "Rule", "Settling", "at", "condition", "definition", "waits_for"]

RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("apps", "Deployment"): Rule(workloads.deployment, workloads.pods_of),
    ("apps", "StatefulSet"): Rule(workloads.stateful_set, workloads.pods_of),
    ("apps", "DaemonSet"): Rule(workloads.daemon_set, workloads.pods_of),
    ("batch", "Job"): Rule(workloads.job, workloads.pods_of),
    ("networking.k8s.io", "Ingress"): Rule(traffic.ingress, traffic.around_an_ingress),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Rule(others.definition),
    ("", "Service"): Rule(traffic.service, traffic.slices_of),
    ("", "Pod"): Rule(workloads.pod),
    ("", "PersistentVolumeClaim"): Rule(others.claim, others.class_of),
    ("", "PersistentVolume"): others.phase("Available", "Bound"),
    ("", "Namespace"): others.phase("Active"),
    ("", "ReplicationController"): Rule(workloads.replication_controller),
    ("", "ResourceQuota"): Rule(others.quota),
    ("", "Secret"): Rule(others.token),
}
"""The rules by group and kind; every other kind is ready as soon as it exists."""
