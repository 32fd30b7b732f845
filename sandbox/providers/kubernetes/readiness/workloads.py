"""When workloads are ready: rollouts, pods, jobs."""

from collections.abc import Sequence
from typing import Any, Final

from sandbox.providers.kubernetes.kinds import Kind, Selection
from sandbox.providers.kubernetes.readiness.rule import SELF, FailedError, Objects, at, condition, labels_of

_PODS: Final = Kind("", "v1", "Pod")


def pods_of(item: Any) -> dict[str, Selection]:
    """The pods that a workload selects."""
    labels = labels_of(at(item, "spec", "selector", "matchLabels"))
    return {"pods": Selection(_PODS, item["metadata"]["namespace"], labels=labels)} if labels else {}


def _observed(item: Any) -> bool:
    return (at(item, "status", "observedGeneration") or 0) >= at(item, "metadata", "generation")


def _pod_troubles(pods: Sequence[Any]) -> list[str]:
    """Why pods are not ready, where they say so: cannot be scheduled, cannot be pulled, crash."""
    troubles: list[str] = []
    for pod in pods:
        name = at(pod, "metadata", "name")
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            troubles.append(f"pod {name} is not scheduled: {scheduled.get('message') or scheduled.get('reason')}")
        for container in at(pod, "status", "containerStatuses") or ():
            waiting = at(container, "state", "waiting") or {}
            if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
                why = f"{waiting['reason']} {waiting.get('message', '')}".strip()
                troubles.append(f"pod {name}, container {container['name']}: {why}")
    return troubles


def deployment(objects: Objects) -> Sequence[str]:
    """A rollout is complete: all replicas are of this generation and available, none of the last is left."""
    (item,) = objects[SELF]
    if not _observed(item):
        return ["the deployment controller has not seen it yet"]
    wanted = at(item, "spec", "replicas")
    status = item["status"]
    updated, total, available = (status.get(key, 0) for key in ("updatedReplicas", "replicas", "availableReplicas"))
    lacking: list[str] = []
    if updated < wanted:
        lacking.append(f"{updated} of {wanted} replicas are of this generation")
    elif total > updated:
        lacking.append(f"{total - updated} replicas of the last generation are still there")
    if available < wanted:
        lacking.append(f"{available} of {wanted} replicas are available")
    progress = condition(item, "Progressing")
    if lacking and progress.get("status") == "False":
        lacking.append(f"{progress.get('reason')}: {progress.get('message')}")
    return [*lacking, *_pod_troubles(objects.get("pods", ()))] if lacking else []


def stateful_set(objects: Objects) -> Sequence[str]:
    """All replicas are ready and of the current revision (but those that a partition holds back)."""
    (item,) = objects[SELF]
    if not _observed(item):
        return ["the stateful set controller has not seen it yet"]
    wanted, status = at(item, "spec", "replicas"), item["status"]
    lacking: list[str] = []
    if (ready := status.get("readyReplicas", 0)) < wanted:
        lacking.append(f"{ready} of {wanted} replicas are ready")
    rolling = at(item, "spec", "updateStrategy", "type") == "RollingUpdate"
    partition = at(item, "spec", "updateStrategy", "rollingUpdate", "partition") or 0
    updated = status.get("updatedReplicas", 0)
    if rolling and updated < wanted - partition and status.get("currentRevision") != status.get("updateRevision"):
        lacking.append(f"{updated} of {wanted - partition} replicas are of this revision")
    return [*lacking, *_pod_troubles(objects.get("pods", ()))] if lacking else []


def daemon_set(objects: Objects) -> Sequence[str]:
    """Every node that should has an available pod of this generation."""
    (item,) = objects[SELF]
    if not _observed(item):
        return ["the daemon set controller has not seen it yet"]
    status = item["status"]
    wanted = status.get("desiredNumberScheduled", 0)
    lacking: list[str] = []
    if at(item, "spec", "updateStrategy", "type") != "OnDelete" and status.get("updatedNumberScheduled", 0) < wanted:
        lacking.append(f"{status.get('updatedNumberScheduled', 0)} of {wanted} pods are of this generation")
    if status.get("numberAvailable", 0) < wanted:
        lacking.append(f"{status.get('numberAvailable', 0)} of {wanted} pods are available")
    return [*lacking, *_pod_troubles(objects.get("pods", ()))] if lacking else []


def replication_controller(objects: Objects) -> Sequence[str]:
    """All replicas are available."""
    (item,) = objects[SELF]
    wanted, available = at(item, "spec", "replicas"), at(item, "status", "availableReplicas") or 0
    return [] if available >= wanted else [f"{available} of {wanted} replicas are available"]


def pod(objects: Objects) -> Sequence[str]:
    """Ready, or done with success."""
    (item,) = objects[SELF]
    phase = at(item, "status", "phase")
    if phase == "Succeeded" or condition(item, "Ready").get("status") == "True":
        return []
    if phase == "Failed":
        raise FailedError(f"the pod failed: {at(item, 'status', 'message') or at(item, 'status', 'reason') or phase}")
    return _pod_troubles([item]) or [f"the pod is {phase or 'not started'} and not ready"]


def job(objects: Objects) -> Sequence[str]:
    """Complete."""
    (item,) = objects[SELF]
    failed = condition(item, "Failed")
    if failed.get("status") == "True":
        raise FailedError(f"the job failed: {failed.get('reason')}: {failed.get('message')}")
    if condition(item, "Complete").get("status") == "True":
        return []
    succeeded, wanted = at(item, "status", "succeeded") or 0, at(item, "spec", "completions") or 1
    return [f"{succeeded} of {wanted} completions succeeded", *_pod_troubles(objects.get("pods", ()))]
