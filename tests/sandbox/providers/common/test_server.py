"""The provider server, as an engine sees it over gRPC."""

import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import proto
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2

from sandbox.providers.common.values import plain_properties, to_properties

PROVIDER = """
import pulumi.provider.experimental.provider as sdk
from sandbox.providers.common.server import ProviderError, UnfinishedError, serve
from sandbox.providers.common.values import to_properties

class Provider(sdk.Provider):
    async def check(self, request):
        raise ProviderError("cidrBlok is not known; did you mean cidrBlock?")
    async def create(self, request):
        raise UnfinishedError("not ready", "id-1", to_properties({"state": 1}), to_properties({"size": 2}))
    async def diff(self, request):
        changed = dict(request.old_inputs) != dict(request.new_inputs)
        return sdk.DiffResponse(changes=changed, diffs=sorted(request.old_inputs))
    async def delete(self, request):
        raise KeyError("a bug")

serve(Provider(), "1.2.3")
"""


@contextmanager
def provider() -> Generator[tuple["subprocess.Popen[str]", provider_pb2_grpc.ResourceProviderStub, socket.socket]]:
    """A provider's process, a client of it, and the engine that it belongs to."""
    with socket.create_server(("127.0.0.1", 0)) as engine:
        address = f"127.0.0.1:{engine.getsockname()[1]}"
        argv = [sys.executable, "-c", PROVIDER, "--logtostderr", address]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
                yield process, provider_pb2_grpc.ResourceProviderStub(channel), engine
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module", name="client")
def fixture_client() -> Generator[provider_pb2_grpc.ResourceProviderStub]:
    with provider() as (_, client, _):
        yield client


def struct(**values: object) -> struct_pb2.Struct:
    return PropertyValue.marshal_map(to_properties(values))


def test_a_provider_tells_its_version(client: provider_pb2_grpc.ResourceProviderStub) -> None:
    assert client.GetPluginInfo(empty_pb2.Empty()).version == "1.2.3"


def test_an_error_is_its_message_and_no_traceback(client: provider_pb2_grpc.ResourceProviderStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.Check(proto.CheckRequest(urn="urn:x"))
    assert caught.value.details() == "cidrBlok is not known; did you mean cidrBlock?"


def test_an_unimplemented_method_answers_as_the_engine_expects(
    client: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.GetSchema(proto.GetSchemaRequest())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_an_unfinished_resource_reaches_the_engine_with_its_id_and_state(
    client: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.Create(proto.CreateRequest(urn="urn:x"))
    failed: Any = caught.value
    details = dict(failed.trailing_metadata())["grpc-status-details-bin"]
    told = proto.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(details).details[0].Unpack(told)
    assert (told.id, list(told.reasons)) == ("id-1", ["not ready"])
    assert plain_properties(PropertyValue.unmarshal_map(told.properties)) == {"state": 1}
    assert plain_properties(PropertyValue.unmarshal_map(told.inputs)) == {"size": 2}


def test_a_difference_is_computed_from_the_old_inputs(client: provider_pb2_grpc.ResourceProviderStub) -> None:
    old = struct(size=1)
    same = client.Diff(proto.DiffRequest(urn="urn:x", olds=struct(arn="x"), old_inputs=old, news=struct(size=1)))
    other = client.Diff(proto.DiffRequest(urn="urn:x", olds=struct(arn="x"), old_inputs=old, news=struct(size=2)))
    assert (same.changes, other.changes) == (proto.DiffResponse.DIFF_NONE, proto.DiffResponse.DIFF_SOME)
    assert list(other.diffs) == ["size"]


def test_a_provider_ends_with_its_engine() -> None:
    with provider() as (process, _, engine):
        engine.close()
        assert process.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_provider_ends_quietly_on_request(number: signal.Signals) -> None:
    with provider() as (process, _, _):
        process.send_signal(number)
        assert process.wait(20) == 0
