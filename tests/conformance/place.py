"""What measurements of the controller on the stage share: a namespace, calls, what a process uses, room for pods."""

import json
import os
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from fixtures.kubernetes import deployment, service
from sandbox.aws.serving.journal import Entry, from_line
from sandbox.run.processes import wait_until
from tests.conformance.stage import ALONE, NAME, Stage, staged, unique
from tests.conftest import brought_up, tools_at_hand
from tests.sandbox.controller.campaign import CALLERS

QUOTAS = {"application-load-balancers": 1000}
"""A new account has room for 50."""
_PODS_A_NODE = 100
_AT_ONCE = 50
"""Objects of one `kubectl apply`, which must end within the stage's bound for a command."""
Figures = dict[str, float]


def say(line: str) -> None:
    """Print progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


def expect(condition: Callable[[], bool], seconds: float, what: str, pause: float = 0.2) -> None:
    """Wait for a condition, with a pause between two looks at it.

    Raises:
        SystemExit: it did not become true.
    """
    if not wait_until(condition, seconds, pause):
        raise SystemExit(f"{what}: not within {seconds:.0f} s")


class Place:
    """A namespace of the stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.name = stage, unique("bench")
        stage.kubectl("create", "namespace", self.name)
        self._elb = stage.sandbox.aws("elbv2")

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Apply objects."""
        here = [{**o, "metadata": {**o["metadata"], "namespace": self.name}} for o in objects]
        for start in range(0, len(here), _AT_ONCE):
            self.stage.apply(*here[start : start + _AT_ONCE])

    def spread(self, names: Sequence[str], each: int) -> None:
        """A Deployment and a Service for each name; returns when all pods are ready."""
        self.apply(o for name in names for o in (deployment(name, each), service(name)))

        def ready() -> int:
            return sum(d["status"].get("readyReplicas", 0) for d in self.get("deployments"))

        # With thousands of pods a look costs as much as a part of the cluster does.
        expect(lambda: ready() == len(names) * each, 1800, f"{len(names) * each} pods", 2)

    def get(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind."""
        return json.loads(self.stage.kubectl("-n", self.name, "get", kind, "-o", "json"))["items"]

    def groups(self) -> list[str]:
        """The target groups that its bindings name."""
        return [b["spec"]["targetGroupARN"] for b in self.get("targetgroupbindings")]

    def targets(self, group: str) -> int:
        """How many targets a group has."""
        return len(self._elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"])

    def served(self) -> int:
        """How many Ingresses have their host name."""
        return sum(bool((i["status"].get("loadBalancer") or {}).get("ingress")) for i in self.get("ingress"))

    def clear(self) -> float:
        """Delete everything; return the seconds until the controller's resources are gone."""
        begun = time.monotonic()
        self.stage.kubectl("-n", self.name, "delete", "ingress,service", "--all", "--wait=false")
        kinds = "ingress,service,targetgroupbinding"
        expect(lambda: not self.stage.kubectl("-n", self.name, "get", kinds, "-o", "name"), 600, "deletion")
        seconds = time.monotonic() - begun
        self.stage.kubectl("-n", self.name, "delete", "deployment", "--all")
        expect(lambda: not self.get("pods"), 300, "the end of the pods")
        self.stage.kubectl("delete", "namespace", self.name, "--wait=false")
        return seconds


class Calls:
    """The calls of the stage's controller to the sandbox's AWS."""

    def __init__(self, stage: Stage) -> None:
        self._url = f"{stage.sandbox.state.aws_endpoint}/_sandbox/calls"
        self._journal = stage.sandbox.state.aws / "journal"

    def forget(self) -> None:
        """Count from here."""
        with urllib.request.urlopen(urllib.request.Request(self._url, method="DELETE"), timeout=10):  # noqa: S310 - loopback
            pass

    def counted(self) -> tuple[int, int]:
        """All calls, and those that write."""
        with urllib.request.urlopen(self._url, timeout=10) as answer:  # noqa: S310 - loopback
            callers = json.load(answer)["callers"]
        mine = [counts for arn, counts in callers.items() if fnmatchcase(arn, CALLERS[0])]
        return sum(c["all"] for c in mine), sum(c["writes"] for c in mine)

    def end_of_journal(self) -> int:
        """The position of the next writing call."""
        return self._journal.stat().st_size

    def last(self, actions: tuple[str, ...], start: int) -> float:
        """When the last call of an action after a journal position arrived; 0 if there is none."""
        with self._journal.open("rb") as file:
            file.seek(start)
            documents = filter(None, map(from_line, file))
            entries = map(Entry.from_json, documents)
            return max((e.time for e in entries if e.call.action in actions), default=0.0)


class Usage(TypedDict):
    """What a process has used: CPU time in seconds, its largest resident set in MiB."""

    cpu: float
    memory: float
    cores: NotRequired[int]
    """How many cores Go may use at once, if it was told (GOMAXPROCS)."""


def usage(pid: int) -> Usage:
    """What a process and its ended children have used so far."""
    folder = Path(f"/proc/{pid}")
    ticks = map(int, (folder / "stat").read_text().rpartition(")")[2].split()[11:15])
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    used: Usage = {"cpu": sum(ticks) / os.sysconf("SC_CLK_TCK"), "memory": int(status["VmHWM"].split()[0]) / 1024}
    told = re.search(r"(?:^|\0)GOMAXPROCS=(\d+)", (folder / "environ").read_text())
    return {**used, "cores": int(told[1])} if told else used


def with_room(stage: Stage, pods: int) -> None:
    """Give the stage's cluster nodes for so many pods."""
    nodes, eks = -(-pods // _PODS_A_NODE) + 1, stage.sandbox.aws("eks")
    size = {"minSize": nodes, "maxSize": nodes, "desiredSize": nodes}
    eks.update_nodegroup_config(clusterName=NAME, nodegroupName="main", scalingConfig=size)
    expect(lambda: stage.kubectl("get", "nodes", "--no-headers").count(" Ready ") == nodes, 600, f"{nodes} nodes")


@contextmanager
def prepared(pods: int) -> Generator[Stage, None, None]:
    """The stage in a sandbox with its own state folder, with nodes for so many pods."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tools").mkdir()
        tools_at_hand(folder / "tools", say)
        say("the stage")
        with brought_up(folder / "state", quotas=QUOTAS) as sandbox, staged(sandbox) as stage:
            with_room(stage, pods)
            yield stage


@contextmanager
def controlled(stage: Stage, program: str) -> Generator[None, None, None]:
    """One controller, in a new process."""
    stage.stop_controllers()
    stage.program = program
    stage.start_controller(ALONE)
    try:
        yield
    finally:
        stage.stop_controllers()
        stage.program = ""
