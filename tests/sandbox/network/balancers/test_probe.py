"""Health checks over HTTP/2 and gRPC, of a server in this process."""

import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager

import h2.config
import h2.connection
import h2.events
import pytest

from sandbox.network.balancers.pools import Check, Target
from sandbox.network.balancers.probe import probe


def answer(wire: socket.socket, headers: dict[str, str], trailers: dict[str, str]) -> None:
    """Answer one request over HTTP/2."""
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    server.initiate_connection()
    while True:
        wire.sendall(server.data_to_send())
        for event in server.receive_data(wire.recv(65536)):
            if isinstance(event, h2.events.StreamEnded):
                server.send_headers(event.stream_id, list(headers.items()), end_stream=not trailers)
                if trailers:
                    server.send_headers(event.stream_id, list(trailers.items()), end_stream=True)
                wire.sendall(server.data_to_send())
                return


@contextmanager
def target(headers: dict[str, str], trailers: dict[str, str]) -> Generator[Target]:
    """A target that answers one check."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door:

        def serve() -> None:
            wire, _ = door.accept()
            with closing(wire):
                answer(wire, headers, trailers)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Target("10.0.0.7", "127.0.0.1", door.getsockname()[1])
        thread.join(5)


@pytest.mark.parametrize(
    ("version", "codes", "headers", "trailers", "reason"),
    [
        ("HTTP2", "200", {":status": "204"}, {}, "Target.ResponseCodeMismatch"),
        ("HTTP2", "200-299", {":status": "204"}, {}, ""),
        ("GRPC", "12", {":status": "200", "grpc-status": "12"}, {}, ""),
        ("GRPC", "0", {":status": "200"}, {"grpc-status": "0"}, ""),
        ("GRPC", "12", {":status": "200"}, {"grpc-status": "0"}, "Target.ResponseCodeMismatch"),
        ("GRPC", "12", {":status": "404"}, {}, "Target.FailedHealthChecks"),
    ],
)
def test_a_check_has_its_target_groups_protocol_version(
    version: str, codes: str, headers: dict[str, str], trailers: dict[str, str], reason: str
) -> None:
    with target(headers, trailers) as there:
        outcome = probe(Check("HTTP", None, version=version, codes=codes, timeout=5), there)
    assert outcome.reason == reason


def test_a_target_that_speaks_no_http2_fails() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as door:

        def serve() -> None:
            wire, _ = door.accept()
            with closing(wire):
                wire.recv(65536)
                wire.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        there = Target("10.0.0.7", "127.0.0.1", door.getsockname()[1])
        outcome = probe(Check("HTTP", None, version="GRPC", codes="12", timeout=5), there)
    assert outcome.reason == "Target.FailedHealthChecks"
