"""Plugins by fork: for the engine they look like processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from sandbox.engine import home, launch, prefork
from sandbox.run.processes import Identity, Process, wait_until
from sandbox.run.state import Settings, State, write_json

PLUGIN = """
import os, signal, sys, time
print("port", os.getcwd(), sys.argv[1:], os.environ.get("WORD"), flush=True)
if "bytes" in sys.argv:
    sys.stdout.buffer.write(b"port 1\\n")
    sys.stderr.buffer.write(b"warned\\n")
    os.kill(os.getpid(), signal.SIGKILL)  # nothing is flushed on the way out
if "wait" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    print("pid", os.getpid(), flush=True)
    time.sleep(60)
sys.exit(3 if "fail" in sys.argv else "no plan" if "say" in sys.argv else 0)
"""


def listens(place: Path) -> bool:
    """Whether a server accepts connections there."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(place)) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The prefork server's socket; plugins are in the folder below it."""
    state = State.at(tmp_path_factory.mktemp("prefork"))
    settings = Settings("us-west-2", "1", {"aws": 1}, {"access_key": "A", "secret_key": "S"})
    write_json(state.settings_file, settings.to_json())
    state.pulumi.mkdir()
    (state.pulumi / "plugin.py").write_text(textwrap.dedent(PLUGIN))
    command = [sys.executable, "-m", "sandbox.engine.prefork", "--state-dir", state.root]
    places = state.pulumi / home.PREFORK, state.pulumi / home.AWS_CLI
    process = Process("plugins", command, state.log("plugins"), ready=lambda: all(map(listens, places)))
    process.start()
    process.wait_ready(60)
    yield places[0]
    process.stop()
    assert wait_until(lambda: not any(map(listens, places)), 10), "a server outlives the process that started it"


def start(server: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-S", "-E", launch.__file__, str(server), "plugin", *arguments]
    environment = {**os.environ, "WORD": "given", "PYTHONPATH": str(server.parent)}
    return subprocess.Popen(
        command, cwd=server.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_plugin_has_its_launchers_streams_folder_arguments_and_environment(server: Path) -> None:
    with start(server, "a", "b") as plugin:
        assert plugin.stdout is not None
        assert plugin.stdout.read() == f"port {server.parent} ['a', 'b'] given\n"
    assert plugin.returncode == 0


def test_bytes_that_a_plugin_writes_arrive_at_once(server: Path) -> None:
    with start(server, "bytes") as plugin:
        said, warned = plugin.communicate(timeout=10)
    assert said.splitlines()[1:] == ["port 1"]
    assert warned == "warned\n"


def test_a_plugins_exit_code_is_its_launchers(server: Path) -> None:
    with start(server, "fail") as plugin:
        assert plugin.wait(10) == 3


def test_a_plugins_last_words_are_printed_by_fork_and_as_a_process(server: Path) -> None:
    for place in (server, server.with_name("gone.sock")):
        with start(place, "say") as plugin:
            assert plugin.communicate(timeout=20)[1] == "no plan\n"
        assert plugin.returncode == 1


def waiting(plugin: "subprocess.Popen[str]") -> Identity:
    """The process of a plugin that waits."""
    assert plugin.stdout is not None
    plugin.stdout.readline()
    identity = Identity.of(int(plugin.stdout.readline().split()[1]))
    assert identity is not None
    assert identity.pid != plugin.pid
    return identity


def test_a_signal_reaches_the_plugin(server: Path) -> None:
    with start(server, "wait") as plugin:
        waiting(plugin)
        plugin.send_signal(signal.SIGTERM)
        assert plugin.wait(10) == 7


def test_a_signal_that_arrives_before_the_servers_answer_is_for_the_plugin(tmp_path: Path) -> None:
    place = tmp_path / "slow.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        with start(place) as launcher, listener.accept()[0] as connection:
            order = prefork.receive(connection)
            for stream in order.streams:
                os.close(stream)
            status = Path(f"/proc/{launcher.pid}/status")

            def catches() -> bool:
                (caught,) = re.findall(r"SigCgt:\s*(\w+)", status.read_text())
                return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)

            assert wait_until(catches, 10)
            launcher.send_signal(signal.SIGTERM)
            assert connection.recv(1) == bytes([signal.SIGTERM])
            connection.sendall(b"\0\7")
            assert launcher.wait(10) == 7


def test_a_plugin_ends_with_its_launcher(server: Path) -> None:
    with start(server, "wait") as plugin:
        identity = waiting(plugin)
        plugin.kill()
        assert wait_until(lambda: not identity.alive(), 10)


def test_without_a_server_a_plugin_is_an_ordinary_process(server: Path) -> None:
    with start(server.with_name("gone.sock"), "fail") as plugin:
        assert plugin.wait(20) == 3


@pytest.mark.parametrize("name", [home.AWS_CLI, "gone.sock"])
def test_the_aws_cli_signs_with_its_own_botocore_by_fork_or_as_a_process(server: Path, name: str) -> None:
    cli = Path(str(distribution("awscli").locate_file("awscli")))
    credentials = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_DATA_PATH": str(cli / "data")}
    launcher = [sys.executable, "-S", "-E", launch.__file__, server.with_name(name), "awscli"]

    def answer(*arguments: str) -> str:
        command = [*launcher, *arguments]
        return subprocess.run(command, env=os.environ | credentials, capture_output=True, text=True, check=True).stdout

    own = re.search("__version__ = '(.+)'", (cli / "botocore" / "__init__.py").read_text())
    assert own is not None
    assert f"botocore/{own[1]}" in answer("--version")
    token = json.loads(answer("eks", "get-token", "--cluster-name", "c", "--region", "eu-west-1"))
    assert token["status"]["token"].startswith("k8s-aws-v1.")
