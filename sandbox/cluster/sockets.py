"""Where a cluster listens: loopback ports, chosen once and kept, and a folder for unix sockets."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sandbox.run.ports import PortTakenError, free_port, is_free, owner
from sandbox.run.state import read_json, write_json

_LONGEST_FOLDER = 107 - len("/egress.sock.tmp")
"""sun_path can have 107 characters (unix(7)), minus room for the longest name in the folder."""


def kept_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """The port of each name: chosen earlier, or chosen now and written to `file`.

    Raises:
        PortTakenError: a port chosen earlier is taken. It is kept, because clients use it (kubeconfigs, Pulumi).
    """
    ports: dict[str, int] = read_json(file) or {}
    for name in names:
        if name not in ports:
            ports[name] = free_port(ports.values())
        elif not is_free(ports[name]):
            raise PortTakenError(
                f"port {ports[name]} of {name} ({file}) is taken by {owner(ports[name])}: end it, then try again"
            )
    write_json(file, ports)
    return ports


def socket_path(wanted: Path) -> Path:
    """Where `socket_folder` makes it."""
    if len(str(wanted)) <= _LONGEST_FOLDER:
        return wanted
    mark = hashlib.sha256(str(wanted).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sandbox-{os.getuid()}-{mark}"


def socket_folder(wanted: Path) -> Path:
    """A private, empty folder for unix sockets: `wanted`, or a short path elsewhere if that is too long.

    The short path depends only on the wanted folder, so the next agent clears what a killed one left there.
    """
    folder = socket_path(wanted)
    shutil.rmtree(folder, ignore_errors=True)
    # Fails if another user has created this name in the shared temporary folder.
    folder.mkdir(mode=0o700, parents=True)
    return folder
