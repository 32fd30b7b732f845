"""The HTTP server: one thread per connection, kept alive, on loopback."""

import socket
import threading
from collections.abc import Callable
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with connections that stay open: a client's next call needs no new one."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; with Nagle's algorithm the second waits 40 ms for the client's ACK of the first.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing: a line for each request would hide what matters."""
        if type != "info":
            super().log(type, message, *args)


class Server(ThreadedWSGIServer):
    """werkzeug's threaded server; a connection's thread does not outlive the process."""

    daemon_threads = True
    block_on_close = False


def serve(door: socket.socket, application: Callable[..., Any]) -> Server:
    """Listen on a bound socket and answer, in a separate thread."""
    host, port = door.getsockname()
    server = Server(host, port, application, Handler, fd=door.fileno())
    server.socket.listen(256)  # a burst of clients connects at once
    threading.Thread(target=server.serve_forever, args=(0.05,), name="server", daemon=True).start()
    return server
