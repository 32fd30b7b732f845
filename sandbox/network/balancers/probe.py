"""One health check: a connection from a load balancer node to a target. Blocking; it runs in the node's namespace."""

import http.client
import socket
import ssl
from contextlib import closing

import h2.connection
import h2.events
import h2.exceptions

from sandbox.network.balancers.health import FAILED, TIMED_OUT, Outcome, matches, mismatch
from sandbox.network.balancers.pools import Check, Target

# "LOCAL": the connection is the proxy's own. https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt
_PROXY_HEADER = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
_AGENT = "ELB-HealthChecker/2.0"
_NO_MESSAGE = bytes(5)
"""An empty message of gRPC: not compressed, length 0."""


def _ask_http2(check: Check, target: Target, wire: socket.socket) -> int:
    """The status of a request over HTTP/2; for gRPC that of the call, which may be in the trailers."""
    grpc = check.version == "GRPC"
    asking = h2.connection.H2Connection()
    asking.initiate_connection()
    request = {
        ":method": "POST" if grpc else "GET",
        ":scheme": "https" if check.protocol == "HTTPS" else "http",
        ":authority": f"{target.address}:{check.port or target.port}",
        ":path": check.path,
        "user-agent": _AGENT,
        **({"content-type": "application/grpc", "te": "trailers"} if grpc else {}),
    }
    stream = asking.get_next_available_stream_id()
    asking.send_headers(stream, list(request.items()), end_stream=not grpc)
    if grpc:
        asking.send_data(stream, _NO_MESSAGE, end_stream=True)
    told: dict[bytes, bytes] = {}
    while True:
        wire.sendall(asking.data_to_send())
        data = wire.recv(65536)
        if not data:
            raise ConnectionError("closed before an answer")
        for event in asking.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                told |= dict(event.headers or ())
            if isinstance(event, h2.events.StreamEnded):
                return int(told[b"grpc-status" if grpc else b":status"])
            if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                raise ConnectionError("refused")


def probe(check: Check, target: Target) -> Outcome:
    """Check a target once, within `check.timeout` seconds."""
    try:
        with closing(socket.create_connection((target.address, check.port or target.port), check.timeout)) as wire:
            if check.proxy_header:
                wire.sendall(_PROXY_HEADER)
            return _ask(check, target, wire)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, http.client.HTTPException, h2.exceptions.H2Error, KeyError):
        return FAILED


def _ask(check: Check, target: Target, wire: socket.socket) -> Outcome:
    if check.protocol in {"HTTPS", "SSL"}:
        # AWS accepts any certificate too.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"] if check.version == "HTTP1" else ["h2"])
        wire = context.wrap_socket(wire)
    if check.protocol not in {"HTTP", "HTTPS"}:
        return Outcome()
    if check.version != "HTTP1":
        code = _ask_http2(check, target, wire)
        return Outcome() if matches(code, check.codes) else mismatch(code)
    asking = http.client.HTTPConnection(target.address, check.port or target.port)
    asking.sock = wire
    asking.request("GET", check.path, headers={"User-Agent": _AGENT, "Connection": "close"})
    code = asking.getresponse().status
    return Outcome() if matches(code, check.codes) else mismatch(code)
