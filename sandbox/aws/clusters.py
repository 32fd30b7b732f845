"""The clusters' agents: started when EKS wants a cluster, kept running, watched, ended with the cluster.

The model (`sandbox.aws.eks`) knows what should run. This module makes the machine match, again and again, and passes
the agents' reports to the model. An agent has its own session and outlives this process.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sandbox.aws.agents import clusters_on_disk, end_cluster, start_agent
from sandbox.aws.eks.settling import Wanted
from sandbox.aws.eks.settling import wanted as wanted_clusters
from sandbox.aws.eks.store import Eks
from sandbox.run.processes import Identity, Process
from sandbox.run.state import State, StateError, read_json, write_json

log = logging.getLogger(__name__)
_REPORTED = ("phase", "endpoint", "ca", "message", "ready_nodes")


class _Gate(Protocol):
    lock: Any

    def look_at_clusters(self) -> None: ...

    def observe(self, observation: dict[str, Any]) -> None: ...


class Observations:
    """What agents have written since the last look."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._stamps: dict[Path, tuple[int, int]] = {}

    def news(self, eks: Eks) -> list[dict[str, Any]]:
        """One observation for each cluster whose report differs from the model."""
        found: list[dict[str, Any]] = []
        for name in eks.clusters:
            folder = self._state.cluster(name)
            files = (folder / "status.json", folder / "pki" / "sa.pub")
            if any([self._changed(file) for file in files]):  # noqa: C419 - both stamps are to be taken
                observation = read_report(folder, name)
                if observation and not eks.knows(observation):
                    found.append(observation)
        return found

    def _changed(self, file: Path) -> bool:
        try:
            status = file.stat()
        except FileNotFoundError:
            return False
        stamp = (status.st_mtime_ns, status.st_ino)
        if self._stamps.get(file) == stamp:
            return False
        self._stamps[file] = stamp
        return True


def read_report(folder: Path, name: str) -> dict[str, Any] | None:
    """The report of the agent in `folder` on its cluster: `{"cluster", "status", "keys"}`."""
    try:
        status = read_json(folder / "status.json")
    except StateError:
        log.warning("%s is not readable: waiting for its agent to write it again", folder / "status.json")
        return None
    if status is None:
        return None
    try:
        keys = (folder / "pki" / "sa.pub").read_text()
    except FileNotFoundError:
        keys = None
    return {"cluster": name, "status": {key: status[key] for key in _REPORTED if key in status}, "keys": keys}


@dataclass
class _Tries:
    """How often an agent was started, and when it may start again."""

    count: int = 0
    not_before: float = 0.0


@dataclass
class Agents:
    """Runs one agent for every cluster that EKS wants, and no others."""

    state: State
    gate: _Gate
    eks: Eks
    command: Sequence[str]
    _processes: dict[str, Process] = field(default_factory=dict[str, Process])
    _tries: dict[str, _Tries] = field(default_factory=dict[str, _Tries])
    _ending: set[str] = field(default_factory=set[str])
    _woken: threading.Event = field(default_factory=threading.Event)
    _stopping: bool = False

    def start(self) -> None:
        """Start: adopt running agents, remove clusters that are no longer wanted."""
        threading.Thread(target=self._run, name="agents", daemon=True).start()

    def wake(self) -> None:
        """Look now instead of in half a second."""
        self._woken.set()

    def stop(self) -> None:
        """Stop watching. The agents keep running."""
        self._stopping = True

    def _run(self) -> None:
        with self.gate.lock:
            known = {wanted.name for wanted in wanted_clusters(self.eks)}
        for name in clusters_on_disk(self.state):
            if name not in known:
                log.warning("cluster %s is not in the journal: removing it", name)
                end_cluster(self.state, name)
        while not self._stopping:
            self._woken.clear()
            try:
                self._round()
            except Exception:
                log.exception("a round failed; the next one is in half a second")
            self._woken.wait(0.5)

    def _round(self) -> None:
        self.gate.look_at_clusters()
        with self.gate.lock:
            everything = [] if self._stopping else wanted_clusters(self.eks)
        for wanted in everything:
            if wanted.deleting:
                self._begin_to_end(wanted.name)
            else:
                self._keep(wanted)

    def _keep(self, wanted: Wanted) -> None:
        folder = self.state.cluster(wanted.name)
        write_if_new(folder / "cluster.json", wanted.cluster)
        write_if_new(folder / "nodes.json", {"nodes": wanted.nodes})
        process = self._processes.get(wanted.name)
        if process and process.running():
            return
        identity = Identity.from_json(read_json(folder / "process.json"))
        if identity and identity.alive():
            return
        self._spawn(wanted.name)

    def _spawn(self, name: str) -> None:
        tries = self._tries.setdefault(name, _Tries())
        if time.monotonic() < tries.not_before:
            return
        if tries.count:
            log.warning("the agent of cluster %s is gone: starting it again (%d)", name, tries.count)
        tries.count += 1
        tries.not_before = time.monotonic() + min(2.0**tries.count, 30.0)
        self._processes[name] = start_agent(self.state, name, self.command)

    def _begin_to_end(self, name: str) -> None:
        if name in self._ending:
            return
        self._ending.add(name)
        threading.Thread(target=self._end, args=(name,), name=f"end-{name}", daemon=True).start()

    def _end(self, name: str) -> None:
        process = self._processes.pop(name, None)
        end_cluster(self.state, name, process)
        self._tries.pop(name, None)
        if not self._stopping:
            self.gate.observe({"cluster": name, "gone": True})
        self._ending.discard(name)


def write_if_new(path: Path, data: Any) -> None:
    """Write a document, unless the file already contains it: its reader watches the file."""
    if json.dumps(read_json(path)) != json.dumps(data):
        write_json(path, data)
