"""How fast the load balancer controller is and which AWS calls it makes: tables of docs/measured/performance.md.

    python -m tests.conformance.measure [--with controller=PATH] [--rounds N] [--only scaling,calls,many] [--json]

It measures on the conformance stage, in a sandbox with its own state folder. With another controller program, both are
measured in the same run, one after the other in every round.
"""

import argparse
import functools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

import pytest
from kubernetes import client, config

from fixtures.kubernetes import deployment, ingress, service
from sandbox.aws.serving.journal import Entry, from_line
from sandbox.run.processes import Process, wait_until
from tests.conformance.player import Player
from tests.conformance.stage import ALONE, NAME, Stage, staged, unique
from tests.conftest import Sandbox, brought_up
from tests.sandbox.controller.campaign import CALLERS

CASES = ("ingress-ip", "ingress-paths-hosts", "ingress-https", "ingress-group", "service-nlb-ip", "service-nlb-tls")
COUNTS = (50, 100, 200, 100, 50, 10)
_FIRST = 10
_INGRESSES, _PODS = 100, 1000
_PODS_A_NODE = 100
Figures = dict[str, float]


def say(line: str) -> None:
    """Print progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


def expect(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition.

    Raises:
        SystemExit: it did not become true.
    """
    if not wait_until(condition, seconds, 0.2):
        raise SystemExit(f"{what}: not within {seconds:.0f} s")


class Place:
    """A namespace of the stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.name = stage, unique("bench")
        stage.kubectl("create", "namespace", self.name)
        self._elb = stage.sandbox.aws("elbv2")

    def apply(self, objects: Iterable[dict[str, Any]]) -> None:
        """Apply objects."""
        self.stage.apply(*({**o, "metadata": {**o["metadata"], "namespace": self.name}} for o in objects))

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


# How it is observed.


class ReadyEndpoints:
    """When a Service's number of ready endpoints last changed, according to the cluster's watch."""

    def __init__(self, place: Place, service_name: str) -> None:
        api = client.DiscoveryV1Api(config.new_client_from_config(str(place.stage.kubeconfig)))
        of_service = {"label_selector": f"kubernetes.io/service-name={service_name}", "_preload_content": False}
        self._ask: Callable[..., Any] = functools.partial(api.list_namespaced_endpoint_slice, place.name, **of_service)
        self._slices = dict[str, int]()
        self.changed_at, self.count, self._closed = 0.0, 0, False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True

    def _run(self) -> None:
        while not self._closed:  # a server ends a watch when it likes
            listed = json.loads(self._ask().data)
            self._slices = {piece["metadata"]["name"]: _ready(piece) for piece in listed["items"]}
            self._count(time.time())
            self._follow(listed["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> None:
        rest, answer = b"", self._ask(watch=True, resource_version=version, timeout_seconds=10)
        for chunk in answer.stream(amt=None, decode_content=False):
            now = time.time()
            *lines, rest = (rest + chunk).split(b"\n")
            for event in map(json.loads, filter(None, lines)):
                if event["type"] == "ERROR":
                    return
                piece = event["object"]
                self._slices[piece["metadata"]["name"]] = 0 if event["type"] == "DELETED" else _ready(piece)
                self._count(now)

    def _count(self, now: float) -> None:
        if (count := sum(self._slices.values())) != self.count:
            self.count, self.changed_at = count, now


def _ready(piece: dict[str, Any]) -> int:
    return sum(e.get("conditions", {}).get("ready") is not False for e in piece.get("endpoints") or [])


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


def usage(process: Process) -> Figures:
    """CPU seconds so far, and the largest resident set in MiB."""
    assert process.identity
    folder = Path(f"/proc/{process.identity.pid}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return {"cpu": ticks / os.sysconf("SC_CLK_TCK"), "memory": int(status["VmHWM"].split()[0]) / 1024}


# What is measured.


def scaling(stage: Stage) -> Figures:
    """Seconds from the last ready endpoint to the last registered target, with one Deployment behind one ALB."""
    place, calls, found = Place(stage), Calls(stage), Figures()
    with ReadyEndpoints(place, "web") as ready:
        place.apply([deployment("web", _FIRST), service("web"), ingress("web")])
        expect(lambda: place.served() == 1 and len(place.groups()) == 1, 120, "the load balancer")
        (group,) = place.groups()
        expect(lambda: place.targets(group) == _FIRST, 120, f"{_FIRST} targets")
        before = _FIRST
        for count in COUNTS:
            start = calls.end_of_journal()
            stage.kubectl("-n", place.name, "scale", "deployment/web", f"--replicas={count}")
            expect(lambda n=count: ready.count == n and place.targets(group) == n, 300, f"{count} targets")
            last = calls.last(("RegisterTargets", "DeregisterTargets"), start)
            found[f"{before} to {count} pods, s"] = max(0.0, last - ready.changed_at)
            before = count
    place.clear()
    return found


def calls_of_cases(stage: Stage) -> Figures:
    """AWS calls from apply to deletion of recorded cases."""
    calls, found = Calls(stage), Figures()
    for case in CASES:
        with pytest.MonkeyPatch.context() as patch:
            player = Player(stage, case, patch)
            calls.forget()
            try:
                player.play()
            finally:
                player.clean()
            found[f"{case}, all calls"], found[f"{case}, writes"] = calls.counted()
    return found


def many(stage: Stage) -> Figures:
    """100 Ingresses, each with its own ALB, for 1,000 pods that are ready beforehand."""
    place, calls = Place(stage), Calls(stage)
    names = [f"web-{n}" for n in range(_INGRESSES)]
    each = _PODS // _INGRESSES
    place.apply(o for name in names for o in (deployment(name, each), service(name)))
    expect(lambda: sum(d["status"].get("readyReplicas", 0) for d in place.get("deployments")) == _PODS, 900, "pods")
    (controller,) = stage.controllers
    before, begun = usage(controller), time.monotonic()
    calls.forget()
    place.apply(map(ingress, names))
    expect(lambda: place.served() == _INGRESSES, 900, f"{_INGRESSES} host names")
    full = set[str]()

    def registered() -> bool:
        full.update(g for g in place.groups() if g not in full and place.targets(g) == each)
        return len(full) == _INGRESSES

    expect(registered, 600, f"{_PODS} targets")
    seconds, after = time.monotonic() - begun, usage(controller)
    everything, writes = calls.counted()
    return {
        "100 Ingresses, 1,000 pods: converged after, s": seconds,
        "AWS calls until then, all": everything,
        "AWS calls until then, writes": writes,
        "CPU of the controller until then, s": after["cpu"] - before["cpu"],
        "memory of the controller at its peak, MiB": after["memory"],
        "all deleted after, s": place.clear(),
    }


MEASURES = {"scaling": scaling, "calls": calls_of_cases, "many": many}


def with_room(stage: Stage) -> None:
    """Give the stage's cluster nodes for every pod."""
    nodes, eks = -(-_PODS // _PODS_A_NODE) + 1, stage.sandbox.aws("eks")
    size = {"minSize": nodes, "maxSize": nodes, "desiredSize": nodes}
    eks.update_nodegroup_config(clusterName=NAME, nodegroupName="main", scalingConfig=size)
    expect(lambda: stage.kubectl("get", "nodes", "--no-headers").count(" Ready ") == nodes, 300, f"{nodes} nodes")


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


def measure(stage: Stage, programs: dict[str, str], names: list[str], rounds: int) -> dict[str, list[Figures]]:
    """Every measure, every controller, every round: the controllers take turns."""
    found = {who: list[Figures]() for who in programs}
    for number in range(rounds):
        for name in names:
            for who, program in programs.items():
                say(f"round {number + 1} of {rounds}: {name}, {who}")
                with controlled(stage, program):
                    figures = MEASURES[name](stage)
                found[who].append(figures)
                say(json.dumps({k: round(v, 2) for k, v in figures.items()}))
    return found


def medians(rounds: list[Figures]) -> Figures:
    """Of each figure, over the rounds that have it."""
    names = dict.fromkeys(name for figures in rounds for name in figures)
    return {name: statistics.median(f[name] for f in rounds if name in f) for name in names}


def replacement(text: str) -> str:
    """The path in `controller=PATH`."""
    name, _, path = text.partition("=")
    if name != "controller" or not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{text} is not controller=PATH with the path of a program")
    return path


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.measure", description="Measure the controller.")
    parser.add_argument("--with", dest="given", type=replacement, metavar="controller=PATH", help="compare with it")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(MEASURES), help=f"some of {','.join(MEASURES)}")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(MEASURES):
        parser.error(f"--only {','.join(sorted(unknown))}: there are {', '.join(MEASURES)}")
    programs = {"ours": "", **({"given": arguments.given} if arguments.given else {})}
    found = dict[str, list[Figures]]()
    with tempfile.TemporaryDirectory() as folder:
        for sandbox in brought_up(Path(folder) / "state"):
            found = run(sandbox, programs, names, arguments.rounds)
    figures = {who: medians(rounds) for who, rounds in found.items()}
    if arguments.json:
        sys.stdout.write(json.dumps({"median": figures, "rounds": found}, indent=1) + "\n")
        return
    sys.stdout.write(f"| median of {arguments.rounds} | {' | '.join(figures)} |\n|---|{'---|' * len(figures)}\n")
    for name in figures["ours"]:
        sys.stdout.write(f"| {name} | {' | '.join(f'{values[name]:.2f}' for values in figures.values())} |\n")


def run(sandbox: Sandbox, programs: dict[str, str], names: list[str], rounds: int) -> dict[str, list[Figures]]:
    """Measure in a sandbox that is up."""
    say("the stage")
    with staged(sandbox) as stage:
        with_room(stage)
        return measure(stage, programs, names, rounds)


if __name__ == "__main__":
    main()
