"""The HTTP server: one thread a connection, kept alive, on loopback."""

import socketserver
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with connections that stay open: a client's next call needs no new one."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; with Nagle's algorithm the second waits 40 ms for the client's ACK of the first.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """A line for each request would bury what matters."""
        if type != "info":
            super().log(type, message, *args)


class Server(ThreadedWSGIServer):
    """werkzeug's threaded server with room for a burst of connections."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        """Bind without asking DNS for the host's name, as `HTTPServer` would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # pyright: ignore[reportAttributeAccessIssue] - (host, port)
