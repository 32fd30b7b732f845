"""The world's control socket: the command line's requests, over a unix socket in the state folder.

Anyone who can open the socket may run anything in the world; only the sandbox's owner can.
"""

import asyncio
import contextlib
import http.client
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.network.relays import Relays
from sandbox.network.world import CommandFailedError, World
from sandbox.run.state import State, StateError, read_json

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


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("sandbox", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def refuse_without_traffic(state: State) -> None:
    """Refuse a command that needs packets if the sandbox does not carry any.

    Raises:
        StateError: it carries none.
    """
    if not state.settings().traffic:
        raise StateError(f"the sandbox in {state.root} carries no traffic: `sandbox down`, `sandbox up --traffic`")


def ask(state: State, question: str, patience: float = 120, **body: Any) -> Any:
    """Ask a sandbox's world from outside.

    Raises:
        StateError: it does not run, does not answer, or cannot answer this.
    """
    refuse_without_traffic(state)
    path = (read_json(state.traffic / "status.json") or {}).get("socket", "")
    connection = _Connection(path, patience)
    try:
        connection.request("POST", f"/{question}", json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StateError(
            f"the world of {state.root} does not answer ({error!r}): restart it with `sandbox up`"
        ) from error
    finally:
        connection.close()
    if reply.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise StateError(answer["error"])
    return answer
