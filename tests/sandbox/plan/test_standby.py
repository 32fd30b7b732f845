"""The process that waits for the next plan with `--keep`."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.lifecycle.running import plugins_identity
from sandbox.plan import standby
from sandbox.run.processes import wait_until
from sandbox.run.state import State

_WAIT = """
import sys
from pathlib import Path
from sandbox.plan.standby import listen, stand_by
from sandbox.run.state import State
state = State.at(Path(sys.argv[1]))
lock = open(state.root.with_name("lock"), "a")
stand_by(state, listen(state), lock.fileno())
"""
_ASK = """
import sys
from pathlib import Path
from sandbox.plan.standby import delegate
print(delegate(Path(sys.argv[1]), sys.argv[2:]))
"""
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Of the planner that is kept."""
    made = State.at(tmp_path / standby.NAME)
    made.root.mkdir()
    return made


@pytest.fixture
def start(state: State) -> Iterator[Start]:
    """Starts a process that waits, and returns it when it does."""
    started = list[subprocess.Popen[bytes]]()

    def one() -> "subprocess.Popen[bytes]":
        started.append(process := subprocess.Popen([sys.executable, "-c", _WAIT, str(state.root)]))
        assert wait_until(lambda: (i := plugins_identity(state)) and i.pid == process.pid, 60)
        return process

    yield one
    for process in started:
        process.kill()
        process.wait()


def ask(state: State, *arguments: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Have the waiting process run a command; the answer's last line is what `delegate` returned."""
    command = [sys.executable, "-c", _ASK, str(state.root.parent), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)


def test_it_runs_the_next_command_with_its_streams_folder_and_exit_code(
    state: State, start: Start, tmp_path: Path
) -> None:
    start()
    (tmp_path / "file").touch()
    answer = ask(state, "plan", "-f", "absent.yaml", "--state-dir", "file", folder=tmp_path)
    assert answer.stdout.splitlines()[-1] == "1"
    assert "absent.yaml" in answer.stderr


def test_nobody_waits_for_a_second_command(state: State, start: Start) -> None:
    start()
    assert ask(state, "--help").stdout.splitlines()[-1] == "0"
    assert ask(state, "--help").stdout == "None\n"


def test_a_client_that_comes_second_is_not_kept_waiting(state: State, start: Start) -> None:
    start()
    command = [sys.executable, "-c", _ASK, str(state.root.parent), "plan", "-f", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        assert wait_until(lambda: plugins_identity(state) is None, 60)
        assert ask(state, "--help").stdout == "None\n"
        said, warned = first.communicate(b"kind: [", timeout=60)
    assert said.splitlines()[-1] == b"1"
    assert b"stdin:2: not YAML" in warned


def test_a_command_does_not_end_the_process_that_it_has_become(state: State, start: Start) -> None:
    start()
    (state.root / "lock").touch()
    answer = ask(state, "down", "--state-dir", str(state.root))
    assert answer.stdout.splitlines()[-1] == "0"
    assert not state.root.exists()


def test_a_new_one_takes_the_place_of_the_one_that_waits(state: State, start: Start) -> None:
    first, second = start(), start()
    assert first.wait(60) == -signal.SIGTERM
    assert ask(state, "--help").stdout.splitlines()[-1] == "0"
    second.wait(60)
