"""`make up`, `make down`, and nothing left. If interrupted at any moment, the next one finishes."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fixtures.sampling import Sampler
from sandbox import lifecycle
from sandbox.lifecycle import parts
from sandbox.observe import targets
from sandbox.run.processes import wait_until
from sandbox.run.state import State
from tests.conftest import REPOSITORY, Sandbox

pytestmark = pytest.mark.sandbox

SOAK = bool(os.environ.get("SOAK"))
_HOLDERS = ("services", "ingresses", "targetgroupbindings")


class Make:
    """The Makefile with its own state folder."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox(State.at(folder / "state"))
        self.environment = {**os.environ, "SANDBOX_STATE_DIR": str(self.sandbox.state.root)}

    def start(self, target: str) -> "subprocess.Popen[str]":
        """Make a target in a new process group, like a terminal does."""
        pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(["make", target], cwd=REPOSITORY, env=self.environment, process_group=0, **pipe)

    def run(self, target: str) -> str:
        """Make a target that must succeed."""
        with self.start(target) as process:
            output, _ = process.communicate(timeout=900)
        assert process.returncode == 0, output[-6000:]
        return output


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made = Make(tmp_path)
    yield made
    lifecycle.down(made.sandbox.state, lambda _: None)


def account(sandbox: Sandbox) -> dict[str, set[str]]:
    """Everything in the account that a stack could leave behind."""
    elb, ec2, iam, eks = (sandbox.aws(s) for s in ("elbv2", "ec2", "iam", "eks"))
    instances = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    return {
        "load balancers": {b["LoadBalancerArn"] for b in elb.describe_load_balancers()["LoadBalancers"]},
        "target groups": {g["TargetGroupArn"] for g in elb.describe_target_groups()["TargetGroups"]},
        "security groups": {g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"]},
        "interfaces": {i["NetworkInterfaceId"] for i in ec2.describe_network_interfaces()["NetworkInterfaces"]},
        "addresses": {a["AllocationId"] for a in ec2.describe_addresses()["Addresses"]},
        "gateways": {g["NatGatewayId"] for g in ec2.describe_nat_gateways()["NatGateways"] if g["State"] != "deleted"},
        "networks": {v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]},
        "instances": {i["InstanceId"] for i in instances if i["State"]["Name"] != "terminated"},
        "roles": {r["RoleName"] for r in iam.list_roles()["Roles"]},
        "policies": {p["Arn"] for p in iam.list_policies(Scope="Local")["Policies"]},
        "providers": {p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]},
        "clusters": set(eks.list_clusters()["clusters"]),
    }


def processes_of(state: State) -> list[str]:
    """The command lines of a state folder's processes."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(state.root) in command and int(process.name) != os.getpid():
            found.append(command)
    return found


def serving(sandbox: Sandbox) -> list[dict[str, Any]]:
    return json.loads(sandbox.run("sandbox", "targets", "--json"))


def failed_webhook_calls(sandbox: Sandbox) -> list[str]:
    """kube-apiserver's count of failed webhook calls, which includes "no endpoints available for service".

    https://kubernetes.io/docs/reference/instrumentation/metrics/
    """
    counted = sandbox.run("kubectl", "get", "--raw", "/metrics").splitlines()
    return [c for c in counted if "calling_webhook_error" in c or c.startswith("apiserver_admission_webhook_fail_open")]


class Finalizers(Sampler):
    """The objects with the controller's finalizers at the last look, while a block ran."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(0.5)
        self._sandbox, self.looks = sandbox, list[list[str]]()

    def look(self) -> None:
        with suppress(AssertionError):  # it is stopping: the last answer counts
            self.looks.append([held for kind in _HOLDERS for held in self._held(kind)])

    def _held(self, kind: str) -> list[str]:
        try:
            objects = self._sandbox.get(kind, "-A")["items"]
        except AssertionError as error:
            # The chart's own kind is deleted with the chart.
            if "the server doesn't have a resource type" in str(error) or str(error).endswith("not found"):
                return []
            raise
        return [held for each in objects for held in each["metadata"].get("finalizers", [])]


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(20 if SOAK else 1))
def test_up_ends_with_what_serves_what_and_down_leaves_nothing(make: Make, _round: int) -> None:
    state = make.sandbox.state
    lifecycle.up(state, lifecycle.Wish({}), lambda _: None)
    before = account(make.sandbox)
    output = make.run("up")
    rows = serving(make.sandbox)
    assert output.rstrip().endswith(targets.tree(rows))
    assert {r["kind"] for r in rows} == {"ALB", "NLB"}
    assert all(t["pod"] and t["health"] == "healthy" for r in rows for t in r["targets"])
    assert failed_webhook_calls(make.sandbox) == []
    with Finalizers(make.sandbox) as finalizers:
        make.run("destroy")
    assert finalizers.looks[0], "there were none to go"
    assert finalizers.looks[-1] == []
    left = {k: v - before[k] for k, v in account(make.sandbox).items()}
    assert not any(left.values()), left
    make.run("down")
    assert not state.root.exists()
    assert processes_of(state) == []


def stage_reached(sandbox: Sandbox, stage: str) -> bool:
    """Whether a `make up` has reached a stage, according to the sandbox."""
    status = parts.status(sandbox.state)
    if stage == "sandbox":
        return status["state"] != "down"
    if stage == "cluster":
        return bool(status["clusters"])
    return any("aws-load-balancer-controller" in p["name"] and p["pid"] for p in status["parts"])


_ONCE, _TWICE, _KILLED = [signal.SIGINT], [signal.SIGINT, signal.SIGINT], [signal.SIGKILL]
_Interruption = tuple[str, list[signal.Signals]]
_INTERRUPTIONS: list[list[_Interruption]] = (
    [[(stage, signals)] for stage in ("sandbox", "cluster", "controller") for signals in (_ONCE, _TWICE, _KILLED)]
    if SOAK
    else [[("cluster", _KILLED), ("controller", _TWICE)]]
)


def interrupt(make: Make, stage: str, signals: list[signal.Signals]) -> None:
    with make.start("up") as process:
        assert wait_until(lambda: process.poll() is not None or stage_reached(make.sandbox, stage), 300)
        time.sleep(random.uniform(0, 3))  # noqa: S311 - any moment after the stage, not a known one
        for number in signals:
            os.killpg(process.pid, number)
            time.sleep(0.3)
        process.communicate(timeout=300)


@pytest.mark.soak
@pytest.mark.parametrize("interruptions", _INTERRUPTIONS, ids=str)
def test_an_interrupted_up_is_finished_by_the_next(make: Make, interruptions: list[_Interruption]) -> None:
    for stage, signals in interruptions:
        interrupt(make, stage, signals)
    make.run("up")
    rows = serving(make.sandbox)
    assert sorted(r["kind"] for r in rows) == ["ALB", "NLB"]
    assert len(make.sandbox.aws("eks").list_clusters()["clusters"]) == 1
    make.run("down")
    assert processes_of(make.sandbox.state) == []
