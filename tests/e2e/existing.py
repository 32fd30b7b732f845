"""Existing clusters, and the examples that run on them as their READMEs say."""

import json
import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.run.processes import wait_until
from tests.conftest import Sandbox
from tests.e2e import readme
from tests.e2e.test_stack import endpoints

CLUSTERS = ("blue", "green")
_ROUNDS = 10 if os.environ.get("SOAK") else 1
_NAMESPACES = {"default", "in-tree", "services", "shop"}
"""The namespaces of the examples' workloads."""


class Example:
    """One example: its README's commands, one after the other."""

    def __init__(self, sandbox: Sandbox, root: Path, name: str) -> None:
        self.name, self._sandbox, self._root, self.left = name, sandbox, root, readme.commands(name)

    def next(self) -> dict[str, Any]:
        """Run the next command, and give the stack's outputs."""
        self.run(self.left.pop(0))
        return json.loads(self.pulumi("stack", "output", "--json"))

    def run(self, command: str) -> None:
        """Run a command where the README says, for somebody who says yes to everything."""
        folder = self._root if command.startswith("make ") else self._root / "examples" / self.name
        # The environment is the checkout's: make must not install anything into it from the copy.
        command = command.replace("make ", "make -o .venv/installed ", 1) if command.startswith("make ") else command
        script = f"export PULUMI_SKIP_CONFIRMATIONS=true; {command}"
        self._sandbox.run("sh", "-ec", script, cwd=folder, timeout=400)

    def pulumi(self, *arguments: str) -> str:
        """Ask the engine."""
        command = ("pulumi", *arguments, "--stack", "sandbox", "--non-interactive")
        return self._sandbox.run(*command, cwd=self._root / "examples" / self.name, timeout=400)

    def unchanged(self) -> None:
        """A preview that finds nothing to do."""
        self.pulumi("preview", "--expect-no-changes")


class Existing:
    """The clusters, and the targets in target groups."""

    def __init__(self, sandbox: Sandbox, clusters: dict[str, Sandbox], root: Path) -> None:
        self.sandbox, self.clusters, self.root = sandbox, clusters, readme.copied(root)
        self.elb = sandbox.aws("elbv2")  # made once: it is asked many times a second
        self._ended = False

    def registered(self, group: str) -> set[str]:
        """The addresses in a target group that are not draining."""
        health = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {h["Target"]["Id"] for h in health if h["TargetHealth"]["State"] != "draining"}

    def serve(self, cluster: str, group: str, service: str, count: int, namespace: str = "default") -> bool:
        """Wait until exactly the Service's ready pods, this many, are registered; return whether that happened."""

        def so_far() -> bool:
            wanted = endpoints(self.clusters[cluster], namespace, service)
            return len(wanted) == count and self.registered(group) == wanted

        return wait_until(so_far, 180, 0.3)

    def begin(self) -> None:
        """Note that an example comes up, with pods."""
        self._ended = False

    def end_pods(self) -> None:
        """Stop the workloads at once: no client is connected, so the deregistration delay has no use."""
        self._ended = True
        for cluster in self.clusters.values():
            for namespace in {pod["metadata"]["namespace"] for pod in cluster.get("pods", "-A")["items"]} & _NAMESPACES:
                kinds = "deployment,replicaset,pod"
                cluster.run("kubectl", "delete", kinds, "--all", "-n", namespace, "--grace-period=1", "--wait=false")

    def refused(self, role: str) -> list[Any]:
        """The refused calls of a role, from the calls that it did make."""
        asked = ("--as", role, "--json")
        assert json.loads(self.sandbox.run("sandbox", "iam", "log", *asked)), f"{role} never asked for anything"
        return json.loads(self.sandbox.run("sandbox", "iam", "denied", *asked))

    def balancer(self, group: str) -> str:
        """The ARN of the load balancer of a target group."""
        (arn,) = self.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"]
        return arn

    def check_health(self) -> None:
        """Run the doctor on every cluster with a controller. It must find nothing.

        Examples that are up together are checked once, before the first of them goes down and ends the pods of all.
        """
        if self._ended:
            return
        selector = ("-A", "-l", "app.kubernetes.io/name=aws-load-balancer-controller")
        for name, cluster in self.clusters.items():
            if cluster.get("deployments", *selector)["items"]:
                for _ in range(_ROUNDS):
                    self.sandbox.run(sys.executable, "-m", "eks_load_balancing.doctor", "--cluster", name)


@contextmanager
def running(existing: Existing, name: str) -> Generator[Example, None, None]:
    """An example whose README is followed to its end, and in which the doctor finds nothing; taken down after that."""
    example = Example(existing.sandbox, existing.root, name)
    existing.begin()
    try:
        yield example
        assert example.left == [], "commands of the README that nothing has run"
        existing.check_health()
    finally:
        existing.end_pods()
        example.run(f"make example-down NAME={name}")


@contextmanager
def sampled(existing: Existing, group: str) -> Generator[list[set[str]], None, None]:
    """The targets of a target group, read repeatedly in another thread."""
    samples, over = list[set[str]](), threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            samples.append(existing.registered(group))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
