"""The SDK's provider server with additions: one-line errors, old inputs, half-created resources, an end.

`pulumi.provider.experimental.server` (SDK 3.272.0) appends a Python traceback to every error message, drops
`old_inputs` of Diff and Update, and cannot report that a resource exists but is not ready. It also outlives an engine
that was killed.
"""

import asyncio
import contextlib
import difflib
import functools
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import grpc
import grpc.aio
import pulumi.provider.experimental.provider as sdk
from google.protobuf import struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime import proto
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2

from sandbox.providers.common.outputs import complete
from sandbox.providers.common.values import Properties, to_properties

THREADS: Final = 16
"""Blocking calls in parallel in one provider; others wait for a free thread."""

SECONDS_TO_FINISH: Final = 120
"""How long a provider waits for running creates after its engine has died."""


SECONDS_BETWEEN_LOOKS: Final = 2
"""How often a provider checks whether its engine is still there."""


Entry = TypeVar("Entry")


class ProviderError(Exception):
    """An error whose message is complete for the user: one line with the thing, the value and the remedy."""


def supported(token: str, known: Mapping[str, Entry]) -> Entry:
    """The entry of a type or function in a stand-in's table.

    Raises:
        ProviderError: The stand-in does not know it.
    """
    if token not in known:
        names = ", ".join(difflib.get_close_matches(token, known, 3) or sorted(known))
        raise ProviderError(f"{token} is not supported by the sandbox's stand-in, which supports {names}")
    return known[token]


class UnfinishedError(ProviderError):
    """A resource exists but is not as requested: the engine records it and the next update continues with it.

    Attributes:
        resource_id: The provider's id of the resource.
        state: Its properties as far as they are known.
        inputs: The inputs that it was created from.
    """

    def __init__(self, message: str, resource_id: str, state: Properties, inputs: Properties) -> None:
        super().__init__(message)
        self.resource_id = resource_id
        self.state = state
        self.inputs = inputs


class DiffRequest(sdk.DiffRequest):
    """The SDK's request, plus the program's previous inputs."""

    old_inputs: Properties


class UpdateRequest(sdk.UpdateRequest):
    """The SDK's request, plus the program's previous inputs."""

    old_inputs: Properties


@runtime_checkable
class Settling(Protocol):
    """A provider that may declare for given inputs that equal inputs need no work."""

    def settled(self, inputs: struct_pb2.Struct) -> bool:
        """Whether these inputs, equal to the previous ones, need neither a check nor a comparison."""
        ...


class Servicer(ProviderServicer):
    """The SDK's servicer with our own Diff and Update, and one-line errors on every method (see below)."""

    def _settled(self, old: struct_pb2.Struct, new: struct_pb2.Struct) -> bool:
        """Whether nothing changed, asked before inputs become Python objects, which takes a while for a CRD."""
        return old == new and isinstance(self._provider, Settling) and self._provider.settled(new)

    async def Check(self, request: Any, context: Any) -> Any:
        """Asks the provider what is wrong with inputs."""
        if self._settled(request.olds, request.news):
            return proto.CheckResponse(inputs=request.news)
        return await super().Check(request, context)

    async def Diff(self, request: Any, context: Any) -> Any:
        """Asks the provider what an update would do."""
        del context
        if self._settled(request.old_inputs, request.news):
            return proto.DiffResponse(changes=proto.DiffResponse.DiffChanges.DIFF_NONE, hasDetailedDiff=True)
        asked = DiffRequest(
            request.urn,
            request.id,
            PropertyValue.unmarshal_map(request.olds),
            PropertyValue.unmarshal_map(request.news),
            list(request.ignoreChanges),
        )
        asked.old_inputs = PropertyValue.unmarshal_map(request.old_inputs)
        found = await self._provider.diff(asked)
        kinds = proto.DiffResponse.DiffChanges
        changes = {None: kinds.DIFF_UNKNOWN, True: kinds.DIFF_SOME, False: kinds.DIFF_NONE}[found.changes]
        return proto.DiffResponse(
            replaces=found.replaces,
            stables=found.stables,
            deleteBeforeReplace=found.delete_before_replace,
            changes=changes,
            diffs=found.diffs,
            detailedDiff={
                path: proto.PropertyDiff(kind=proto.PropertyDiff.Kind.Value(diff.kind.name), inputDiff=diff.input_diff)
                for path, diff in found.detailed_diff.items()
            },
            hasDetailedDiff=bool(found.detailed_diff) or found.changes is False,
        )

    async def Update(self, request: Any, context: Any) -> Any:
        """Makes the provider change a resource in place."""
        del context
        asked = UpdateRequest(
            request.urn,
            request.id,
            PropertyValue.unmarshal_map(request.olds),
            PropertyValue.unmarshal_map(request.news),
            timeout=request.timeout,
            ignore_changes=list(request.ignoreChanges),
            preview=request.preview,
        )
        asked.old_inputs = PropertyValue.unmarshal_map(request.old_inputs)
        updated = await self._provider.update(asked)
        return proto.UpdateResponse(properties=PropertyValue.marshal_map(updated.properties))

    async def Construct(self, request: Any, context: Any) -> Any:
        """Makes the provider create a component."""
        complete(request.inputs)
        return await super().Construct(request, context)

    async def Call(self, request: Any, context: Any) -> Any:
        """Calls a method of a component."""
        complete(request.args)
        return await super().Call(request, context)


def answering(method: Callable[[Any, Any, Any], Awaitable[Any]]) -> Callable[[Any, Any, Any], Awaitable[Any]]:
    """A servicer's method that ends a failed RPC with a status that the engine prints as one line."""

    @functools.wraps(method)
    async def answer(self: Any, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except NotImplementedError as error:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
        except Exception as error:  # noqa: BLE001 - whatever went wrong has to reach the user
            await _abort(_cause(error), context)

    return answer


def answer_in_one_line(servicer: type, *methods: str) -> None:
    """Applies `answering` to those of the methods that a class has."""
    for name in methods:
        setattr(servicer, name, answering(getattr(servicer, name)))


answer_in_one_line(
    Servicer,
    *("CheckConfig", "Configure", "Invoke", "Check", "Diff", "Create", "Read", "Update", "Delete"),
    *("GetSchema", "Parameterize", "Construct", "Call"),
)


def _cause(error: Exception) -> Exception:
    """The error that the SDK wrapped together with its traceback, if it is one of ours."""
    inner = error.__context__
    return inner if isinstance(inner, ProviderError) and not isinstance(error, ProviderError) else error


async def _abort(error: Exception, context: Any) -> None:
    if not isinstance(error, UnfinishedError):
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))
        return
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(
        proto.ErrorResourceInitFailed(
            id=error.resource_id,
            properties=_struct(error.state),
            inputs=_struct(error.inputs),
            reasons=[str(error)],
        )
    )
    await context.abort(grpc.StatusCode.UNKNOWN, str(error), (("grpc-status-details-bin", status.SerializeToString()),))


def _struct(properties: Properties) -> struct_pb2.Struct:
    return PropertyValue.marshal_map(to_properties(properties))


def serve(provider: sdk.Provider, version: str, argv: Sequence[str] | None = None) -> None:
    """Serves a provider on a free loopback port, prints the port, and ends with the engine that started it.

    Args:
        provider: Answers the requests.
        version: The plugin's version, such as `7.51.1`: that of the SDK whose types it imitates.
        argv: The command line; its first word that is not a flag is the engine's address.
    """
    serve_with(lambda engine: Servicer([], version, provider, engine), argv)


def serve_with(servicer: Callable[[str], Any], argv: Sequence[str] | None = None) -> None:
    """`serve` for a custom servicer, created from the engine's address."""
    words = sys.argv[1:] if argv is None else argv
    engine = next((word for word in words if not word.startswith("-")), "")
    asyncio.run(_serve(servicer, engine))


async def _serve(servicer: Callable[[str], Any], engine: str) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, "blocking"))
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # the engine stops its plugins with the first one
        loop.add_signal_handler(number, told_to_stop.set)
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    orphaned = await _orphaned(engine, told_to_stop)
    await server.stop(SECONDS_TO_FINISH if orphaned else 0)


async def _orphaned(engine: str, told_to_stop: asyncio.Event) -> bool:
    """Returns after a signal, or with True once the engine is gone.

    A killed engine does not tell its plugins. The parent process does not help either: another process may have forked
    this one for the engine.
    """
    while not engine or await _answers(engine):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told_to_stop.wait(), SECONDS_BETWEEN_LOOKS)
            return False
    return True


async def _answers(address: str) -> bool:
    """Whether anything listens at an address such as `127.0.0.1:4711`."""
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True
