"""Start a Python module as a plugin: by the prefork server if one listens (milliseconds), else as any process.

    launch.py SOCKET MODULE [ARGUMENT...]

The engine's view is that of one process: the module has our standard streams, environment and folder, gets the
signals that we get, ends when we end, and its exit code is ours. Standard library only: this runs before every plugin.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType


def delegate(path: str, module: str, arguments: list[str]) -> int | None:
    """Have the prefork server run a module, to its end.

    Returns:
        The module's exit code, or None if no server listens.
    """
    here = str(Path.cwd())
    with socket.socket(socket.AF_UNIX) as server:
        try:
            # A socket's path may have 107 bytes; one below the state folder may be longer: so it is reached from there.
            folder, name = os.path.split(path)
            os.chdir(folder)
            try:
                server.connect(name)
            finally:
                os.chdir(here)
        except OSError:
            return None
        order = {"module": module, "arguments": arguments, "environment": dict(os.environ), "folder": here}
        data = json.dumps(order).encode()
        socket.send_fds(server, [len(data).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(data)

        def forward(number: int, _frame: FrameType | None) -> None:
            server.sendall(bytes([number]))

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, forward)
        answer = server.recv(1)
    return answer[0] if answer else 1


def main() -> None:
    """Run the module named on the command line."""
    path, module, *arguments = sys.argv[1:]
    code = delegate(path, module, arguments)
    if code is None:
        os.execv(sys.executable, [sys.executable, "-u", "-m", module, *arguments])  # noqa: S606 - no shell is wanted
    sys.exit(code)


if __name__ == "__main__":
    main()
