"""/healthz, /readyz and /metrics over plain HTTP."""

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.controller.deploy.aws import Calls

log = logging.getLogger(__name__)
Answer = Callable[[], tuple[int, str]]


def address(text: str) -> tuple[str, int]:
    """`HOST:PORT` or `:PORT` as Go's listeners take it.

    Raises:
        ValueError: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"{text!r} is no address: give HOST:PORT or :PORT")
    return host.strip("[]"), int(port)


def serve(bind: str, paths: dict[str, Answer]) -> ThreadingHTTPServer:
    """Answer GET requests for `paths` at `bind`, in threads."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = paths.get(self.path.partition("?")[0])
            status, body = answer() if answer else (404, "not found\n")
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            log.debug(format, *args)

    server = ThreadingHTTPServer(address(bind), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name=f"http-{bind}", daemon=True).start()
    return server


class Metrics:
    """Counters in Prometheus' text format, under the real controller's names."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._reconciles: dict[tuple[str, str], int] = {}

    def reconciled(self, controller: str, result: str) -> None:
        """Count one reconciliation; `result` is success, requeue_after or error."""
        with self._lock:
            self._reconciles[controller, result] = self._reconciles.get((controller, result), 0) + 1

    def text(self) -> tuple[int, str]:
        """The answer to GET /metrics."""
        lines = ["# TYPE aws_api_calls_total counter"]
        lines += [
            f'aws_api_calls_total{{service="{service}",operation="{operation}",status_code="{status}"}} {count}'
            for (service, operation, status), count in self._calls.items()
        ]
        lines.append("# TYPE controller_runtime_reconcile_total counter")
        with self._lock:
            lines += [
                f'controller_runtime_reconcile_total{{controller="{controller}",result="{result}"}} {count}'
                for (controller, result), count in sorted(self._reconciles.items())
            ]
        return 200, "\n".join(lines) + "\n"
