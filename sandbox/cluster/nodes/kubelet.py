"""The part of the kubelets' API that the sandbox supports: `kubectl logs` of process pods.

kube-apiserver asks a node's kubelet at port 10250; the egress proxy sends all of these here.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

PORT = 10250
_POLL_SECONDS = 0.2
_CHUNK = 64 * 1024


def tail(text: bytes, lines: int | None) -> bytes:
    """The last `lines` lines of a text; all of it for None."""
    if lines is None:
        return text
    return b"".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else b""


class Kubelet:
    """Answers for every node's kubelet."""

    def __init__(self, log_of: Callable[[str, str], Path | None]) -> None:
        """`log_of` returns a process pod's log by namespace and name; None if it has none."""
        self._log_of = log_of

    def routes(self) -> list[web.RouteDef]:
        """The served paths."""
        explained = ("exec", "attach", "portForward")
        return [
            web.get("/containerLogs/{namespace}/{pod}/{container}", self._logs),
            *(web.route("*", f"/{what}/{{namespace}}/{{pod}}{{rest:.*}}", self._no_container) for what in explained),
        ]

    async def _no_container(self, request: web.Request) -> web.StreamResponse:
        pod = f"{request.match_info['namespace']}/{request.match_info['pod']}"
        raise web.HTTPInternalServerError(
            text=f"pod {pod} has no container to enter: in the sandbox a pod is a process of this machine, or nothing"
            " but kwok's word. `kubectl logs` shows a process's output, and with TRAFFIC=1 `sandbox trace` sends a"
            " request to a pod"
        )

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        # The only answer of this server that not everyone on this machine may read.
        if request.transport is None or not request.transport.get_extra_info("peercert"):
            raise web.HTTPUnauthorized(text="a client certificate of the cluster is needed")
        namespace, pod = request.match_info["namespace"], request.match_info["pod"]
        log = self._log_of(namespace, pod)
        # kube-apiserver passes the reason on only with status 500.
        if log is None:
            raise web.HTTPInternalServerError(
                text=f"nothing runs for pod {namespace}/{pod}: kwok only says that it does"
            )
        unknown = {"sinceSeconds", "sinceTime", "timestamps"} & set(request.query)
        if unknown:
            raise web.HTTPInternalServerError(
                text=f"{', '.join(sorted(unknown))}: the sandbox's logs have no times of their own"
            )
        lines = request.query.get("tailLines")
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        written = await asyncio.to_thread(log.read_bytes) if log.exists() else b""
        position = len(written)
        await answer.write(tail(written, int(lines) if lines else None))
        with contextlib.suppress(ConnectionError):
            while request.query.get("follow") == "true" and self._log_of(namespace, pod) == log:
                await asyncio.sleep(_POLL_SECONDS)
                new = await asyncio.to_thread(_read_from, log, position)
                position += len(new)
                if new:
                    await answer.write(new)
        return answer


def _read_from(log: Path, position: int) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(position)
            return file.read(_CHUNK)
    except FileNotFoundError:
        return b""
