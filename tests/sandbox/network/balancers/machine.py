"""The servers in a test machine.

HTTP on 8080 reports what it saw, on 8081 the same after a PROXY header; UDP on 8053 likewise.
"""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Says what it saw."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """`/sleep/N` answers after N seconds, `/code/N` with that code, `/cookie` with a cookie."""
        words = self.path.partition("?")[0].split("/")
        if words[1] == "sleep":
            time.sleep(float(words[2]))
        code = int(words[2]) if words[1] == "code" else 200
        seen = {
            "path": self.path,
            "address": self.client_address[0],
            "server": self.connection.getsockname()[0],
            "proxied": getattr(self, "proxied", None),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        body = json.dumps(seen).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        if words[1] == "cookie":
            self.send_header("Set-Cookie", "app=1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Proxied(Handler):
    """The same, after a PROXY protocol header (version 2)."""

    def setup(self) -> None:
        """Read the header first."""
        self.request.settimeout(10)
        head = self.request.recv(16, socket.MSG_WAITALL)
        rest = self.request.recv(int.from_bytes(head[14:16], "big"), socket.MSG_WAITALL)
        self.proxied = socket.inet_ntoa(rest[:4]) if rest else "local"
        super().setup()


for port, handler in ((8080, Handler), (8081, Proxied)):
    server = ThreadingHTTPServer(("0.0.0.0", port), handler)  # noqa: S104 - in a network namespace of the test's
    threading.Thread(target=server.serve_forever).start()
datagrams = socket.socket(type=socket.SOCK_DGRAM)
datagrams.bind(("0.0.0.0", 8053))  # noqa: S104 - likewise
while True:
    _, (address, port) = datagrams.recvfrom(2048)
    probe = socket.socket(type=socket.SOCK_DGRAM)
    probe.connect((address, port))
    datagrams.sendto(f"{probe.getsockname()[0]} {address}".encode(), (address, port))
