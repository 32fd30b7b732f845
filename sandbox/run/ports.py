"""Ports on loopback: free ones, and the owner of a taken one."""

import random
import socket
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# Below Linux's range for outgoing connections (net.ipv4.ip_local_port_range begins at 32768): while the sandbox is
# down, no client must get a port that it keeps.
_PORTS = range(20000, 32000)
_ATTEMPTS = 200
_CLAIMS = "127.99.99.99"
"""The loopback address on which a process claims the ports that it chose, by UDP, which nothing else does there."""
_claims = deque[socket.socket]()
_CLAIMS_KEPT = 64


class PortTakenError(Exception):
    """A port that was chosen earlier is taken, or none is free."""


def free_port(taken: Iterable[int] = ()) -> int:
    """A loopback port that nothing listens on and that is not in `taken`.

    No other process gets the same port before its server listens, while this process lives.
    """
    avoid = set(taken)
    for _ in range(_ATTEMPTS):
        port = random.choice(_PORTS)  # noqa: S311 - not a secret; by chance so that two sandboxes seldom meet
        if port not in avoid and is_free(port) and _claim(port):
            return port
    raise PortTakenError(f"no free port found between {_PORTS.start} and {_PORTS.stop}: stop some servers")


def _claim(port: int) -> bool:
    """Claim a port, unless a process has; the oldest claims end, because their servers listen by then."""
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind((_CLAIMS, port))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    if len(_claims) > _CLAIMS_KEPT:
        _claims.popleft().close()
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # Like servers: ignore connections that linger after their server's end.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def owner(port: int) -> str:
    """The process that listens on a port, as "name (pid N)" if this user may see it, otherwise "another process"."""
    inodes = {
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port
    }
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(f"socket:[{i}]" == str(fd.readlink()) for fd in (process / "fd").iterdir() for i in inodes):
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return "another process"
