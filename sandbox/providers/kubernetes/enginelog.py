"""Words to the user: the engine's log, by resource."""

from typing import Any, cast

import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """Says things about resources; silent where there is no engine (in tests)."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stub: engine_pb2_grpc.EngineStub | None = None

    async def status(self, urn: str, text: str) -> None:
        """Shows a text beside the resource while it is worked on; it is gone afterwards."""
        await self._log(urn, text, engine_pb2.INFO, ephemeral=True)

    async def warn(self, urn: str, text: str) -> None:
        """Leaves a warning behind."""
        await self._log(urn, text, engine_pb2.WARNING, ephemeral=False)

    async def _log(self, urn: str, text: str, severity: "engine_pb2.LogSeverity.ValueType", *, ephemeral: bool) -> None:
        if not self._address:
            return
        if self._stub is None:
            self._stub = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(self._address))
        request = engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=ephemeral)
        await cast(Any, self._stub.Log(request))  # the stub is typed for grpc without asyncio
