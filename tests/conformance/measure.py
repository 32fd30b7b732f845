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
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import pytest
from kubernetes import client, config

from fixtures.kubernetes import deployment, ingress, service
from tests.conformance.place import Calls, Figures, Place, controlled, expect, prepared, say, usage
from tests.conformance.player import Player
from tests.conformance.stage import Stage

CASES = ("ingress-ip", "ingress-paths-hosts", "ingress-https", "ingress-group", "service-nlb-ip", "service-nlb-tls")
COUNTS = (50, 100, 200, 100, 50, 10)
_FIRST = 10
_INGRESSES, _PODS = 100, 1000


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
    place.spread(names, each)
    (controller,) = stage.controllers
    assert controller.identity
    pid = controller.identity.pid
    before, begun = usage(pid), time.monotonic()
    calls.forget()
    place.apply(map(ingress, names))
    expect(lambda: place.served() == _INGRESSES, 900, f"{_INGRESSES} host names")
    full = set[str]()

    def registered() -> bool:
        full.update(g for g in place.groups() if g not in full and place.targets(g) == each)
        return len(full) == _INGRESSES

    expect(registered, 600, f"{_PODS} targets")
    seconds, after = time.monotonic() - begun, usage(pid)
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
    with prepared(_PODS) as stage:
        found = measure(stage, programs, names, arguments.rounds)
    figures = {who: medians(rounds) for who, rounds in found.items()}
    if arguments.json:
        sys.stdout.write(json.dumps({"median": figures, "rounds": found}, indent=1) + "\n")
        return
    sys.stdout.write(f"| median of {arguments.rounds} | {' | '.join(figures)} |\n|---|{'---|' * len(figures)}\n")
    for name in figures["ours"]:
        sys.stdout.write(f"| {name} | {' | '.join(f'{values[name]:.2f}' for values in figures.values())} |\n")


if __name__ == "__main__":
    main()
