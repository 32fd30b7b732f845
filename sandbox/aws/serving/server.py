"""The HTTP server: one thread per connection. Connections stay open, as AWS's do."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, cast

from werkzeug.serving import DechunkedInput

from sandbox.aws.serving.gate import AnswerLostError, Gate
from sandbox.iam.wire.call import Call, kept_headers


class Handler(BaseHTTPRequestHandler):
    """Reads calls from a connection and writes their replies, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one write

    def answer(self) -> None:
        """Answer one call; a lost answer closes the connection."""
        headers = {name.lower(): ",".join(self.headers.get_all(name, [])) for name in self.headers}
        call = Call(self.command, self.path, kept_headers(headers), self._body(), headers)
        try:
            reply = cast("Server", self.server).gate.take(call)
        except AnswerLostError:
            self.close_connection = True
            return
        parts, status, fields = reply.get_wsgi_response({"REQUEST_METHOD": self.command})
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.writelines(parts)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815 - http.server's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return DechunkedInput(cast("IO[bytes]", self.rfile)).read()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing: a line for each request would hide what matters."""


class Server(ThreadingHTTPServer):
    """The threads of connections do not outlive the process."""

    block_on_close = False

    def __init__(self, door: socket.socket, gate: Gate) -> None:
        super().__init__(door.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket, self.gate = door, gate

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what fails, unless the client has gone."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def serve(door: socket.socket, gate: Gate) -> Server:
    """Listen on a bound socket and answer, in a separate thread."""
    server = Server(door, gate)
    door.listen(256)  # a burst of clients connects at once
    threading.Thread(target=server.serve_forever, args=(0.05,), name="server", daemon=True).start()
    return server
