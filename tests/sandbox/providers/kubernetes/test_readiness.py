"""When an object is ready: what is missing, in words."""

import copy
from typing import Any

import pytest

from sandbox.providers.kubernetes import readiness
from sandbox.providers.kubernetes.readiness import RULES, SELF, FailedError, Objects, Settling

DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "d", "namespace": "n", "generation": 2},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}},
    "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
}
SERVICE: dict[str, Any] = {
    "metadata": {"name": "s", "namespace": "n"},
    "spec": {"type": "ClusterIP", "clusterIP": "172.20.0.9", "selector": {"app": "a"}},
    "status": {"loadBalancer": {}},
}
READY_SLICE: dict[str, Any] = {
    "metadata": {"labels": {"kubernetes.io/service-name": "s"}},
    "endpoints": [{"conditions": {"ready": True}}],
}
INGRESS: dict[str, Any] = {
    "metadata": {"name": "i", "namespace": "n"},
    "spec": {
        "ingressClassName": "alb",
        "rules": [{"http": {"paths": [{"backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}],
    },
    "status": {"loadBalancer": {"ingress": [{"hostname": "h"}]}},
}


def missing(kind: tuple[str, str], item: Any, **related: Any) -> str:
    objects: Objects = {SELF: [item], **related}
    return "; ".join(RULES[kind].missing(objects))


def changed(item: Any, **parts: dict[str, Any]) -> Any:
    result = copy.deepcopy(item)
    for part, values in parts.items():
        result[part] = {**result.get(part, {}), **values}
    return result


def deployment(**status: Any) -> str:
    return missing(("apps", "Deployment"), changed(DEPLOYMENT, status=status))


def test_a_deployment_is_ready_when_its_rollout_is_complete() -> None:
    assert deployment() == ""


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({"observedGeneration": 1}, "the deployment controller has not seen it yet"),
        ({"updatedReplicas": 1}, "1 of 2 replicas are of this generation"),
        ({"replicas": 3}, "1 replicas of the last generation are still there"),
        ({"availableReplicas": 0}, "0 of 2 replicas are available"),
    ],
)
def test_a_deployment_says_what_its_rollout_lacks(status: dict[str, Any], says: str) -> None:
    assert deployment(**status) == says


def test_a_deployment_whose_progress_has_stopped_says_why() -> None:
    stopped = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    assert deployment(availableReplicas=1, conditions=[stopped]).endswith("ProgressDeadlineExceeded: timed out")


def test_a_deployment_names_the_pods_that_say_what_is_wrong_with_them() -> None:
    stuck = {
        "metadata": {"name": "p"},
        "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "message": "no nodes"}],
            "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}],
        },
    }
    item = changed(DEPLOYMENT, status={"availableReplicas": 0})
    said = missing(("apps", "Deployment"), item, pods=[stuck])
    assert "pod p is not scheduled: no nodes" in said
    assert "pod p, container c: ImagePullBackOff" in said


def test_a_deployment_of_no_replicas_is_ready() -> None:
    item = changed(DEPLOYMENT, spec={"replicas": 0}, status={"replicas": 0, "updatedReplicas": 0})
    assert missing(("apps", "Deployment"), changed(item, status={"availableReplicas": 0})) == ""


def test_a_service_waits_for_a_ready_pod() -> None:
    unready = copy.deepcopy(READY_SLICE)
    unready["endpoints"][0]["conditions"]["ready"] = False
    assert missing(("", "Service"), SERVICE, slices=[unready]) == "no pod that matches app=a is ready"
    assert missing(("", "Service"), SERVICE, slices=[READY_SLICE]) == ""


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "None"}, {"type": "ExternalName"}, {"selector": {}}, {"selector": None}]
)
def test_a_service_without_pods_of_its_own_waits_for_none(spec: dict[str, Any]) -> None:
    item = changed(SERVICE, spec=spec)
    assert missing(("", "Service"), item) == ""
    assert RULES[("", "Service")].related(item) == {}


def test_a_load_balancer_waits_for_its_address_and_names_its_controller() -> None:
    item = changed(SERVICE, spec={"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"})
    said = missing(("", "Service"), item, slices=[READY_SLICE])
    assert said == "it has no load balancer address (its controller is service.k8s.aws/nlb)"
    addressed = changed(item, status={"loadBalancer": {"ingress": [{"hostname": "h"}]}})
    assert missing(("", "Service"), addressed, slices=[READY_SLICE]) == ""


def test_an_ingress_waits_for_its_address_and_for_pods_behind_it() -> None:
    assert missing(("networking.k8s.io", "Ingress"), INGRESS, services=[SERVICE], slices=[READY_SLICE]) == ""
    nothing = changed(INGRESS, status={"loadBalancer": {}})
    said = missing(("networking.k8s.io", "Ingress"), nothing, services=[SERVICE], slices=[])
    assert said == "its backend service s has no ready pod; it has no load balancer address (its class is alb)"


def test_an_ingress_names_a_backend_that_does_not_exist() -> None:
    assert missing(("networking.k8s.io", "Ingress"), INGRESS) == "its backend service s does not exist"


def test_an_ingress_action_is_no_backend() -> None:
    item = copy.deepcopy(INGRESS)
    item["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = {"name": "use-annotation"}
    assert missing(("networking.k8s.io", "Ingress"), item) == ""


def test_a_pod_is_ready_or_done_or_never_will_be() -> None:
    ready = {"metadata": {"name": "p"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert missing(("", "Pod"), ready) == ""
    assert missing(("", "Pod"), {"metadata": {"name": "p"}, "status": {"phase": "Succeeded"}}) == ""
    assert missing(("", "Pod"), {"metadata": {"name": "p"}, "status": {"phase": "Pending"}}) == (
        "the pod is Pending and not ready"
    )
    with pytest.raises(FailedError, match="OOM"):
        missing(("", "Pod"), {"metadata": {"name": "p"}, "status": {"phase": "Failed", "message": "OOM"}})


def test_a_job_is_complete_or_failed() -> None:
    complete = {"spec": {}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert missing(("batch", "Job"), complete) == ""
    assert missing(("batch", "Job"), {"spec": {"completions": 3}, "status": {"succeeded": 1}}) == (
        "1 of 3 completions succeeded"
    )
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "m"}
    with pytest.raises(FailedError, match="BackoffLimitExceeded: m"):
        missing(("batch", "Job"), {"spec": {}, "status": {"conditions": [failed]}})


def test_a_claim_is_bound_or_waits_for_its_first_consumer() -> None:
    pending = {"spec": {"storageClassName": "c"}, "status": {"phase": "Pending"}}
    late = {"volumeBindingMode": "WaitForFirstConsumer"}
    assert missing(("", "PersistentVolumeClaim"), {"status": {"phase": "Bound"}}) == ""
    assert missing(("", "PersistentVolumeClaim"), pending, **{"class": [late]}) == ""
    assert missing(("", "PersistentVolumeClaim"), pending) == "it is Pending, not Bound"


def test_a_stateful_set_waits_for_its_revision_beyond_the_partition() -> None:
    item = {
        "metadata": {"generation": 1},
        "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
        "status": {
            "observedGeneration": 1,
            "readyReplicas": 3,
            "updatedReplicas": 0,
            "currentRevision": "a",
            "updateRevision": "b",
        },
    }
    assert missing(("apps", "StatefulSet"), item) == "0 of 1 replicas are of this revision"
    assert missing(("apps", "StatefulSet"), changed(item, status={"updatedReplicas": 1})) == ""
    assert missing(("apps", "StatefulSet"), changed(item, status={"updatedReplicas": 1, "readyReplicas": 2})) == (
        "2 of 3 replicas are ready"
    )


def test_a_daemon_set_waits_for_every_node() -> None:
    item = {
        "metadata": {"generation": 1},
        "spec": {"updateStrategy": {"type": "RollingUpdate"}},
        "status": {
            "observedGeneration": 1,
            "desiredNumberScheduled": 2,
            "updatedNumberScheduled": 2,
            "numberAvailable": 1,
        },
    }
    assert missing(("apps", "DaemonSet"), item) == "1 of 2 pods are available"


def test_a_crd_waits_until_objects_of_it_can_be_made() -> None:
    item = {"status": {"conditions": [{"type": "NamesAccepted", "status": "False", "message": "taken"}]}}
    said = missing(("apiextensions.k8s.io", "CustomResourceDefinition"), item)
    assert said == "it is not NamesAccepted: taken; it is not Established"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("condition=Ready", True),
        ("condition=Ready=False", False),
        ("condition=Synced", False),
        ("jsonpath={.status.phase}=Running", True),
        ("jsonpath={.status.phase}=Pending", False),
        ("jsonpath={.status.conditions[0].type}", True),
        ("jsonpath={.status.nothing}", False),
    ],
)
def test_an_annotation_can_say_what_to_wait_for(condition: str, holds: bool) -> None:  # noqa: FBT001
    item = {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}
    lacking = readiness.waits_for([condition]).missing({SELF: [item]})
    assert list(lacking) == ([] if holds else [f"{condition} does not hold"])


def settles(kind: tuple[str, str], item: Any, **related: Any) -> list[bool]:
    return [isinstance(one, Settling) for one in RULES[kind].missing({SELF: [item], **related})]


def test_having_no_endpoints_at_all_may_be_right_but_having_unready_ones_is_not() -> None:
    unready = copy.deepcopy(READY_SLICE)
    unready["endpoints"][0]["conditions"]["ready"] = False
    assert settles(("", "Service"), SERVICE, slices=[]) == [True]
    assert settles(("", "Service"), SERVICE, slices=[unready]) == [False]
    assert settles(("networking.k8s.io", "Ingress"), INGRESS) == [True]
    balancer = changed(SERVICE, spec={"type": "LoadBalancer"})
    assert settles(("", "Service"), balancer, slices=[]) == [True, False]
