"""Readiness gates: a pod's condition that says whether its load balancer sends it traffic yet."""

import datetime as dt

from sandbox.controller.endpoints import condition
from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.objects import key
from sandbox.controller.model.stack import Json

PREFIX = "target-health.elbv2.k8s.aws"
LEGACY_PREFIX = "target-health.alb.ingress.k8s.aws"
_NOT_YET: Json = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}


class ReadinessGates:
    """Writes the conditions."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    @staticmethod
    def condition_type(binding: Json) -> str:
        """The condition that stands for a binding."""
        return f"{PREFIX}/{key(binding)[1]}"

    @staticmethod
    def settled(kind: str, pod: Json) -> bool:
        """Whether the condition is true: it never turns back."""
        return condition(pod, kind) == "True"

    def tell(self, kind: str, pod: Json, health: Json | None) -> bool:
        """Write a target's health (None: just registered) into the pod's condition; whether it is healthy."""
        health = health or _NOT_YET
        healthy = health["State"] == "healthy"
        wanted = {
            "type": kind,
            "status": "True" if healthy else "False",
            "reason": health.get("Reason", ""),
            "message": health.get("Description", ""),
        }
        current = next((c for c in (pod.get("status") or {}).get("conditions") or [] if c["type"] == kind), {})
        if all(current.get(field, "") == value for field, value in wanted.items()):
            return healthy
        wanted["lastTransitionTime"] = (
            current["lastTransitionTime"]
            if current.get("status") == wanted["status"] and current.get("lastTransitionTime")
            else dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        # The uid is a precondition: a new pod of the same name is not meant.
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [wanted]}}
        try:
            self._kube.patch("Pod", *key(pod), body, "status", strategic=True)
        except KubeError as error:
            if not (error.missing or error.conflict):
                raise
        return healthy
