"""`python -m sandbox.aws --state-dir D`: the AWS process of one sandbox."""

import argparse
import fcntl
import gc
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO, NoReturn

from sandbox.aws.agents import AGENT
from sandbox.aws.patching import replace
from sandbox.aws.serving.journal import Journal
from sandbox.run.processes import Identity
from sandbox.run.state import State, StateError, write_json

log = logging.getLogger("sandbox.aws")


def main() -> int:
    """Run until SIGTERM. The clusters' agents keep running: they belong to the clusters, not to this process."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.aws", description=__doc__)
    parser.add_argument("--state-dir", required=True, help="the sandbox's state folder")
    parser.add_argument("--agent", help="a program that runs a cluster instead of `python -m sandbox.cluster`")
    arguments = parser.parse_args()
    state = State.at(arguments.state_dir)
    # In some places moto iterates over sets of strings; their order depends on the hash seed.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "sandbox.aws", *sys.argv[1:]])  # noqa: S606 - this very program
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        run(state, [arguments.agent] if arguments.agent else AGENT)
    except (StateError, RuntimeError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def run(state: State, agent: list[str]) -> NoReturn:
    """Replay, serve, end. `agent` is the command that runs a cluster.

    Raises:
        StateError: the folder has no sandbox, another process serves it, or its port is taken.
        RuntimeError: the journal cannot be replayed.
    """
    began = time.monotonic()
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    settings = state.settings()
    # Check for errors first: the next steps take seconds.
    hold = only_one(state)
    door = reserve(settings.ports["aws"])
    header = {"moto": version("moto"), "seed": random.SystemRandom().getrandbits(63), "time": time.time()}
    journal = Journal(state.aws / "journal", header)
    entries = list(journal.entries())
    # What is loaded from here on stays. Looking for garbage in it takes a quarter of the start.
    gc.disable()
    # moto reads these when it is imported, so import it only now.
    os.environ |= {
        "MOTO_ACCOUNT_ID": settings.account,
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        "MOTO_DISABLE_GLOBAL_CORS": "true",
    }
    _read_models_once()
    from moto.utilities.utils import get_partition  # noqa: PLC0415

    from sandbox.aws.account import EmulatedAccount  # noqa: PLC0415
    from sandbox.aws.clusters import Agents, Observations  # noqa: PLC0415
    from sandbox.aws.corrections.elbv2.limits import QUOTAS  # noqa: PLC0415
    from sandbox.aws.emulator import Emulator  # noqa: PLC0415
    from sandbox.aws.serving.gate import Gate  # noqa: PLC0415
    from sandbox.aws.serving.server import serve  # noqa: PLC0415
    from sandbox.iam.authorizer import Authorizer  # noqa: PLC0415
    from sandbox.iam.permissions.reference import Place  # noqa: PLC0415
    from sandbox.run.latency import Latency  # noqa: PLC0415

    QUOTAS.update(settings.quotas)
    seed, birth = journal.header["seed"], journal.header["time"]
    latency = Latency.model_validate(settings.latency)
    emulator = Emulator(seed, birth, settings.region, settings.account, state.aws_endpoint, latency)
    place = Place(get_partition(settings.region), settings.region, settings.account)
    authorizer = Authorizer(EmulatedAccount(place, settings.root_keys, emulator.eks, emulator.accelerators))
    gate = Gate(emulator, journal, Observations(state), authorizer)
    gate.replay(entries)
    emulator.door.admits = authorizer.admits
    agents = Agents(state, gate, emulator.eks, agent)
    gate.after_write = agents.wake
    agents.start()
    gc.freeze()
    gc.enable()
    server = serve(door, gate)
    write_json(state.aws / "process.json", Identity.own().to_json())
    took = time.monotonic() - began
    log.info("serving on %s after %.1f s, %d journaled calls", state.aws_endpoint, took, len(entries))
    end.wait()
    server.shutdown()
    with gate.lock:
        agents.stop()
        journal.close()
    hold.close()
    # Everything important is in the journal; the interpreter would take seconds to free moto's objects.
    logging.shutdown()
    os._exit(0)


def _read_models_once() -> None:
    """Make all of botocore's sessions share what they read. moto makes many, and each would read EC2's model again."""
    from botocore import loaders  # noqa: PLC0415 - it takes a tenth of a second, and `main` may start this program anew

    replace(loaders, "create_loader", cache(loaders.create_loader))


def reserve(port: int) -> socket.socket:
    """Bind the loopback socket; connections are refused until something listens on it.

    Raises:
        StateError: another program has the port.
    """
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("127.0.0.1", port))
    except OSError as error:
        raise StateError(
            f"port {port} is not available ({error.strerror}): stop what uses it, or `sandbox down` and `sandbox up`"
            " for another port"
        ) from error
    return door


def only_one(state: State) -> IO[str]:
    """Hold the folder's lock: two processes must not write one journal.

    Raises:
        StateError: another process holds it.
    """
    path: Path = state.aws / "lock"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(f"another AWS process serves {state.root}: `sandbox status` shows it") from None
    return file


if __name__ == "__main__":
    sys.exit(main())
