"""The supervisor: processes are identified, awaited, restarted and stopped."""

import os
import signal
import sys
from pathlib import Path

import pytest

from sandbox.run.processes import (
    Identity,
    Process,
    ProcessFailedError,
    Supervisor,
    pause_after,
    session_members,
    wait_until,
)

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def process(folder: Path, argv: list[str], name: str = "part", *, own_session: bool = False) -> Process:
    log = folder / f"{name}.log"
    return Process(name, argv, log, ready=lambda: "up" in log.read_text(), own_session=own_session)


def test_a_process_is_known_by_its_pid_and_its_start_time() -> None:
    me = Identity.of(os.getpid())
    assert me is not None
    assert me.alive()
    assert not Identity(me.pid, me.started + 1).alive()
    assert Identity.from_json(me.to_json()) == me
    assert Identity.from_json({"pid": "x"}) is None


def test_a_signal_is_not_sent_to_another_process_with_the_same_pid() -> None:
    me = Identity.of(os.getpid())
    assert me is not None
    assert Identity(me.pid, me.started - 1).signal(signal.SIGKILL) is False


def test_a_process_that_ends_before_it_is_ready_says_its_last_words(tmp_path: Path) -> None:
    broken = process(tmp_path, [sys.executable, "-c", "import sys; sys.exit('no such flag')"])
    broken.start()
    with pytest.raises(ProcessFailedError, match=r"part ended with exit code 1: no such flag"):
        broken.wait_ready(10)


def test_a_process_that_is_never_ready_is_named_with_its_log(tmp_path: Path) -> None:
    silent = Process("mute", SLEEPER, tmp_path / "mute.log", ready=lambda: False)
    silent.start()
    with pytest.raises(ProcessFailedError, match=r"mute is not ready after 0 s; its log is .*mute\.log"):
        silent.wait_ready(0.1)
    silent.stop()


@pytest.mark.parametrize(("argv", "grace"), [(STUBBORN, 0.1), (SLEEPER, 0)], ids=["ignores SIGTERM", "has no grace"])
def test_a_process_that_does_not_end_within_its_grace_is_killed(tmp_path: Path, argv: list[str], grace: float) -> None:
    part = process(tmp_path, argv)
    part.start()
    part.wait_ready(10)
    part.stop(grace=grace)
    assert part.exit_code() == -signal.SIGKILL


def test_an_identity_ends_a_process_of_another_session(tmp_path: Path) -> None:
    apart = process(tmp_path, SLEEPER, own_session=True)
    identity = apart.start()
    apart.wait_ready(10)
    assert identity in session_members(identity.pid)
    assert os.getsid(identity.pid) == identity.pid
    identity.end(grace=5)
    assert not identity.alive()


def test_a_supervisor_restarts_what_dies_and_tells(tmp_path: Path) -> None:
    changes: list[int] = []
    keeper = Supervisor(lambda: changes.append(1))
    part = process(tmp_path, SLEEPER)
    keeper.add(part)
    keeper.watch()
    first = part.identity
    assert first is not None
    first.signal(signal.SIGKILL)
    assert wait_until(lambda: part.identity != first and part.running(), 10)
    assert keeper.restarts("part") == 1
    assert len(changes) == 2
    keeper.stop()
    assert not part.running()


def test_a_process_that_dies_again_and_again_is_restarted_later_each_time_until_it_has_run_for_a_while() -> None:
    pauses = [0.0]
    for _ in range(7):
        pauses.append(pause_after(0.1, pauses[-1]))
    assert pauses == [0.0, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert pause_after(11.0, pauses[-1]) == 0.4


def test_a_supervisor_ends_the_last_started_first(tmp_path: Path) -> None:
    ended: list[str] = []

    class Noted(Process):
        def stop(self, grace: float = 5.0) -> None:
            ended.append(self.name)
            super().stop(grace)

    keeper = Supervisor()
    for name in ("etcd", "apiserver"):
        keeper.add(Noted(name, SLEEPER, tmp_path / f"{name}.log"))
    keeper.stop()
    assert ended == ["apiserver", "etcd"]


def test_a_process_that_fails_to_start_is_not_kept(tmp_path: Path) -> None:
    keeper = Supervisor()
    with pytest.raises(ProcessFailedError):
        keeper.add(process(tmp_path, [sys.executable, "-c", "raise SystemExit(3)"]))
    assert keeper.processes() == []
