"""Faults around a controller, one at a time: the result is always the same as without the fault.

`make soak` uses the full counts (50 kills, 20 and 30 seconds).
"""

import os
import random
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.run.processes import wait_until
from tests.conformance.stage import Stage, unique
from tests.leaders import acquired
from tests.sandbox.controller.campaign import (
    faults,
    footprint,
    killed_at_random,
    killed_before,
    killed_part,
    outage,
    survives,
)

SOAK = bool(os.environ.get("SOAK"))
pytestmark = [pytest.mark.sandbox, pytest.mark.soak]
_KINDS = ("ingress-paths-hosts", "service-nlb-tls", "ingress-group", "ingress-https", "service-nlb-instance")
_CASES = _KINDS if SOAK else _KINDS[:1]

_CHANGING = ("service-nlb-ip", "ingress-ip", *_KINDS)
"""The first two, and ingress-group, are changed between making and deleting: 18 kills in a round of all."""


@pytest.mark.parametrize("seed", range(3 * len(_CHANGING) if SOAK else 1))
def test_a_controller_killed_at_any_moment_of_making_changing_and_deleting_is_taken_up_by_the_next(
    stage: Stage, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One kill in each step of a case, the deletion included: 54 in three rounds."""
    dice = random.Random(seed)  # noqa: S311 - the same moments each time
    survives(stage, _CHANGING[seed % len(_CHANGING)], killed_at_random(stage, dice), monkeypatch)


_MAKING = (
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:RegisterTargets",
    "ec2:CreateSecurityGroup",
    "ec2:AuthorizeSecurityGroupIngress",
)
_DELETING = (
    "elasticloadbalancing:DeleteTargetGroup",
    "elasticloadbalancing:DeleteLoadBalancer",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:DeleteSecurityGroup",
)
_HALF_DONE = [
    (turn, action) for turn, actions in enumerate((_MAKING, _DELETING)) for action in (actions if SOAK else actions[:1])
]


@pytest.mark.parametrize(("turn", "action"), _HALF_DONE)
def test_a_controller_that_starts_with_the_work_half_done_finishes_it(
    stage: Stage, turn: int, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"kind": "error", "actions": [action], "code": "ServiceUnavailable", "status": 503}
    with faults(stage, refused):
        survives(stage, "ingress-paths-hosts", killed_before(stage, action, turn), monkeypatch)


@pytest.mark.parametrize("case", _CASES)
def test_with_a_third_of_its_calls_throttled_it_arrives(
    stage: Stage, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faults(stage, {"kind": "throttle", "percent": 30}):
        survives(stage, case, lambda: None, monkeypatch)


@pytest.mark.parametrize("case", _CASES)
def test_when_all_its_calls_are_throttled_for_a_while_it_arrives_afterwards(
    stage: Stage, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    survives(stage, case, outage(stage, 20 if SOAK else 5), monkeypatch)


@pytest.mark.parametrize("case", _KINDS if SOAK else _KINDS[:2])
def test_what_was_made_though_the_answer_was_lost_is_found_and_not_made_twice(
    stage: Stage, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faults(stage, {"kind": "lost", "percent": 50, "actions": ["*:Create*"]}):
        survives(stage, case, lambda: None, monkeypatch)


@pytest.mark.parametrize("seconds", [5, 30] if SOAK else [2])
def test_kube_apiserver_is_killed_and_comes_back(stage: Stage, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage.controlled():  # with a lease, which it may lose meanwhile
        survives(stage, "ingress-paths-hosts", killed_part(stage, "kube-apiserver", seconds), monkeypatch)


def test_etcd_is_killed_and_comes_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage.controlled():
        survives(stage, "service-nlb-tls", killed_part(stage, "etcd", 0), monkeypatch)


def test_when_the_leader_is_killed_the_other_takes_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with stage.controlled(replicas=2) as replicas:
        assert wait_until(lambda: any(acquired(r.log_file) >= begun for r in replicas), 120, 0.2)
        leader, other = sorted(replicas, key=lambda r: acquired(r.log_file), reverse=True)

        def during() -> None:
            stage.keeper.remove(leader, 0)  # it is killed and not restarted: the other one must take over

        survives(stage, "service-nlb-tls", during, monkeypatch)
        assert acquired(other.log_file) >= begun
        assert stage.controllers == [other]


def test_a_controller_that_ends_by_itself_is_started_again(stage: Stage) -> None:
    (controller,) = stage.controllers
    first = controller.identity
    assert first
    first.signal(signal.SIGKILL)
    assert wait_until(lambda: controller.identity != first and controller.is_ready(), 180, 0.1)


def ingress(name: str, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """An Ingress of one path to the Service `web`."""
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    path = {"path": f"/{name}", "pathType": "Prefix", "backend": backend}
    given = {f"alb.ingress.kubernetes.io/{k}": v for k, v in {"target-type": "ip", **(annotations or {})}.items()}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "annotations": given},
        "spec": {"ingressClassName": "alb", "rules": [{"http": {"paths": [path]}}]},
    }


def service() -> dict[str, Any]:
    """The Service `web`, without pods."""
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


class Place:
    """A namespace, and the controllers' reports on its objects."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.name = stage, unique("faults")
        stage.kubectl("create", "namespace", self.name)

    def apply(self, *objects: dict[str, Any]) -> None:
        self.stage.apply(*({**o, "metadata": {**o["metadata"], "namespace": self.name}} for o in objects))

    def delete(self, name: str) -> None:
        self.stage.kubectl("-n", self.name, "delete", "ingress", name, "--timeout=180s")

    def said(self, name: str) -> list[str]:
        """The warnings about an Ingress."""
        events = self.stage.events(self.name)
        return [e["message"] for e in events if e["type"] == "Warning" and e["involvedObject"]["name"] == name]

    def host(self, name: str) -> str:
        """The host name that an Ingress has, or nothing."""
        status = self.stage.get("ingress", name, "-n", self.name)["status"]
        return (status.get("loadBalancer", {}).get("ingress") or [{}])[0].get("hostname", "")


@pytest.fixture
def place(stage: Stage) -> Iterator[Place]:
    before, made = footprint(stage), Place(stage)
    try:
        yield made
    finally:
        stage.kubectl("-n", made.name, "delete", "ingress,service", "--all", "--timeout=180s")
        stage.kubectl("delete", "namespace", made.name, "--wait=false")
    assert wait_until(lambda: footprint(stage) == before, 180, 0.5), (before, footprint(stage))


def test_a_malformed_annotation_is_an_event_and_the_other_objects_are_unharmed(place: Place) -> None:
    place.apply(service(), ingress("bad", {"listen-ports": "not json"}), ingress("good"))
    assert wait_until(lambda: place.host("good"), 120, 0.2)
    assert wait_until(lambda: any("listen-ports" in m for m in place.said("bad")), 120, 0.2), place.said("bad")
    assert place.host("bad") == ""
    assert place.said("good") == []


def test_an_ingress_that_conflicts_with_its_group_is_an_event_and_takes_nothing_from_the_others(place: Place) -> None:
    group = f"g{place.name[-6:]}"
    place.apply(service(), ingress("first", {"group.name": group, "scheme": "internal"}))
    assert wait_until(lambda: place.host("first"), 120, 0.2)
    made, host = footprint(place.stage), place.host("first")
    place.apply(ingress("second", {"group.name": group, "scheme": "internet-facing"}))
    assert wait_until(lambda: any("scheme" in m for m in place.said("second")), 120, 0.2), place.said("second")
    assert (footprint(place.stage), place.host("first"), place.host("second")) == (made, host, "")
    place.delete("second")
    assert (footprint(place.stage), place.host("first")) == (made, host)
