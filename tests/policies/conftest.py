"""The real engine for the policy pack's tests: programs as data, and a count of calls to the cloud."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

import generate
from tests.conftest import Sandbox
from tests.policies.faults import Program

PACK = generate.PACK
_PROGRAMS = Path(__file__).with_name("programs")
_AT_A_TIME = 2
_MANDATORY = re.compile(r"\[mandatory\][^\n]*\]  ([a-z0-9-]+)")


def refusing_rules(output: str) -> set[str]:
    """The mandatory rules in the engine's output."""
    return set(_MANDATORY.findall(output))


@dataclass(frozen=True)
class Preview:
    """The engine's result for a program."""

    code: int
    output: str

    @property
    def refused_by(self) -> set[str]:
        """The mandatory rules that were violated."""
        return refusing_rules(self.output)


@dataclass
class Cloud:
    """A server instead of AWS that answers nothing and records the callers."""

    url: str
    calls: list[str] = field(default_factory=list[str])


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The address of every call to AWS."""

    class Refuse(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.calls.append(f"{self.command} {self.path} {self.headers.get('X-Amz-Target', '')}")
            self.send_error(503)

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    seen = Cloud(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    yield seen
    server.shutdown()


@dataclass
class Engine:
    """The sandbox's engine, without its AWS."""

    sandbox: Sandbox
    cloud: Cloud
    folder: Path

    def start(self, name: str, program: Program, *arguments: str, pack: Path = PACK) -> "subprocess.Popen[str]":
        """Start a preview of a program in its own folder and stack."""
        folder = self.folder / name
        if not folder.exists():
            shutil.copytree(_PROGRAMS, folder)
            (folder / f"Pulumi.{name}.yaml").write_text("config: {}\n")
            self._pulumi(folder, "stack", "init", name).communicate(timeout=60)
        (folder / "resources.json").write_text(json.dumps(program))
        return self._pulumi(folder, "preview", "--stack", name, "--policy-pack", str(pack), *arguments)

    def preview(self, name: str, program: Program, *arguments: str, pack: Path = PACK) -> Preview:
        """Preview a program under the pack."""
        process = self.start(name, program, *arguments, pack=pack)
        output, errors = process.communicate(timeout=120)
        return Preview(process.returncode, output + errors)

    def run(self, *arguments: str) -> Preview:
        """Run a command of the engine that needs no program."""
        process = self._pulumi(self.folder, *arguments)
        output, errors = process.communicate(timeout=120)
        return Preview(process.returncode, output + errors)

    def _pulumi(self, folder: Path, *arguments: str) -> "subprocess.Popen[str]":
        environment = {**self.sandbox.environment(), "AWS_ENDPOINT_URL": self.cloud.url}
        return subprocess.Popen(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture(scope="session")
def engine(sandbox: Sandbox, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The engine, for as long as the tests run."""
    return Engine(sandbox, cloud, tmp_path_factory.mktemp("programs"))


class Previews:
    """Previews that run two at a time, each time in the same two stacks, started before their results are needed."""

    def __init__(self, engine: Engine, programs: dict[str, Program]) -> None:
        self._engine, self._pool = engine, ThreadPoolExecutor(_AT_A_TIME)
        self._free: Queue[str] = Queue()
        for number in range(_AT_A_TIME):
            self._free.put(f"faulty-{number}")
        self._started = {name: self._pool.submit(self._preview, program) for name, program in programs.items()}

    def _preview(self, program: Program) -> Preview:
        stack = self._free.get()  # making one takes half as long as a preview
        try:
            return self._engine.preview(stack, program)
        finally:
            self._free.put(stack)

    def __getitem__(self, name: str) -> Preview:
        return self._started[name].result()

    def close(self) -> None:
        """Wait for running previews, and start no more."""
        self._pool.shutdown(cancel_futures=True)
