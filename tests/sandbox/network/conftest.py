"""A sandbox that carries traffic, with the project's stack."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.network import requirements
from sandbox.network.control_client import ask
from sandbox.network.world import CLIENTS
from sandbox.run.processes import wait_until
from tests.conftest import Sandbox, Shared, with_stack

REQUESTS = 10_000 if os.environ.get("SOAK") else 1000
"""Sent through each load balancer."""


def processes(word: str) -> list[str]:
    """The command lines that contain a word, except our own."""
    lines: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if word in line and process.name != str(os.getpid()):
            lines.append(line)
    return lines


@dataclass(frozen=True)
class Traffic:
    """The sandbox, and functions that ask its network."""

    sandbox: Sandbox

    def run(self, namespace: str, *argv: str) -> str:
        """What a command in a namespace prints."""
        told = ask(self.sandbox.state, "run", namespace=namespace, argv=list(argv))
        assert told["code"] == 0, told
        return told["output"]

    def answers(self, url: str) -> bool:
        """Whether a client gets an answer."""
        argv = ["curl", "-sf", "--max-time", "1", "-o", "/dev/null", url]
        return ask(self.sandbox.state, "run", namespace=CLIENTS, argv=argv)["code"] == 0

    def trace(self, url: str) -> Any:
        """What `sandbox trace --json` prints."""
        return ask(self.sandbox.state, "trace", url=url)

    def output(self, name: str) -> str:
        """An output of the stack."""
        return self.sandbox.run("pulumi", "stack", "output", "--stack", "sandbox", name).strip()

    def until_answering(self, host: str) -> str:
        """The URL of a load balancer, once it answers."""
        url = f"http://{host}/"
        assert wait_until(lambda: self.answers(url), 180, 0.2), self.trace(url)
        return url


@pytest.fixture(scope="module")
def traffic(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """A sandbox with a network, and the stack in it."""
    lack = requirements.missing(Path("/somewhere"))
    if lack:
        pytest.skip(lack)
    folder = tmp_path_factory.mktemp("traffic") / "state"
    return Traffic(shared.get("traffic", lambda: with_stack(folder, traffic="iptables")))
