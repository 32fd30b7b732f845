"""One planner for every test that needs one."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.plan.inputs.account import typical
from sandbox.plan.inputs.manifests import Manifest, parse
from sandbox.plan.run import Made, Plan
from sandbox.plan.scratch.controller import release
from sandbox.plan.scratch.planner import Planner
from sandbox.run.state import State


@dataclass(frozen=True)
class Running:
    """A planner that is up, and the loop that its session lives in."""

    loop: asyncio.AbstractEventLoop
    plan: Plan

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something asynchronous."""
        return self.loop.run_until_complete(work)

    def make(self, manifests: list[Manifest]) -> Made:
        """Make the planner hold these manifests and no others."""
        return self.do(self.plan.make(manifests))


def manifests(text: str, namespace: str, file: str = "a.yaml") -> list[Manifest]:
    """The objects of a text, in a namespace."""
    found = parse(text, file).manifests
    for one in found:
        one.document["metadata"]["namespace"] = namespace
    return found


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A planner with the sandbox's own controller, on a typical account."""
    state = State.at(Path(tmp_path_factory.mktemp("plan")) / "s")
    planner = Planner(state, typical(), lambda _: None)
    loop = asyncio.new_event_loop()
    try:
        own = release("", {}, lambda _: None)
        loop.run_until_complete(planner.boot(own, {"controller@3.5.0": str(own.executable)}))
        yield Running(loop, Plan(planner))
    finally:
        loop.run_until_complete(planner.close())
        loop.close()
        planner.down()
