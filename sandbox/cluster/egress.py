"""kube-apiserver's way into the cluster: a proxy that knows which processes are behind Services and pod addresses.

kube-apiserver sends `CONNECT 172.20.13.7:443` to a unix socket if a webhook is a Service. That address does not exist
here. The proxy does kube-proxy's work (Service -> a ready endpoint) and then connects to the loopback port of the
process that is that pod. https://kubernetes.io/docs/tasks/extend-kubernetes/setup-konnectivity/
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.cluster.api import Object
from sandbox.run.streams import copy

log = logging.getLogger(__name__)

_REQUEST_SECONDS = 5.0
_CONNECT_SECONDS = 2.0
# kube-apiserver's latest changes may not be in this proxy's caches yet, so wait a moment for an endpoint before
# reporting none: a client that waited for the endpoint and then creates a Service must not be refused.
_GRACE_SECONDS = 1.0
_LOOK_SECONDS = 0.02


class UnreachableError(Exception):
    """No connection is possible; `status` is the HTTP status for the answer."""

    def __init__(self, status: int, reason: str) -> None:
        """`reason` is one line."""
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Address:
    """An address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """In readable form."""
        return f"{self.host}:{self.port}"

    @staticmethod
    def parse(text: str) -> "Address":
        """The address in a CONNECT request's target."""
        host, _, port = text.rpartition(":")
        return Address(host.strip("[]"), int(port))


def backends(target: Address, services: Iterable[Object], slices: Iterable[Object]) -> list[Address] | None:
    """The pod addresses behind a Service's address, from which kube-proxy would choose; None if it is not a Service's.

    Raises:
        UnreachableError: the Service has no such port or no ready endpoint.
    """
    service = next((s for s in services if target.host in (s["spec"].get("clusterIPs") or [])), None)
    if service is None:
        return None
    namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
    port = next((p for p in service["spec"].get("ports", []) if p["port"] == target.port), None)
    if port is None:
        raise UnreachableError(502, f"service {namespace}/{name} has no port {target.port}")
    found: dict[bool, list[Address]] = {True: [], False: []}
    for piece in slices:
        metadata = piece["metadata"]
        if metadata["namespace"] != namespace:
            continue
        if (metadata.get("labels") or {}).get("kubernetes.io/service-name") != name:
            continue
        numbers = [p["port"] for p in piece.get("ports") or [] if (p.get("name") or "") == (port.get("name") or "")]
        for endpoint in piece.get("endpoints") or []:
            conditions = endpoint.get("conditions") or {}
            if conditions.get("ready", True) or (conditions.get("serving") and conditions.get("terminating")):
                found[conditions.get("ready", True)] += [Address(endpoint["addresses"][0], n) for n in numbers]
    # Like kube-proxy: endpoints that still serve while they terminate are better than none.
    chosen = found[True] or found[False]
    if not chosen:
        raise UnreachableError(503, f"no endpoints available for service {namespace}/{name}")
    return chosen


class Egress:
    """The proxy: HTTP CONNECT on a unix socket."""

    def __init__(
        self,
        services: Callable[[], Iterable[Object]],
        slices: Callable[[], Iterable[Object]],
        listener: Callable[[Address], int | None],
    ) -> None:
        """`services` and `slices` return all of them; `listener` returns the loopback port behind a pod's port."""
        self._services = services
        self._slices = slices
        self._listener = listener
        self._turn = itertools.count()
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self, socket: Path) -> None:
        """Listen on a unix socket."""
        self._server = await asyncio.start_unix_server(self._accept, socket)

    async def stop(self) -> None:
        """Stop listening and close open connections."""
        if self._server is not None:
            self._server.close()
        for tunnel in list(self._tunnels):
            tunnel.cancel()

    def resolve(self, target: Address) -> int:
        """The loopback port for a Service's or pod's address.

        Raises:
            UnreachableError: with the reason.
        """
        candidates = backends(target, self._services(), self._slices())
        pods = [target] if candidates is None else candidates
        first = next(self._turn) % len(pods)
        for pod in pods[first:] + pods[:first]:
            port = self._listener(pod)
            if port is not None:
                return port
        raise UnreachableError(502, f"no process of the sandbox listens on {' or '.join(map(str, pods[:3]))}")

    async def _resolved(self, target: Address) -> int:
        """Like `resolve`, but retried for a moment."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _GRACE_SECONDS
        while True:
            try:
                return self.resolve(target)
            except UnreachableError:
                if loop.time() > deadline:
                    raise
            await asyncio.sleep(_LOOK_SECONDS)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tunnel = asyncio.ensure_future(self._serve(reader, writer))
        self._tunnels.add(tunnel)
        tunnel.add_done_callback(self._tunnels.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = "?"
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            if method != "CONNECT":
                raise UnreachableError(405, f"{method} is not CONNECT, the one method of this proxy")  # noqa: TRY301 - answered below, as all refusals
            await self._tunnel(await self._resolved(Address.parse(target)), reader, writer)
        except UnreachableError as error:
            log.warning("%s: %s", target, error)
            # kube-apiserver repeats the status line in its own error, so the reason belongs there.
            writer.write(f"HTTP/1.1 {error.status} {error}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            log.info("%s: %r", target, error)
        finally:
            writer.close()

    async def _tunnel(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        except (OSError, TimeoutError) as error:
            raise UnreachableError(502, f"port {port} of the pod's process refuses connections") from error
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
        finally:
            there_writer.close()
