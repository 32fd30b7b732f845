"""Start and end the clusters of a sandbox: their agents, the agents' processes, and their folders.

This is separate from the code that knows which clusters there should be: it needs no moto.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.run.processes import Identity, Process, session_members, wait_until
from sandbox.run.state import State, read_json, write_json

AGENT = [sys.executable, "-m", "sandbox.cluster"]
"""The command that runs a cluster."""
GRACE = 20.0
"""Seconds in which an agent must end."""


def clusters_on_disk(state: State) -> list[str]:
    """The names of the clusters that have a folder."""
    try:
        return sorted(entry.name for entry in state.clusters.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


def start_agent(state: State, name: str, command: Sequence[str]) -> Process:
    """Start the agent of a cluster whose cluster.json is written. It lives on when its starter ends."""
    argv = [*command, "--state-dir", str(state.root), "--name", name]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED" and not k.startswith("MOTO_")}
    process = Process(name, argv, state.log(f"{name}-agent"), environment, own_session=True)
    write_json(state.cluster(name) / "process.json", process.start().to_json())
    return process


def end_cluster(state: State, name: str, process: Process | None = None, grace: float = GRACE) -> None:
    """End a cluster's agent and all its processes, then remove its folder. Bounded; repeatable.

    Args:
        state: the sandbox's.
        name: the cluster's.
        process: the agent, if it is our child and must be reaped.
        grace: seconds in which the agent must end; with 0 it is killed, and does not tidy up outside its folder.
    """
    folder = state.cluster(name)
    agent = Identity.from_json(read_json(folder / "process.json"))
    if agent:
        agent.signal(signal.SIGTERM if grace else signal.SIGKILL)
        # Pods and control plane go with the cluster: none of them has anything to finish.
        _kill(member for member in session_members(agent.pid) if member != agent)
        if process:
            wait_until(lambda: not process.running(), grace)
        wait_until(lambda: not agent.alive(), 0 if process else grace)
        wait_until(lambda: not _kill(session_members(agent.pid)), 5)
        if process:
            process.running()
    # After SIGKILL a process may still write a file's last page into its folder.
    wait_until(lambda: _removed(folder), 5)


def _kill(members: Iterable[Identity]) -> int:
    """Kill processes. Return how many still ran."""
    return sum(member.signal(signal.SIGKILL) for member in members)


def _removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def stop_all(state: State) -> None:
    """Kill every cluster of a sandbox, in parallel; `sandbox down` calls this after the AWS process has ended."""
    names = clusters_on_disk(state)
    if names:
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(lambda name: end_cluster(state, name, grace=0), names))
