"""A planner that is kept running, so that the next plan need not start one (`--keep`).

    python -m sandbox.plan.kept STATE LOCK SOCKET    clean it after a plan, and stand by for the next one

`sandbox plan --keep` starts that in the background; the lock and a socket for the next plan are open files. One plan
at a time: whoever holds the lock uses the planner, the cleaner included. A planner that cannot be cleaned is ended.
"""

import asyncio
import fcntl
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sandbox import lifecycle
from sandbox.lifecycle.running import aws_identity
from sandbox.plan.inputs.account import Account, document
from sandbox.plan.run import Plan
from sandbox.plan.scratch.planner import MEMORY, Planner
from sandbox.plan.standby import NAME, listen, stand_by
from sandbox.run.state import State, read_json

_CLEAN_SECONDS = 60.0


@contextmanager
def lock(state: State) -> Generator[IO[str], None, None]:
    """Hold the kept planner. The file's lock goes on in a child that inherits it."""
    state.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with state.root.with_name(f"{NAME}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def usable(state: State, account: Account, version: str) -> bool:
    """Whether the planner runs, is clean, and is of this account and this release."""
    if not state.exists() or aws_identity(state) is None or account.cluster not in state.active_clusters():
        return False
    held: dict[str, Any] = read_json(state.root / MEMORY) or {}
    return bool(held.get("clean")) and (held["account"], held["version"]) == (document(account), version)


def hand_over(state: State, file: IO[str]) -> None:
    """Have the planner cleaned in the background; the lock is held until it is."""
    with state.log("cleaner").open("a") as log, listen(state) as listener:
        files = (file.fileno(), listener.fileno())
        command = [sys.executable, "-m", "sandbox.plan.kept", str(state.root), *map(str, files)]
        subprocess.Popen(  # it outlives this process, on purpose
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=files, start_new_session=True
        )


async def clean(state: State) -> None:
    """Delete what the last plan made."""
    held: dict[str, Any] = read_json(state.root / MEMORY) or {}
    planner = Planner(state, Account.model_validate(held["account"]), print, seconds=_CLEAN_SECONDS)
    planner.resume()
    try:
        await Plan(planner, held["applied"]).clean()
        planner.remember({"version": held["version"], "clean": True})
    finally:
        await planner.close()


def main() -> None:
    """Clean the planner in a state folder and stand by, or end it."""
    state, lock, listener = State.at(Path(sys.argv[1])), int(sys.argv[2]), socket.socket(fileno=int(sys.argv[3]))
    try:
        asyncio.run(clean(state))
    except Exception as error:  # noqa: BLE001 - whatever it is, a planner in doubt is none
        sys.stderr.write(f"{error!r}\n")
        lifecycle.down(state, lambda _: None)
    else:
        stand_by(state, listener, lock)


if __name__ == "__main__":
    main()
