"""When a planner takes its controller to be ready, and when to be done, against an API server that answers as told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sandbox.cluster.api import ApiError
from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.account import typical
from sandbox.plan.scratch import planner as module
from sandbox.plan.scratch.planner import Planner
from sandbox.plan.scratch.waiting import Look
from sandbox.run.state import State

_NO_ENDPOINTS = ApiError(500, "InternalError", "failed calling webhook: no endpoints available for service")


def replica(uid: str, ready: str = "True") -> dict[str, Any]:
    """A pod of the controller."""
    name = f"aws-load-balancer-controller-{uid}"
    return {
        "metadata": {"name": name, "namespace": "kube-system", "uid": uid},
        "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


class Cluster:
    """An API server whose Deployment is always reported as ready; each look sees the next pods."""

    def __init__(self, *looks: list[dict[str, Any]], refusals: int = 0) -> None:
        self.looks, self.refusals, self.deleted, self.api = list(looks), refusals, list[str](), self

    async def get(self, path: str) -> dict[str, Any]:
        if path.endswith("/pods"):
            return {"items": self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]}
        status = {"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1}
        return {"metadata": {"generation": 1}, "status": status}

    async def delete(self, path: str, *, grace: int) -> None:
        assert grace == 0
        self.deleted.append(path.rpartition("/")[2])

    async def dry_run(self, _document: dict[str, Any]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise _NO_ENDPOINTS


def restarted(folder: Path, cluster: Cluster) -> Cluster:
    """A cluster after its planner has started the controller anew."""
    planner = Planner(State.at(folder), typical(), lambda _: None)
    planner.__dict__["kube"] = cluster
    asyncio.run(planner.restart())
    return cluster


OLD, NEW = replica("old"), replica("new")


@pytest.mark.parametrize(
    "looks",
    [
        ([OLD], [OLD], [NEW]),
        ([OLD], [], [NEW]),
        ([OLD], [OLD, NEW], [NEW]),
        ([OLD], [replica("new", "False")], [NEW]),
    ],
    ids=["the old one still listed", "none yet", "both", "not ready"],
)
def test_a_restarted_controller_is_the_new_pod_alone(tmp_path: Path, looks: tuple[list[dict[str, Any]], ...]) -> None:
    cluster = restarted(tmp_path, Cluster(*looks))
    assert cluster.looks == [[NEW]]
    assert cluster.deleted == [OLD["metadata"]["name"]]


def test_a_controller_is_ready_when_its_webhooks_answer(tmp_path: Path) -> None:
    assert restarted(tmp_path, Cluster([OLD], [NEW], refusals=2)).refusals == 0


class Working(Planner):
    """Its controller has work for so many of the next questions."""

    questions = looks = 0
    work = 5

    async def _work(self) -> tuple[bool, int]:
        self.questions += 1
        return self.questions <= self.work, 0

    async def _look(self, *, busy: bool, done: int) -> Look:
        self.looks += 1
        return Look(busy, done, writes=0)


def test_everything_is_looked_at_when_the_controller_has_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0)
    monkeypatch.setattr(module, "_BUSY_SECONDS", 60)
    planner = Working(State.at(tmp_path), typical(), lambda _: None)
    assert asyncio.run(planner.settle({})) == []
    assert (planner.questions, planner.looks) == (7, 2)


def test_a_controller_that_always_has_work_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.01)
    planner = Working(State.at(tmp_path), typical(), lambda _: None, seconds=0.5)
    planner.work = 1_000_000
    with pytest.raises(PlanError, match="not done after"):
        asyncio.run(planner.settle({}))
    assert planner.looks > 1
