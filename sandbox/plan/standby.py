"""A process that waits for the next plan with `--keep`, and becomes it: it has imported everything already."""

import contextlib
import importlib
import os
import socket
from pathlib import Path
from typing import Final

from sandbox.engine import home, launch
from sandbox.engine.prefork import receive, run
from sandbox.lifecycle.running import plugins_identity
from sandbox.run.processes import Identity
from sandbox.run.state import State, write_json

NAME: Final = "kept"
"""The folder of the planner that is kept."""
_MODULE: Final = "sandbox.cli"
_NEEDED: Final = ("sandbox.cli.plan", "sandbox.plan.command")
"""What that imports when a plan is asked for."""


def delegate(folder: Path, arguments: list[str]) -> int | None:
    """Have the process that waits run `sandbox` with these arguments, after the planner is clean.

    Returns:
        The exit code, or None if no process waits.
    """
    return launch.delegate(str(_path(State.at(folder / NAME))), _MODULE, arguments)


def listen(state: State) -> socket.socket:
    """A socket for the next plan, in the place of the process that waits now."""
    if (waiting := plugins_identity(state)) is not None:
        waiting.end(grace=1)
    path = _path(state)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with contextlib.chdir(path.parent):  # the path of a socket may have 107 bytes
        listener.bind(path.name)
    path.chmod(0o600)
    listener.listen()
    return listener


def stand_by(state: State, listener: socket.socket, lock: int) -> None:
    """Wait for a plan and run it; does not return.

    Args:
        state: the planner's, which is clean.
        listener: see `listen`.
        lock: the file descriptor of the planner's lock, which is given back.
    """
    for module in _NEEDED:
        importlib.import_module(module)
    file = _path(state).with_suffix(".json")
    write_json(file, Identity.own().to_json())
    os.close(lock)
    connection, _ = listener.accept()
    file.unlink()  # a plan that fails ends every process of the planner; it must not end itself
    listener.close()
    code = run(receive(connection), connection)
    with contextlib.suppress(OSError):  # the client may be gone
        connection.sendall(bytes([code]))
    os._exit(code)


def _path(state: State) -> Path:
    """Where other sandboxes have the server that forks plugins: `sandbox down` ends the process that listens there."""
    return state.pulumi / home.PREFORK
