"""The world: our own network namespaces, and processes in them.

The process that creates a `World` is the first one of a process namespace. It has its own mounts and, if it is not
root, it is root in a user namespace (see `__main__`). So nobody else sees the names under /run/netns. When that process
ends, by whatever signal, the kernel ends all others and removes all namespaces, links and rules.
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
    """A command in a namespace failed: which one, where, and its last output."""


def within(namespace: str, argv: Sequence[str | Path]) -> list[str]:
    """The command that runs `argv` in a namespace, replacing itself."""
    return ["nsenter", f"--net={FOLDER / namespace}", "--", *(str(a) for a in argv)]


class World:
    """Every namespace of the sandbox."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def names(self) -> set[str]:
        """The existing namespaces."""
        return set(self._names)

    async def namespace(self, name: str) -> None:
        """Ensure that a namespace called `name` exists, with its loopback up."""
        if name in self._names:
            return
        self._names.add(name)
        try:
            # Not `ip netns add`: it returns to the host's network, which only root may enter again.
            (FOLDER / name).touch()
            await self.run(None, ["unshare", f"--net={FOLDER / name}", "true"])
            await self.run(None, ["ip", "-n", name, "link", "set", "lo", "up"])
        except BaseException:
            # Nothing half made stays: the next attempt would meet it.
            self._names.discard(name)
            await self.attempt(None, ["ip", "netns", "delete", name])
            raise

    async def remove(self, name: str) -> None:
        """Remove a namespace. Processes in it keep it alive, so stop them first."""
        if name in self._names:
            await self.run(None, ["ip", "netns", "delete", name])
            self._names.discard(name)

    async def run(self, namespace: str | None, argv: Sequence[str | Path], given: str = "") -> str:
        """Run a command in a namespace (None: the host's network) to its end; return its output.

        Raises:
            CommandFailedError: its exit code is not 0.
        """
        code, output, errors = await self.attempt(namespace, argv, given)
        if code:
            words = (errors or output).strip().replace("\n", " | ")[-600:]
            raise CommandFailedError(f"{' '.join(str(a) for a in argv)} in {namespace or 'the host'}: {words}")
        return output

    async def attempt(
        self, namespace: str | None, argv: Sequence[str | Path], given: str = "", env: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Run a command in a namespace to its end; return exit code, stdout and stderr."""
        process = await self.start(namespace, argv, env=env, stdin=asyncio.subprocess.PIPE, piped=True)
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
            env: its environment; by default this process's.
            stdin: a file descriptor, or one of subprocess's constants.
            output: the file descriptor for its output; by default ours.
            piped: whether the caller reads its stdout and stderr.
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
    """Call `work` in a namespace and return its result: a socket that it creates stays there, whoever uses it."""
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

    # In a new thread: a namespace belongs to a thread, and this one ends with the work.
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
