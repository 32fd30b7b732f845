"""The world: network namespaces of our own, and processes in them.

The process that makes a `World` is the first one of a process namespace, with mounts of its own and, where it is not
root, as the root of a user namespace (see `__main__`). So the names under /run/netns are seen by nobody else, and when
that process ends, by whatever signal, the kernel ends every other and takes all namespaces, links and rules away.
"""

import asyncio
import ctypes
import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

FOLDER = Path("/run/netns")
CLIENTS = "clients"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_Result = TypeVar("_Result")


class CommandFailedError(Exception):
    """A command in a namespace that did not end well: which, where, and its last words."""


def within(namespace: str, argv: Sequence[str | Path]) -> list[str]:
    """The command that runs `argv` in a namespace, in the place of itself."""
    return ["nsenter", f"--net={FOLDER / namespace}", "--", *(str(a) for a in argv)]


class World:
    """Every namespace of the sandbox."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def names(self) -> set[str]:
        """The namespaces that there are."""
        return set(self._names)

    async def namespace(self, name: str) -> None:
        """Make sure that there is a namespace called `name`, its loopback up."""
        if name in self._names:
            return
        self._names.add(name)
        try:
            # Not `ip netns add`: it goes back to the host's network, which who is not root may not enter again.
            (FOLDER / name).touch()
            await self.run(None, ["unshare", f"--net={FOLDER / name}", "true"])
            await self.run(None, ["ip", "-n", name, "link", "set", "lo", "up"])
        except BaseException:
            self._names.discard(name)
            raise

    async def remove(self, name: str) -> None:
        """Take a namespace away; what runs in it keeps it alive, so that is to be ended before."""
        if name in self._names:
            self._names.discard(name)
            await self.run(None, ["ip", "netns", "delete", name])

    async def run(self, namespace: str | None, argv: Sequence[str | Path], given: str = "") -> str:
        """Run a command in a namespace (None: the host's network) to its end; what it printed.

        Raises:
            CommandFailedError: its exit code is not 0.
        """
        code, output, errors = await self.attempt(namespace, argv, given)
        if code:
            words = (errors or output).strip().replace("\n", " | ")[-600:]
            raise CommandFailedError(f"{' '.join(str(a) for a in argv)} in {namespace or 'the host'}: {words}")
        return output

    async def attempt(self, namespace: str | None, argv: Sequence[str | Path], given: str = "") -> tuple[int, str, str]:
        """Run a command in a namespace to its end: exit code, what it printed, what it complained of."""
        process = await self.start(namespace, argv, stdin=asyncio.subprocess.PIPE, piped=True)
        try:
            output, errors = await process.communicate(given.encode())
        except BaseException:
            if process.returncode is None:
                process.kill()
            raise
        return process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace")

    async def start(
        self,
        namespace: str | None,
        argv: Sequence[str | Path],
        *,
        env: dict[str, str] | None = None,
        stdin: int = asyncio.subprocess.DEVNULL,
        output: int | None = None,
        piped: bool = False,
    ) -> asyncio.subprocess.Process:
        """Start a command in a namespace and return at once.

        Args:
            namespace: where; None for the host's network.
            argv: the command.
            env: its environment; this process's own if not given.
            stdin: a file descriptor, or one of subprocess's.
            output: the file descriptor that it writes to; ours if not given.
            piped: whether its output and its complaints are to be read by the caller.
        """
        command = within(namespace, argv) if namespace else [str(a) for a in argv]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *command,
            env=env,
            stdin=stdin,
            stdout=pipe if piped else output,
            stderr=pipe if piped else output,
        )


def inside(namespace: str, work: Callable[[], _Result]) -> _Result:
    """Call `work` in a namespace and give its result: a socket that it makes stays there, whoever uses it."""
    future: Future[_Result] = Future()

    def enter() -> None:
        try:
            descriptor = os.open(FOLDER / namespace, os.O_RDONLY)
            try:
                if _libc.setns(descriptor, _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f"cannot enter the namespace {namespace}")
            finally:
                os.close(descriptor)
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)

    # A thread of its own: the namespace is a thread's, and this one ends with it.
    thread = threading.Thread(target=enter, name=f"in-{namespace}", daemon=True)
    thread.start()
    thread.join()
    return future.result()


def listener(namespace: str, address: str, port: int) -> socket.socket:
    """A socket that listens in a namespace."""
    return inside(namespace, lambda: socket.create_server((address, port), backlog=256))


def set_kernel(namespace: str, **values: str) -> None:
    """Set kernel parameters (`net.…`, dots written as `__`) of a namespace."""
    paths = {Path("/proc/sys") / name.replace("__", "/"): value for name, value in values.items()}

    def write() -> None:
        for path, value in paths.items():
            path.write_text(value)

    inside(namespace, write)
