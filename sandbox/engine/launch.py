"""Start a Python module as a plugin: through the prefork server if it listens (milliseconds), otherwise as a process.

    launch.py SOCKET MODULE [ARGUMENT...]

For the engine this is one process: the module has our standard streams, environment and folder, gets our signals, ends
when we end, and we return its exit code. This runs before every plugin, so it imports as little as it can: not even
`json` and `pathlib`.
"""

import marshal
import os
import signal
import socket
import sys
from types import FrameType


def delegate(path: str, module: str, arguments: list[str]) -> int | None:
    """Run a module through the prefork server, until it ends.

    Returns:
        The module's exit code, or None if no server takes the order.
    """
    here = os.getcwd()  # noqa: PTH109 - see above
    order = {"module": module, "arguments": arguments, "environment": dict(os.environ), "folder": here}
    data = marshal.dumps(order)
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with socket.socket(socket.AF_UNIX) as server:

        def forward(number: int, _frame: FrameType | None) -> None:
            server.sendall(bytes([number]))

        try:
            # A socket's path may have 107 bytes, and one in the state folder may be longer, so change to the folder
            # first.
            folder, name = os.path.split(path)
            os.chdir(folder)
            try:
                server.connect(name)
            finally:
                os.chdir(here)
            socket.send_fds(server, [len(data).to_bytes(8, "big")], [0, 1, 2])
            server.sendall(data)
            # The module may run before the answer arrives, and signals are for the module.
            for number, _ in handlers:
                signal.signal(number, forward)
            taken = server.recv(1)
        except OSError:
            taken = b""
        if not taken:
            for number, handler in handlers:
                signal.signal(number, handler)
            return None
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
