"""Relays: a namespace has its own loopback, without AWS and the clusters, which listen on the machine's."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from sandbox.network.world import listener
from sandbox.run.streams import copy


class Relays:
    """Listeners at 127.0.0.1:PORT of namespaces, which pass connections on to the same port of the machine's loopback.

    All who need one at the same time share it.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], tuple[asyncio.Server, int]] = {}
        """By namespace and port: the listener, and how many need it."""
        self._change = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def relay(self, namespace: str, port: int) -> AsyncGenerator[None, None]:
        """Relay a port while the block runs.

        Raises:
            OSError: another process listens at the port in the namespace.
        """
        key = (namespace, port)
        async with self._change:
            server, users = self._open.get(key) or (await _server(namespace, port), 0)
            self._open[key] = (server, users + 1)
        try:
            yield
        finally:
            server, users = self._open.pop(key)
            if users > 1:
                self._open[key] = (server, users - 1)
            else:
                server.close()


async def _server(namespace: str, port: int) -> asyncio.Server:
    door = listener(namespace, "127.0.0.1", port)
    return await asyncio.start_server(lambda reader, writer: _pass_on(port, reader, writer), sock=door)


async def _pass_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))
        finally:
            there_writer.close()
    writer.close()
