"""HTTPS for kube-apiserver's admission requests, with the chart's certificate, read again when it changes."""

import json
import logging
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sandbox.controller.model.stack import Json
from sandbox.controller.webhooks.admission import Admission

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0


class WebhookServer:
    """Serves `Admission` over TLS; waits for the certificate's files where they are not there yet."""

    def __init__(self, port: int, folder: str, certificate: str, key: str, admission: Admission) -> None:
        self._port = port
        self._files = Path(folder) / certificate, Path(folder) / key
        self._admission = admission
        self._server: ThreadingHTTPServer | None = None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._loaded: tuple[int, ...] = ()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin, in threads."""
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def listening(self) -> bool:
        """Whether requests are taken."""
        return self._server is not None

    def stop(self) -> None:
        """End, within a second."""
        self._stopped.set()

    @property
    def port(self) -> int:
        """The port that requests are taken at."""
        return self._server.server_address[1] if self._server else self._port

    def _run(self) -> None:
        said = False
        while not (self._load() or self._stopped.is_set()):
            if not said:
                log.warning("webhooks wait for the certificate %s", self._files[0])
                said = True
            self._stopped.wait(_LOOK_SECONDS)
        server = _TlsServer(("", self._port), _handler(self._admission), self._context)
        threading.Thread(target=server.serve_forever, name="webhooks-serve", daemon=True).start()
        self._server = server
        log.info("webhooks are served on port %d", server.server_address[1])
        while not self._stopped.wait(_LOOK_SECONDS):
            self._load()
        server.shutdown()
        server.server_close()

    def _load(self) -> bool:
        """Read the certificate if its files changed; new connections get it."""
        try:
            state = tuple(file.stat().st_mtime_ns for file in self._files)
            if state != self._loaded:
                self._context.load_cert_chain(*self._files)
                self._loaded = state
        except (OSError, ssl.SSLError) as error:
            log.debug("certificate: %s", error)
            return bool(self._loaded)
        return True


class _TlsServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext
    ) -> None:
        self._context = context
        super().__init__(address, handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread: a client that does not holds up nobody."""
        request.settimeout(30)
        try:
            secure = self._context.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError) as error:
            log.debug("TLS handshake: %s", error)
            return
        super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news."""
        log.debug("webhook connection from %s broke: %s", client_address, sys.exc_info()[1])


def _handler(admission: Admission) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            if not admission.knows(path):
                self._answer(404, {"error": f"no webhook at {path}"})
                return
            try:
                review = json.loads(body)
                request = review["request"]
            except (ValueError, KeyError, TypeError):
                self._answer(400, {"error": "give an AdmissionReview"})
                return
            answer = {"apiVersion": review.get("apiVersion", "admission.k8s.io/v1"), "kind": "AdmissionReview"}
            self._answer(200, answer | {"response": admission.answer(path, request)})

        def _answer(self, status: int, body: Json) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            log.debug(format, *args)

    return Handler
