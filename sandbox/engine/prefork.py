"""A process that has imported what plugins need and forks for each of them, and a second one for the AWS CLI.

    python -m sandbox.engine.prefork --state-dir D

An engine starts four providers, a language host and a program for every command; on a small machine their imports take
seconds. A fork already has them. gRPC would not survive a fork, so nothing of it starts before. Kubeconfigs run the AWS
CLI for a token. It brings its own botocore, so it needs a process of its own. Without these processes everything works,
but slower (see `launch`).
"""

import argparse
import gc
import importlib
import io
import logging
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine import home
from sandbox.run.processes import Identity, end_with_parent
from sandbox.run.state import State, write_json

log = logging.getLogger(__name__)

_KUBERNETES = (
    *("admissionregistration.v1", "apiextensions.v1", "apps.v1", "core.v1", "helm.v4", "networking.v1", "policy.v1"),
    "rbac.v1",
)
_MODULES = (
    "pulumi.policy",
    "pulumi.runtime.proto.analyzer_pb2_grpc",
    "pulumi.runtime.proto.language_pb2_grpc",
    "pulumi_eks",
    "pulumi_tls",
    *(
        f"pulumi_aws.{m}"
        for m in ("acm", "cloudwatch", "ec2", "eks", "iam", "kms", "lb", "resourcegroupstaggingapi", "vpc")
    ),
    *(f"pulumi_kubernetes.{m}" for m in _KUBERNETES),
    "pydantic",
    "boto3",
    "sandbox.providers.aws.provider",
    "sandbox.providers.eks.provider",
    "sandbox.providers.tls.provider",
)
"""Imported in advance: what the stand-ins use, and what programs use with the stand-ins' types."""
_AWS_CLI_MODULES = ("awscli.clidriver", "awscli.handlers")


@dataclass(frozen=True)
class Order:
    """An order to run one plugin, from `launch`."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]


def receive(connection: socket.socket) -> Order:
    """Read an order and its three standard streams."""
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    data = bytearray()
    while len(data) < int.from_bytes(size, "big"):
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the order is incomplete")
        data += chunk
    order: dict[str, Any] = marshal.loads(data)  # noqa: S302 - from `launch`: the socket is private
    return Order(order["module"], order["arguments"], order["environment"], order["folder"], list(streams))


class Prefork:
    """The server: accepts orders, forks, and reports to each launcher how its plugin ended."""

    def __init__(self, listener: socket.socket) -> None:
        """`listener` is bound and listens."""
        self._listener = listener
        self._children: dict[int, socket.socket] = {}
        # SIGCHLD wakes the selector: https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd
        self._wake, wakeup = socket.socketpair()
        for end in (self._wake, wakeup):
            end.settimeout(0)
        self._wakeup = wakeup
        signal.set_wakeup_fd(wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def serve(self) -> None:
        """Serve until SIGTERM; then stop running plugins."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping:
                for key, _ in selector.select():
                    if key.fileobj is self._listener:
                        self._accept()
                    else:
                        with suppress(BlockingIOError):
                            self._wake.recv(4096)
                self._reap()
        for pid in self._children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(5)
        try:
            order = receive(connection)
        except (OSError, ValueError, EOFError, TypeError) as error:
            log.warning("invalid order: %s", error)
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self._listener.close()
            for other in self._children.values():
                other.close()
            os._exit(run(order, connection))
        for stream in order.streams:
            os.close(stream)
        self._children[pid] = connection

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self._children.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            with suppress(OSError):
                connection.sendall(bytes([code if code >= 0 else 128 - code]))
            connection.close()


def run(order: Order, connection: socket.socket) -> int:
    """Take an order: turn this process into what it asks for. Return the exit code, with which the process must end."""
    code = 1
    try:
        connection.sendall(b"\0")  # from here on the launcher waits for the exit code
        logging.root.handlers.clear()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        for target, stream in enumerate(order.streams):
            os.dup2(stream, target)
            os.close(stream)
        connection.settimeout(None)
        threading.Thread(target=_follow, args=(connection,), daemon=True).start()
        os.chdir(order.folder)
        os.environ.clear()
        os.environ.update(order.environment)
        sys.argv = [order.module, *order.arguments]
        # The streams were block-buffered for the server's log, but a plugin's port must be readable at once. Like
        # `python -u`, down to the bytes: a policy pack writes its port to `sys.stdout.buffer`.
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(os.fdopen(number, "wb", buffering=0, closefd=False), write_through=True)  # pyright: ignore[reportArgumentType] - as CPython's own -u
            for number in (1, 2)
        )
        sys.path[0] = order.folder
        runpy.run_module(order.module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
        if isinstance(leave.code, str):
            sys.stderr.write(f"{leave.code}\n")
    except BaseException:
        log.exception("%s failed", order.module)
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
    return code


def _follow(connection: socket.socket) -> None:
    """Receive the launcher's signals, and end with it."""
    while True:
        number = connection.recv(1)
        if not number:
            os._exit(1)
        os.kill(os.getpid(), number[0])


def main() -> None:
    """Import, listen, serve."""
    parser = argparse.ArgumentParser(description="Fork plugins from a process that has imported what they need.")
    parser.add_argument("--state-dir", required=True)
    state = State.at(parser.parse_args().state_dir)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if os.fork() == 0:
        end_with_parent(signal.SIGTERM)
        server = _server(state.pulumi / home.AWS_CLI, _AWS_CLI_MODULES)
    else:
        os.environ.update(state.client_environment())
        path = state.pulumi / home.PREFORK
        server = _server(path, _MODULES)
        write_json(path.with_suffix(".json"), Identity.own().to_json())
    server.serve()


def _server(path: Path, modules: Sequence[str]) -> Prefork:
    """A server that listens and has imported modules."""
    for module in modules:
        try:
            # The SDKs load their modules on first use.
            getattr(importlib.import_module(module), "__all__", None)
        except ImportError as error:
            log.info("not imported in advance: %s", error)
    # Freeze the existing objects: a garbage collection in a fork would touch, and so copy, all of their pages.
    gc.collect()
    gc.freeze()
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    os.chdir(path.parent)
    listener.bind(path.name)
    path.chmod(0o600)
    listener.listen(64)
    return Prefork(listener)


if __name__ == "__main__":
    main()
