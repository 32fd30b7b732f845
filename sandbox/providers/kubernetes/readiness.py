"""When an object is ready, as pulumi-kubernetes sees it: pure functions from what there is to what is missing.

Each rule is told the object (role `self`) and those that it depends on, and answers in words; no words mean ready.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.kubernetes.kinds import Kind, Selection

Objects = Mapping[str, Sequence[Any]]
SELF: Final = "self"
_PODS = Kind("", "v1", "Pod")
_SLICES = Kind("discovery.k8s.io", "v1", "EndpointSlice")
_SERVICES = Kind("", "v1", "Service")
_CLASSES = Kind("storage.k8s.io", "v1", "StorageClass")
_NO_SERVICE_BEHIND_IT = "use-annotation"  # the port name of an ALB action: such a backend is no Service


def _no_relatives(_: Any) -> dict[str, Selection]:
    return {}


@dataclass(frozen=True)
class Rule:
    """What to look at, and what may be missing.

    Attributes:
        missing: From the objects by role to what is missing.
        related: From the object to the selections that it depends on, by role.
    """

    missing: Callable[[Objects], Sequence[str]]
    related: Callable[[Any], dict[str, Selection]] = _no_relatives


class FailedError(Exception):
    """It will never be ready: waiting on is pointless."""


def at(item: Any, *path: str) -> Any:
    """The value at a path of an object, or None."""
    for part in path:
        item = item.get(part) if isinstance(item, Mapping) else None
    return item


def condition(item: Any, name: str) -> Mapping[str, Any]:
    """A condition of an object's status, or an empty mapping."""
    return next((entry for entry in at(item, "status", "conditions") or () if entry.get("type") == name), {})


def _labels(selector: Mapping[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((selector or {}).items()))


def _pods_of(item: Any) -> dict[str, Selection]:
    labels = _labels(at(item, "spec", "selector", "matchLabels"))
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


def _waits_for_pods(item: Any) -> bool:
    spec = item["spec"]
    return spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None" and bool(spec.get("selector"))


def _slices_of(item: Any) -> dict[str, Selection]:
    if not _waits_for_pods(item):
        return {}
    labels = f"kubernetes.io/service-name={item['metadata']['name']}"
    return {"slices": Selection(_SLICES, item["metadata"]["namespace"], labels=labels)}


def _ready_endpoints(slices: Sequence[Any]) -> int:
    # No word on readiness means ready (EndpointSlice API, `conditions.ready`).
    endpoints = (endpoint for part in slices for endpoint in part.get("endpoints") or ())
    return sum(at(endpoint, "conditions", "ready") is not False for endpoint in endpoints)


def service(objects: Objects) -> Sequence[str]:
    """It has a ready endpoint (if it selects pods at all) and, as a load balancer, an address."""
    (item,) = objects[SELF]
    lacking: list[str] = []
    if _waits_for_pods(item) and not _ready_endpoints(objects.get("slices", ())):
        lacking.append(f"no pod that matches {_labels(item['spec']['selector'])} is ready")
    if item["spec"].get("type") == "LoadBalancer" and not at(item, "status", "loadBalancer", "ingress"):
        by = item["spec"].get("loadBalancerClass")
        lacking.append("it has no load balancer address" + (f" (its controller is {by})" if by else ""))
    return lacking


def _backends(item: Any) -> set[str]:
    spec = item["spec"]
    paths = (path for rule in spec.get("rules") or () for path in at(rule, "http", "paths") or ())
    backends = [spec.get("defaultBackend"), *(path.get("backend") for path in paths)]
    services = (at(backend, "service") for backend in backends)
    return {
        one["name"] for one in services if one and at(one, "port", "name") != _NO_SERVICE_BEHIND_IT and one.get("name")
    }


def _around_an_ingress(item: Any) -> dict[str, Selection]:
    namespace = item["metadata"]["namespace"]
    if not _backends(item):
        return {}
    return {"services": Selection(_SERVICES, namespace), "slices": Selection(_SLICES, namespace)}


def ingress(objects: Objects) -> Sequence[str]:
    """It has an address, and the services behind it have endpoints."""
    (item,) = objects[SELF]
    services = {one["metadata"]["name"]: one for one in objects.get("services", ())}
    lacking: list[str] = []
    for name in sorted(_backends(item)):
        slices = [
            part
            for part in objects.get("slices", ())
            if at(part, "metadata", "labels", "kubernetes.io/service-name") == name
        ]
        if name not in services:
            lacking.append(f"its backend service {name} does not exist")
        elif _waits_for_pods(services[name]) and not _ready_endpoints(slices):
            lacking.append(f"its backend service {name} has no ready pod")
    if not at(item, "status", "loadBalancer", "ingress"):
        by = item["spec"].get("ingressClassName")
        lacking.append("it has no load balancer address" + (f" (its class is {by})" if by else ""))
    return lacking


def claim(objects: Objects) -> Sequence[str]:
    """Bound, or waiting for its first consumer where its class says so."""
    (item,) = objects[SELF]
    phase = at(item, "status", "phase")
    modes = {at(one, "volumeBindingMode") for one in objects.get("class", ())}
    fine = phase == "Bound" or (phase == "Pending" and "WaitForFirstConsumer" in modes)
    return [] if fine else [f"it is {phase or 'not seen yet'}, not Bound"]


def _class_of(item: Any) -> dict[str, Selection]:
    name = at(item, "spec", "storageClassName")
    return {"class": Selection(_CLASSES, name=name)} if name else {}


def phase(*good: str) -> Rule:
    """The rule of an object whose phase says all."""

    def missing(objects: Objects) -> Sequence[str]:
        (item,) = objects[SELF]
        now = at(item, "status", "phase")
        return [] if now in good else [f"it is {now or 'not seen yet'}, not {' or '.join(good)}"]

    return Rule(missing)


def definition(objects: Objects) -> Sequence[str]:
    """A CRD whose names are accepted and whose objects can be made."""
    (item,) = objects[SELF]
    lacking: list[str] = []
    for name in ("NamesAccepted", "Established"):
        found = condition(item, name)
        if found.get("status") != "True":
            lacking.append(f"it is not {name}" + (f": {found['message']}" if found.get("message") else ""))
    return lacking


def quota(objects: Objects) -> Sequence[str]:
    """Its limits are in force."""
    (item,) = objects[SELF]
    return [] if at(item, "spec", "hard") == at(item, "status", "hard") else ["its limits are not in force yet"]


def token(objects: Objects) -> Sequence[str]:
    """A service account token's secret has been filled."""
    (item,) = objects[SELF]
    waits = item.get("type") == "kubernetes.io/service-account-token" and not item.get("data")
    return ["its token has not been made"] if waits else []


RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("apps", "Deployment"): Rule(deployment, _pods_of),
    ("apps", "StatefulSet"): Rule(stateful_set, _pods_of),
    ("apps", "DaemonSet"): Rule(daemon_set, _pods_of),
    ("batch", "Job"): Rule(job, _pods_of),
    ("networking.k8s.io", "Ingress"): Rule(ingress, _around_an_ingress),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Rule(definition),
    ("", "Service"): Rule(service, _slices_of),
    ("", "Pod"): Rule(pod),
    ("", "PersistentVolumeClaim"): Rule(claim, _class_of),
    ("", "PersistentVolume"): phase("Available", "Bound"),
    ("", "Namespace"): phase("Active"),
    ("", "ReplicationController"): Rule(replication_controller),
    ("", "ResourceQuota"): Rule(quota),
    ("", "Secret"): Rule(token),
}
"""The rules by group and kind; every other kind is ready as soon as it exists."""


def waits_for(conditions: Sequence[str]) -> Rule:
    """The rule of the annotation `pulumi.com/waitFor`: all of these instead of the kind's own."""

    def missing(objects: Objects) -> Sequence[str]:
        (item,) = objects[SELF]
        return [f"{text} does not hold" for text in conditions if not _holds(item, text)]

    return Rule(missing)


def _holds(item: Any, text: str) -> bool:
    how, _, rest = text.partition("=")
    if how == "condition":
        name, _, status = rest.partition("=")
        return condition(item, name).get("status") == (status or "True")
    path, _, wanted = rest.removeprefix("{").partition("}")
    value = item
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = at(value, part)
    return value is not None and (not wanted or str(value) == wanted.removeprefix("=").strip("'\""))
