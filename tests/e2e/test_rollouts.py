"""Rolling updates of the samples with the readiness gate: never fewer healthy targets than replicas."""

import json
import os
from typing import Any

import pytest
from kubernetes import client, config

from fixtures.sampling import Sampler
from sandbox.run.processes import wait_until
from tests.conftest import Sandbox
from tests.e2e.test_stack import bindings, endpoints, outputs, registered
from tests.sandbox.controller.campaign import misbehaving

pytestmark = [pytest.mark.sandbox, pytest.mark.soak]

SOAK = bool(os.environ.get("SOAK"))
_ROLLOUTS = 20 if SOAK else 2
_PAUSE = 0.02
"""Seconds between two samples."""
_LOOKS, _MOST_ROLLS = 20, 5
"""More samples than this are wanted. A rollout can be over in two seconds; then there is another one."""


class Samples:
    """The samples' Deployments, each behind a target group of its own."""

    def __init__(self, stack: Sandbox) -> None:
        self.stack = stack
        self._elb = stack.aws("elbv2")
        bound = [b for b in bindings(stack) if b["metadata"]["namespace"] == "samples"]
        self.groups = {b["spec"]["targetGroupARN"]: b["spec"]["serviceRef"]["name"] for b in bound}
        deployments = stack.get("deployments", "-n", "samples")["items"]
        counts = {d["metadata"]["name"]: d["spec"]["replicas"] for d in deployments}
        self.replicas = {group: counts[service] for group, service in self.groups.items()}

    def pods(self) -> dict[str, dict[str, Any]]:
        """The final pods, by name."""
        pods = self.stack.get("pods", "-n", "samples")["items"]
        return {p["metadata"]["name"]: p for p in pods if "deletionTimestamp" not in p["metadata"]}

    def roll(self) -> None:
        """Replace every pod, and wait until the target groups have followed."""
        self.stack.run("kubectl", "rollout", "restart", "deployment", "-n", "samples")
        for name in self.groups.values():
            self.stack.run("kubectl", "rollout", "status", f"deployment/{name}", "-n", "samples", "--timeout=180s")
        assert wait_until(self.followed, 180, 0.2)

    def healthy(self, group: str) -> set[str]:
        described = self._elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {d["Target"]["Id"] for d in described if d["TargetHealth"]["State"] == "healthy"}

    def whole(self) -> bool:
        """Whether everything is stable: earlier tests may have left a target that is not healthy yet."""
        return self.followed() and all(len(self.healthy(group)) == count for group, count in self.replicas.items())

    def followed(self) -> bool:
        return all(
            registered(self.stack, group) == endpoints(self.stack, "samples", service)
            for group, service in self.groups.items()
        )


class Watch(Sampler):
    """Counts the healthy targets of live pods, repeatedly while a block runs."""

    def __init__(self, samples: Samples) -> None:
        super().__init__(_PAUSE)
        self._samples = samples
        kubeconfig = samples.stack.state.cluster(samples.stack.cluster) / "kubeconfig"
        self._core = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
        self.counts: list[dict[str, int]] = []

    def look(self) -> None:
        healthy = {group: self._samples.healthy(group) for group in self._samples.groups}
        alive = self._alive()  # read afterwards: if a pod is gone by now, its target was removed too late
        self.counts.append({group: len(addresses & alive) for group, addresses in healthy.items()})

    def _alive(self) -> set[str]:
        answer: Any = self._core.list_namespaced_pod("samples", _preload_content=False)
        pods = json.loads(answer.data)["items"]
        return {p["status"].get("podIP", "") for p in pods if p["status"].get("phase") == "Running"}

    def too_few(self) -> list[dict[str, int]]:
        """The samples with fewer healthy targets than replicas."""
        replicas = self._samples.replicas
        return [found for found in self.counts if any(count < replicas[group] for group, count in found.items())]


def rolled(samples: Samples) -> Watch:
    """A rollout under observation: every pod is replaced, and the new ones have the gate."""
    assert wait_until(samples.whole, 180, 0.2)
    before = samples.pods()
    with Watch(samples) as watch:
        for _ in range(_MOST_ROLLS):
            samples.roll()
            if len(watch.counts) > _LOOKS:
                break
    after = samples.pods()
    assert not before.keys() & after.keys()
    assert all(p["spec"].get("readinessGates") for p in after.values())
    assert len(watch.counts) > _LOOKS
    return watch


@pytest.fixture(scope="module")
def samples(stack: Sandbox) -> Samples:
    return Samples(stack)


@pytest.mark.parametrize("_round", range(_ROLLOUTS))
def test_no_rollout_leaves_fewer_healthy_targets_than_replicas(samples: Samples, _round: int) -> None:
    assert rolled(samples).too_few() == []


def test_a_rollout_waits_for_targets_that_are_registered_late(stack: Sandbox, samples: Samples) -> None:
    """Without the gate a Deployment continues as soon as a pod's container runs."""
    role = outputs(stack)["controllerRoleArn"].rpartition("/")[2]
    late = {"callers": [f"*:assumed-role/{role}/*"], "actions": ["*:RegisterTargets"]}
    with misbehaving(stack, {**late, "kind": "throttle", "percent": 80 if SOAK else 65}):
        assert rolled(samples).too_few() == []
