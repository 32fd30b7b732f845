"""The page, on loopback: for who knows its address, and for no other page.

Its address holds a secret, so that no other user of this machine reads it. The `Host` of a request must be ours, so
that no name that somebody points at 127.0.0.1 leads here; what changes anything must come from the page itself.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.observe.view.address import ADDRESS
from sandbox.observe.view.board import Board

_PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_ALIVE_SECONDS = 15.0
"""How often a stream says that it is alive: so a page that is gone is noticed."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Trace = Callable[[str], Awaitable[Any]]
"""Takes a path's id, sends a request along it.

Raises:
    ValueError: it cannot, and why.
"""


def guard(host: str, origin: str | None, site: str | None, port: int) -> str | None:
    """Why a request is refused; None if it is not.

    Args:
        host: its `Host` header.
        origin: its `Origin` header, which browsers send along with what changes anything.
        site: its `Sec-Fetch-Site` header: where the page comes from that asks.
        port: ours.
    """
    own = {f"{name}:{port}" for name in (ADDRESS, "localhost")}
    if host not in own:
        return f"{host or 'no host'} is not this page's host"
    if origin is not None and origin not in {f"http://{name}" for name in own}:
        return f"{origin} is another page"
    # `none`: somebody typed the address.
    if site not in {None, "same-origin", "none"}:
        return f"a {site} page may not ask"
    return None


@contextlib.asynccontextmanager
async def served(board: Board, trace: Trace, door: socket.socket, secret: str) -> AsyncGenerator[str]:
    """Serve the page at an open door for as long as the context lives; its URL."""
    bound = door.getsockname()[1]
    runner = web.AppRunner(application(board, trace, secret, bound), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.SockSite(runner, door).start()
        yield f"http://{ADDRESS}:{bound}/{secret}/"
    finally:
        await runner.cleanup()


def application(board: Board, trace: Trace, secret: str, port: int) -> web.Application:
    """The page's application, at `/SECRET/`."""

    @web.middleware
    async def guarded(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        why = guard(request.host, request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"), port)
        if why:
            return web.Response(status=403, text=f"{why}\n", headers=HEADERS)
        return await handler(request)

    async def file(request: web.Request) -> web.Response:
        name = request.match_info["name"] or "index.html"
        path = _PAGE / name
        if path.suffix not in _TYPES or name not in {entry.name for entry in _PAGE.iterdir()}:
            raise web.HTTPNotFound
        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=HEADERS)

    async def changes(request: web.Request) -> web.StreamResponse:
        return await _stream(request, board)

    async def send(request: web.Request) -> web.Response:
        if request.headers.get("Origin") is None:
            raise web.HTTPForbidden(text="this comes from the page only\n")
        try:
            await trace(str((await request.json())["path"]))
        except (ValueError, KeyError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400, headers=HEADERS)
        return web.json_response({}, headers=HEADERS)

    async def without_secret(_: web.Request) -> web.Response:
        line = "The page's address ends in a secret: open the whole address that `sandbox view` printed.\n"
        return web.Response(status=403, text=line, headers=HEADERS)

    app = web.Application(middlewares=[guarded])
    app.router.add_get("/", without_secret)
    app.router.add_get(f"/{secret}/changes", changes)
    app.router.add_post(f"/{secret}/trace", send)
    app.router.add_get(f"/{secret}/{{name:[a-z.]*}}", file)
    return app


async def _stream(request: web.Request, board: Board) -> web.StreamResponse:
    """Server-Sent Events: every section at first, then each whenever it changes.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
    await answer.prepare(request)
    version = 0
    with contextlib.suppress(ConnectionError):
        while True:
            version, sections = board.since(version)
            for name, text in sections.items():
                await answer.write(f"event: {name}\ndata: {text}\n\n".encode())
            try:
                async with asyncio.timeout(_ALIVE_SECONDS):
                    await board.until_changed(version)
            except TimeoutError:
                await answer.write(b": alive\n\n")
    return answer
