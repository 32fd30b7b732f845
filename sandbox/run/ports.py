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
_CLAIM_ADDRESS = "127.99.99.99"
"""A loopback address that nothing else uses. A process claims a port that it chose by binding it there, for UDP."""
_MOST_CLAIMS = 64
_claims = deque[socket.socket]()


class PortTakenError(Exception):
    """A port that was chosen earlier is taken, or none is free."""


def free_port(taken: Iterable[int] = ()) -> int:
    """A loopback port that nothing listens on and that is not in `taken`.

    No other call gets the same port, in any process, while this process lives, until it has asked for 64 more: by then
    the port's server listens.
    """
    avoid = set(taken)
    for _ in range(_ATTEMPTS):
        port = random.choice(_PORTS)  # noqa: S311 - not a secret; by chance so that two sandboxes seldom meet
        if port not in avoid and is_free(port) and _claim(port):
            return port
    raise PortTakenError(f"no free port found between {_PORTS.start} and {_PORTS.stop}: stop some servers")


def _claim(port: int) -> bool:
    """Claim a port; False if it is claimed already."""
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind((_CLAIM_ADDRESS, port))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    if len(_claims) > _MOST_CLAIMS:
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
