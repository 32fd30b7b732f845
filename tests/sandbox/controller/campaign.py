"""Faults for the controller on the stage, and the condition after each: nothing lost, duplicated or left."""

import itertools
import json
import random
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

import pytest

from sandbox.run.processes import Identity, wait_until
from sandbox.run.state import read_json
from tests.conformance.player import Player
from tests.conformance.stage import ALONE, NAME, Stage
from tests.conftest import Sandbox

_PATIENCE = 120.0
"""Seconds: a replica waits for its lease, and queues back off for up to half a minute."""
CALLERS = [f"*:user/{NAME}-controller"]


_BACKEND = {"Key": "elbv2.k8s.aws/resource", "Value": "backend-sg"}


def footprint(stage: Stage) -> dict[str, Any]:
    """Everything in the stage's VPC that a controller could leave behind, rules in security groups included.

    Except for the cluster's shared backend group while it has no rules. Only the process that made or used it deletes
    it: the next one, which finds no load balancer left, does not know it (releaseSG in
    https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.2.2/pkg/networking/backend_sg_provider.go).
    """
    elb, ec2 = stage.sandbox.aws("elbv2"), stage.sandbox.aws("ec2")
    here = [{"Name": "vpc-id", "Values": [stage.vpc]}]
    groups = ec2.describe_security_groups(Filters=here)["SecurityGroups"]
    return {
        "load balancers": [
            b["LoadBalancerArn"] for b in elb.describe_load_balancers()["LoadBalancers"] if b["VpcId"] == stage.vpc
        ],
        "target groups": [
            g["TargetGroupArn"] for g in elb.describe_target_groups()["TargetGroups"] if g.get("VpcId") == stage.vpc
        ],
        "security groups": {
            g["GroupId"]: g["IpPermissions"] for g in groups if g["IpPermissions"] or _BACKEND not in g.get("Tags", [])
        },
    }


def survives(stage: Stage, case: str, during: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Play a recorded case with faults: every step ends as recorded, and nothing is left at the end."""
    before = footprint(stage)
    player = Player(stage, case, monkeypatch)
    player.patience = _PATIENCE
    try:
        player.play(during)
        assert wait_until(lambda: footprint(stage) == before, 180, 0.5), (before, footprint(stage))
    finally:
        player.clean()


@contextmanager
def faults(stage: Stage, *rules: dict[str, Any]) -> Generator[None, None, None]:
    """AWS misbehaves for the stage's controller only."""
    with misbehaving(stage.sandbox, *({"callers": CALLERS, **rule} for rule in rules)):
        yield


@contextmanager
def misbehaving(sandbox: Sandbox, *rules: dict[str, Any]) -> Generator[None, None, None]:
    """AWS misbehaves by rules of `sandbox.aws.serving.faults`."""
    strike(sandbox, *rules)
    try:
        yield
    finally:
        strike(sandbox)


def strike(sandbox: Sandbox, *rules: dict[str, Any]) -> None:
    """Set AWS's faults; none ends them."""
    url = f"{sandbox.state.aws_endpoint}/_sandbox/faults"
    request = urllib.request.Request(url, json.dumps(rules).encode(), method="POST")  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - loopback
        pass


def asked(stage: Stage, action: str) -> int:
    """How often the stage's controllers have called an AWS action."""
    return sum(caller["actions"].get(action, 0) for caller in _calls(stage))


def written(stage: Stage) -> int:
    """How many calls of the stage's controllers could have changed something."""
    return sum(caller["writes"] for caller in _calls(stage))


def calls(stage: Stage) -> Counter[str]:
    """How often the stage's controllers have called each action of AWS."""
    return sum((Counter(caller["actions"]) for caller in _calls(stage)), Counter[str]())


def _calls(stage: Stage) -> list[dict[str, Any]]:
    url = f"{stage.sandbox.state.aws_endpoint}/_sandbox/calls"
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
        callers = json.load(answer)["callers"]
    return [caller for arn, caller in callers.items() if fnmatchcase(arn, CALLERS[0])]


def outage(stage: Stage, seconds: float) -> Callable[[], None]:
    """Throttles every call of the controller for some seconds."""

    def during() -> None:
        with faults(stage, {"kind": "throttle"}):
            time.sleep(seconds)  # the fault lasts this long; nothing is awaited

    return during


def killed_at_random(stage: Stage, dice: random.Random) -> Callable[[], None]:
    """Kills the controller at some moment of its work, and starts the next one."""

    def during() -> None:
        time.sleep(dice.uniform(0, 1.0) if dice.random() < 0.7 else dice.uniform(0, 0.15))
        stage.stop_controllers(0)
        stage.start_controller(ALONE)

    return during


def killed_before(stage: Stage, action: str, turn: int) -> Callable[[], None]:
    """Kills the controller when it makes an AWS call, and starts the next one, which finds half-finished work.

    Args:
        stage: where `action` already fails.
        action: the call, as `service:Action`.
        turn: the step of the case in which the call occurs, counted from 0.
    """
    turns, before = itertools.count(), asked(stage, action)

    def during() -> None:
        if next(turns) != turn:
            return
        assert wait_until(lambda: asked(stage, action) > before, 180, 0.1), f"it never came to {action}"
        stage.stop_controllers(0)
        strike(stage.sandbox)
        stage.start_controller(ALONE)

    return during


def killed_part(stage: Stage, part: str, seconds: float) -> Callable[[], None]:
    """Kills a part of the control plane, and keeps it down for some seconds."""

    def during() -> None:
        first = identity(stage, part)
        assert first
        until = time.monotonic() + seconds
        while True:
            if found := identity(stage, part):
                found.signal(signal.SIGKILL)
            if time.monotonic() >= until:
                break
            time.sleep(0.1)  # the supervisor restarts it, so kill it again until time is up
        assert wait_until(lambda: answers(stage), 180, 0.2), f"{part} did not come back"
        assert not first.alive()

    return during


def identity(stage: Stage, part: str) -> Identity | None:
    """The current process of a part of the stage's control plane."""
    status = read_json(stage.sandbox.state.cluster(NAME) / "status.json")
    (pid,) = [p["pid"] for p in status["parts"] if p["name"].rpartition("/")[2] == part]
    return Identity.of(pid)


def answers(stage: Stage) -> bool:
    """Whether the cluster answers, including its store."""
    try:
        return stage.kubectl("get", "--raw", "/readyz", "--request-timeout=3s") == "ok"
    except AssertionError:
        return False
