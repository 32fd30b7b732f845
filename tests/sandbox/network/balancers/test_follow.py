"""The order of the loop's steps, with a slow proxy; without packets."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.network.balancers import follow
from sandbox.network.balancers.follow import Balancers
from sandbox.network.balancers.health import Outcome
from sandbox.network.balancers.plan import Node
from sandbox.network.balancers.rendering import Receiving
from sandbox.network.elb.reading import Documents
from sandbox.network.world import World
from sandbox.run.state import State
from tests.sandbox.network.balancers.api import BALANCER, documents, forward, group, listener, rule, target


class Stage:
    """The loop's inputs, and the order of its steps; a check succeeds while a proxy is being updated."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.done = tmp_path, list[tuple[str, bool]]()
        self.being_told, self.reported, self.named = threading.Event(), asyncio.Event(), asyncio.Event()
        self.over = threading.Event()

    def read(self) -> Documents:
        given = group()
        given["Targets"] = [target("10.0.0.7")]
        return documents(listener(rule(forward("web"))), groups=[given])

    async def changes(self, *_: object) -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    def check(self, *_: object) -> Outcome:
        self.being_told.wait(10)
        return Outcome()

    async def ask(self, *_: object, json: Any = None) -> None:
        healthy = any(t["state"] == "healthy" for t in json["targets"])
        self.done.append(("reported", healthy))
        if healthy:
            self.reported.set()

    def proxy(self, *_: object) -> "Stage":
        return self

    async def apply(self, _: Node, receiving: Receiving) -> None:
        self.being_told.set()
        await asyncio.sleep(0.2)
        self.done.append(("carried", any(receiving.values())))

    async def stop(self) -> None:
        """Nothing runs."""

    def names(self, *_: object) -> "Names":
        return Names(self)


class Provisioning(Stage):
    """AWS calls the load balancer active after the first report; the next round's reading takes for ever."""

    def read(self) -> Documents:
        if self.done:
            self.over.wait(30)
        found = super().read()
        return replace(found, balancers=[{**b, "State": {"Code": "provisioning"}} for b in found.balancers])

    def balancers(self) -> list[dict[str, Any]]:
        return [{"LoadBalancerArn": BALANCER, "State": {"Code": "active" if self.done else "provisioning"}}]


class Names:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def apply(self, text: str) -> None:
        if text:
            self.stage.named.set()

    async def stop(self) -> None:
        """Nothing runs."""


class Edges:
    def __init__(self, *_: object) -> None:
        """No accelerators."""

    async def read(self) -> None:
        """Nothing is there."""

    def hosts(self) -> str:
        return ""

    async def apply(self, nodes: object) -> None:
        """Nothing to apply."""


async def play(stage: Stage, monkeypatch: pytest.MonkeyPatch, until: asyncio.Event) -> list[tuple[str, bool]]:
    """Run the loop until something has happened; return its steps."""

    def call(_: str, work: Callable[[], Outcome]) -> Outcome:
        return work()

    for name, stand_in in {
        "FOLDER": stage.folder, "Reader": lambda *_: stage, "Proxy": stage.proxy, "Names": stage.names, "Edges": Edges,
        "inside": call, "probe": stage.check,
    }.items():  # fmt: skip
        monkeypatch.setattr(follow, name, stand_in)
    monkeypatch.setattr(follow, "client", lambda *_: None)
    monkeypatch.setattr(follow.aws, "changes", stage.changes)
    monkeypatch.setattr(Balancers, "_ask", lambda _, *more, **how: stage.ask(*more, **how))
    balancers = Balancers(State(stage.folder), cast("World", None), lambda: {"eni-0", "eni-1"})
    following = asyncio.create_task(balancers.follow())
    try:
        await asyncio.wait_for(until.wait(), 10)
    finally:
        stage.over.set()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return stage.done


def test_a_target_is_reported_healthy_after_every_node_sends_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path)
    done = asyncio.run(play(stage, monkeypatch, stage.reported))
    assert done[: done.index(("reported", True))].count(("carried", True)) >= 2, done


def test_a_load_balancer_has_its_name_as_soon_as_aws_calls_it_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Provisioning(tmp_path)
    done = asyncio.run(play(stage, monkeypatch, stage.named))
    assert [step for step, _ in done] == ["carried", "carried", "reported"]
