"""One health check: a connection from a load balancer node to a target. Blocking; it runs in the node's namespace."""

import http.client
import socket
import ssl
from contextlib import closing

from sandbox.network.balancers.health import FAILED, TIMED_OUT, Outcome, matches, mismatch
from sandbox.network.balancers.pools import Check, Target

# "LOCAL": the connection is the proxy's own. https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt
_PROXY_HEADER = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
_AGENT = "ELB-HealthChecker/2.0"


def probe(check: Check, target: Target) -> Outcome:
    """Check a target once, within `check.timeout` seconds."""
    try:
        with closing(socket.create_connection((target.address, check.port or target.port), check.timeout)) as wire:
            if check.proxy_header:
                wire.sendall(_PROXY_HEADER)
            return _ask(check, target, wire)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, http.client.HTTPException):
        return FAILED


def _ask(check: Check, target: Target, wire: socket.socket) -> Outcome:
    if check.protocol in {"HTTPS", "SSL"}:
        # AWS accepts any certificate too.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        wire = context.wrap_socket(wire)
    if check.protocol not in {"HTTP", "HTTPS"}:
        return Outcome()
    asking = http.client.HTTPConnection(target.address, check.port or target.port)
    asking.sock = wire
    asking.request("GET", check.path, headers={"User-Agent": _AGENT, "Connection": "close"})
    code = asking.getresponse().status
    return Outcome() if matches(code, check.codes) else mismatch(code)
