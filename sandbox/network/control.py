"""The world's control socket, in the state folder; `control_client` is the command line's side.

Anyone who can open the socket may run anything in the world; only the sandbox's owner can.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.network.relays import Relays
from sandbox.network.world import CommandFailedError, World

log = logging.getLogger(__name__)
Answer = Callable[[dict[str, Any]], Awaitable[Any]]
"""Takes a question as JSON and returns its answer as JSON.

Raises:
    ValueError: it cannot be answered; the message gives the reason.
"""


class Door:
    """The socket, and the questions that it answers."""

    def __init__(self, world: World, relays: Relays, apis: Callable[[], list[int]]) -> None:
        """`apis` returns the ports of AWS and of the clusters, which `relays` brings into namespaces."""
        self._world = world
        self._relays = relays
        self._apis = apis
        self._answers: dict[str, Answer] = {"run": self._run}

    def add(self, question: str, answer: Answer) -> None:
        """Answer `POST /question` with `answer`."""
        self._answers[question] = answer

    async def open(self, path: Path) -> None:
        """Listen at `path`, whose folder only the owner may open."""
        app = web.Application()
        app.router.add_post("/{question}", self._take)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.UnixSite(runner, str(path)).start()

    async def _take(self, request: web.Request) -> web.Response:
        answer = self._answers.get(request.match_info["question"])
        if answer is None:
            return web.json_response({"error": f"no {request.path} here"}, status=404)
        try:
            return web.json_response(await answer(await request.json()))
        except (ValueError, CommandFailedError, TimeoutError) as error:
            return web.json_response({"error": str(error) or "it took too long"}, status=400)
        except Exception as error:
            log.exception("a question failed: %s", request.path)
            fault = f"{type(error).__name__}: {error}".partition("\n")[0]
            return web.json_response({"error": f"{request.path} failed, which is a bug: {fault}"}, status=500)

    async def _run(self, question: dict[str, Any]) -> dict[str, Any]:
        """Run a command in a namespace: `{"namespace", "argv", "seconds", "input", "env", "apis"}`.

        With `apis` it reaches AWS and the clusters at the addresses that they have on the machine.
        """
        namespace = question["namespace"]
        if namespace not in self._world.names():
            raise ValueError(f"no namespace {namespace}: there are {', '.join(sorted(self._world.names()))}")
        given, env = question.get("input", ""), question.get("env")
        async with contextlib.AsyncExitStack() as undo, asyncio.timeout(question.get("seconds", 60)):
            for port in self._apis() if question.get("apis") else ():
                await undo.enter_async_context(self._relays.relay(namespace, port))
            code, output, errors = await self._world.attempt(namespace, question["argv"], given, env=env)
        return {"code": code, "output": output, "errors": errors}
