"""Starts, watches and stops processes; every part of the sandbox uses it.

A process is identified by its pid *and* its start time, because a pid may be reused. Nothing here knows what the
processes do.
"""

import ctypes
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ProcessFailedError(Exception):
    """A process ended before it was ready, or did not become ready."""


@dataclass(frozen=True)
class Identity:
    """The identity of a process: pid, and start time in clock ticks since boot."""

    pid: int
    started: int

    def to_json(self) -> dict[str, int]:
        """The identity as JSON."""
        return {"pid": self.pid, "started": self.started}

    @staticmethod
    def from_json(data: Any) -> "Identity | None":
        """The identity from the output of `to_json`, or None for anything else."""
        try:
            return Identity(int(data["pid"]), int(data["started"]))
        except (KeyError, TypeError, ValueError):
            return None

    @staticmethod
    def of(pid: int) -> "Identity | None":
        """The identity of a running process, or None if it does not run (a zombie does not)."""
        try:
            # The name in brackets may contain spaces and brackets: the fields begin after the last one.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        return None if fields[0] in "ZX" else Identity(pid, int(fields[19]))

    @staticmethod
    def own() -> "Identity":
        """This process's.

        Raises:
            ProcessLookupError: /proc does not show it.
        """
        found = Identity.of(os.getpid())
        if found is None:
            raise ProcessLookupError(f"/proc does not show process {os.getpid()}, which is this one")
        return found

    def alive(self) -> bool:
        """Whether it still runs."""
        return Identity.of(self.pid) == self

    def signal(self, number: int) -> bool:
        """Send a signal; False if it is gone."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def end(self, grace: float) -> None:
        """Stop it: SIGTERM, then SIGKILL after `grace` seconds. Returns when it is gone."""
        if not self.signal(signal.SIGTERM):
            return
        if not wait_until(lambda: not self.alive(), grace):
            self.signal(signal.SIGKILL)
            wait_until(lambda: not self.alive(), 5)


def wait_until(condition: Callable[[], Any], timeout: float, interval: float = 0.02) -> bool:
    """Wait until `condition` holds, at most `timeout` seconds; return whether it did."""
    deadline = time.monotonic() + timeout
    while True:
        if condition():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval)


def end_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the thread that started it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, number)


def session_members(leader: int) -> list[Identity]:
    """Every running process in the session of `leader`."""
    found: list[Identity] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader and fields[0] not in "ZX":
            found.append(Identity(int(entry.name), int(fields[19])))
    return found


@dataclass
class Process:
    """One process: how it starts, where it logs, when it is ready.

    `ready` is called repeatedly until it returns True (an exception means "not yet"). With `own_session` it survives
    the terminal's Ctrl-C and its starter's end; otherwise it ends with the thread that started it.
    """

    name: str
    argv: Sequence[str | Path]
    log_file: Path
    env: dict[str, str] | None = None
    cwd: Path | None = None
    ready: Callable[[], bool] | None = None
    own_session: bool = False
    _popen: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    identity: Identity | None = None

    def start(self) -> Identity:
        """Start it and return at once."""
        self.log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            self._popen = subprocess.Popen(
                [str(a) for a in self.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=self.own_session,
                preexec_fn=None if self.own_session else end_with_parent,  # noqa: PLW1509 - one prctl call, async-signal-safe
            )
        # A child that is not yet reaped is at worst a zombie, so no other process can have its pid.
        self.identity = Identity.of(self._popen.pid) or Identity(self._popen.pid, -1)
        return self.identity

    def running(self) -> bool:
        """Whether it runs (and reap it if it has ended)."""
        return self._popen is not None and self._popen.poll() is None

    def exit_code(self) -> int | None:
        """Its exit code once it has ended; negative for a signal."""
        return None if self._popen is None else self._popen.poll()

    def is_ready(self) -> bool:
        """Call `ready` once."""
        if self.ready is None:
            return True
        try:
            return self.ready()
        except Exception:  # noqa: BLE001 - a connection refused, an empty file: all mean "not yet"
            return False

    def wait_ready(self, timeout: float) -> None:
        """Wait until it is ready.

        Raises:
            ProcessFailedError: it ended, or was not ready after `timeout` seconds; with the last lines of its log.
        """
        wait_until(lambda: not self.running() or self.is_ready(), timeout)
        if not self.running():
            raise ProcessFailedError(f"{self.name} ended with exit code {self.exit_code()}: {self.last_words()}")
        if not self.is_ready():
            raise ProcessFailedError(f"{self.name} is not ready after {timeout:.0f} s; its log is {self.log_file}")

    def last_words(self, lines: int = 3) -> str:
        """The last lines of its log."""
        try:
            text = self.log_file.read_text(errors="replace").strip().splitlines()
        except FileNotFoundError:
            return "(no log)"
        return " | ".join(text[-lines:]) or "(nothing logged)"

    def stop(self, grace: float = 5.0) -> None:
        """Stop it: SIGTERM, then SIGKILL after `grace` seconds; with 0, SIGKILL at once.

        Returns when it is gone and reaped.
        """
        if self._popen is None or self._popen.poll() is not None:
            return
        if grace:
            self._popen.terminate()
        try:
            self._popen.wait(grace)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.4, 10.0


def pause_after(ran: float, pause: float) -> float:
    """The least time between this restart of a process and the next one, in seconds.

    It doubles with each restart, and is short again after the process has run longer than the longest pause.

    Args:
        ran: seconds since the last pause ended.
        pause: the length of that pause in seconds; 0 if there was none.
    """
    return min(2 * pause, _LONGEST_PAUSE) if pause and ran < _LONGEST_PAUSE else _SHORTEST_PAUSE


class Supervisor:
    """Processes that are kept running: started in order, restarted when they die, stopped in reverse order."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        """`on_change` is called, from the supervisor's thread, whenever a pid changes."""
        self._entries: list[Process] = []
        self._restarts: dict[str, int] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        """For each name: when it may be started again, and the length of that pause."""
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._on_change = on_change
        self._thread: threading.Thread | None = None

    def add(self, process: Process, timeout: float = 60.0) -> None:
        """Start a process, wait until it is ready, then keep it running.

        Raises:
            ProcessFailedError: it did not become ready; it is not kept running.
        """
        process.start()
        try:
            process.wait_ready(timeout)
        except ProcessFailedError:
            process.stop()
            raise
        with self._lock:
            self._entries.append(process)
        self._on_change()

    def watch(self) -> None:
        """From now on, restart what dies. Not earlier, because a failed start should fail, not be repeated."""
        # PR_SET_PDEATHSIG fires when the *thread* that forked ends; this one lives as long as the supervisor.
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            with self._lock:
                for process in self._entries:
                    if not process.running() and not self._stopping.is_set():
                        self._restart(process)

    def _restart(self, process: Process) -> None:
        now = time.monotonic()
        allowed, pause = self._pauses.get(process.name, (0.0, 0.0))
        if now < allowed:
            return
        count = self._restarts[process.name] = self._restarts.get(process.name, 0) + 1
        pause = pause_after(now - allowed, pause)
        self._pauses[process.name] = now + pause, pause
        log.warning("%s ended with exit code %s: restarting (%d)", process.name, process.exit_code(), count)
        process.start()
        self._on_change()

    def processes(self) -> list[Process]:
        """The processes, in the order of their start."""
        with self._lock:
            return list(self._entries)

    def restarts(self, name: str) -> int:
        """How often a process was restarted."""
        return self._restarts.get(name, 0)

    def remove(self, process: Process, grace: float = 5.0) -> None:
        """Stop one process and forget it."""
        with self._lock:
            if process in self._entries:
                self._entries.remove(process)
        process.stop(grace)

    def stop(self, grace: float = 5.0) -> None:
        """Stop everything, in reverse order."""
        self._stopping.set()
        with self._lock:
            entries, self._entries = self._entries[::-1], []
        for process in entries:
            process.stop(grace)
