"""How clusters end."""

import sys
from pathlib import Path

from sandbox.aws.agents import end_cluster
from sandbox.run.processes import Process, session_members, wait_until
from sandbox.run.state import State, write_json

AGENT = """
import pathlib, signal, subprocess, sys

pod = subprocess.Popen(
    [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, lambda *_: None); print(flush=True);"
     "[signal.pause() for _ in iter(int, 1)]"],
    stdout=subprocess.PIPE,
)
pod.stdout.readline()

def end(*_):
    pod.terminate()
    pod.wait()
    pathlib.Path(sys.argv[1]).touch()
    sys.exit()

signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause()
"""
"""It ends when its pod has ended, which SIGTERM does not end."""


def test_a_cluster_that_goes_does_not_wait_for_its_pods_and_its_agent_tidies_up(tmp_path: Path) -> None:
    state, tidied, log = State.at(tmp_path / "s"), tmp_path / "tidied", tmp_path / "log"
    agent = Process("agent", [sys.executable, "-c", AGENT, tidied], log, own_session=True)
    identity = agent.start()
    assert wait_until(lambda: "up" in log.read_text(), 60)
    write_json(state.cluster("a") / "process.json", identity.to_json())
    end_cluster(state, "a", agent, grace=30)
    assert tidied.exists()
    assert session_members(identity.pid) == []
    assert not state.cluster("a").exists()
