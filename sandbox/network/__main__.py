"""`python -m sandbox.network --state-dir D`: keep the world running until SIGTERM.

This process is small and outside the world; the first process inside (`inside`) does the work. When this one ends, even
by a kill, the kernel kills that one, and with it the whole world.
"""

import argparse
import logging
import os
import signal
import sys
import threading

from sandbox.network import requirements
from sandbox.run.processes import Identity, Process, ProcessFailedError, Supervisor
from sandbox.run.state import State, locked, read_json, write_json

_READY_SECONDS = 60.0


def keep(state: State) -> None:
    """Start the world, restart it if it ends, end it at SIGTERM.

    Raises:
        ProcessFailedError: it does not start.
    """
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    status = state.traffic / "status.json"
    status.unlink(missing_ok=True)
    write_json(state.traffic / "process.json", Identity.own().to_json())
    world = Process(
        "world",
        requirements.isolated(sys.executable, "-m", "sandbox.network.inside", "--state-dir", str(state.root)),
        state.log("traffic"),
        env={**os.environ, "PATH": requirements.search_path()},
        ready=lambda: read_json(status) is not None,
    )
    supervisor = Supervisor()
    try:
        supervisor.add(world, _READY_SECONDS)
        supervisor.watch()
        end.wait()
    finally:
        # SIGTERM does not reach the first process of a process namespace, and nothing in it needs cleaning up.
        supervisor.stop(grace=0)


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.network", description=__doc__)
    parser.add_argument("--state-dir", required=True, help="the sandbox's state folder")
    state = State.at(parser.parse_args().state_dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        with locked(state.traffic / "lock", wait=False):
            keep(state)
    except BlockingIOError:
        sys.stderr.write(f"another process carries the traffic of {state.root}: `sandbox status` shows it\n")
        return 1
    except ProcessFailedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
