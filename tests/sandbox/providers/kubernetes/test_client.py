"""The API client against a server that fails in every way: credentials, broken watches, restarts."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sandbox.ports import free_port
from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes import watching
from sandbox.providers.kubernetes.client import ApiError, Client
from sandbox.providers.kubernetes.kinds import Kind, Selection
from sandbox.providers.kubernetes.kubeconfig import Connection, Exec, UnreachableError
from sandbox.providers.kubernetes.readiness import Settling
from sandbox.providers.kubernetes.watching import WaitingError, until

SERVICES = Selection(Kind("", "v1", "Service"), "n")
SECONDS = 20.0
BREAK: dict[str, Any] = {}
"""In a watch's script: here it ends."""


def item(name: str, *, ready: bool = False) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name}, "ready": ready}


class Server:
    """An API server with one kind, whose answers are scripted: each list and each watch takes the next."""

    def __init__(self) -> None:
        self.port = free_port()
        self.token = "good"
        self.lists: list[list[dict[str, Any]]] = []
        self.watches: list[list[dict[str, Any]]] = []
        self.asked: list[str] = []
        self.watched = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}{' watch' if 'watch' in request.query else ''}")
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"message": "Unauthorized", "reason": "Unauthorized"}, status=401)
        if request.path == "/api/v1":
            return web.json_response({"resources": [{"kind": "Service", "name": "services", "namespaced": True}]})
        if request.path == "/broken":
            return web.Response(status=502, text="<html>\nbad\ngateway</html>")
        if "watch" in request.query:
            return await self._watched(request)
        found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": found})

    async def _watched(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        self.watched.set()
        for event in self.watches.pop(0) if self.watches else ():
            if event is BREAK:
                return response
            await response.write(json.dumps(event).encode() + b"\n")
        await asyncio.Event().wait()  # as long as the client does
        return response


@asynccontextmanager
async def serving(credentials: str | Exec = "good") -> AsyncGenerator[tuple[Server, Client]]:
    server = Server()
    await server.start()
    command = credentials if isinstance(credentials, Exec) else None
    token = credentials if isinstance(credentials, str) else None
    address = f"http://127.0.0.1:{server.port}"
    client = Client(Connection(address, "n", token=token, command=command))
    try:
        yield server, client
    finally:
        await client.close()
        await server.stop()


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), SECONDS))


async def all_ready(client: Client, seconds: float = SECONDS) -> Any:
    return await until(
        client,
        {"services": SERVICES},
        lambda objects: [one["metadata"]["name"] for one in objects["services"] if not one["ready"]],
        seconds=seconds,
        stopped=asyncio.Event(),
    )


def command(folder: Path, *tokens: str, until: str = "2099-01-01T00:00:00Z") -> Exec:
    """A credential command that prints one token after the other."""
    (folder / "tokens").write_text("\n".join(tokens) + "\n")
    script = folder / "credentials"
    script.write_text(
        f"#!/bin/sh\ncd {folder}\ntoken=$(head -n 1 tokens)\nsed -i 1d tokens\n"
        f'printf \'{{"status": {{"token": "%s", "expirationTimestamp": "{until}"}}}}\' "$token"\n'
    )
    script.chmod(0o755)
    return Exec("client.authentication.k8s.io/v1", (str(script),), (), "install it", provide_cluster_info=False)


def test_a_token_that_the_server_refuses_is_renewed_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(command(tmp_path, "revoked", "good")) as (server, client):
            server.lists = [[]]
            await client.request("GET", "/api/v1/services")
            assert (tmp_path / "tokens").read_text() == ""

    run(scenario)


def test_a_token_that_stays_refused_is_an_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(command(tmp_path, "revoked", "revoked too", "good")) as (_, client):
            await client.request("GET", "/api/v1")

    with pytest.raises(ApiError, match="Unauthorized"):
        run(scenario)


def test_a_token_that_has_ended_is_not_used_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(command(tmp_path, "good", "good", until="2020-01-01T00:00:00Z")) as (_, client):
            await client.request("GET", "/api/v1")
            await client.request("GET", "/api/v1")
            assert (tmp_path / "tokens").read_text() == ""

    run(scenario)


def test_requests_at_once_ask_for_one_token(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(command(tmp_path, "good", "never asked for")) as (_, client):
            await asyncio.gather(*(client.request("GET", "/api/v1") for _ in range(5)))
            assert (tmp_path / "tokens").read_text() == "never asked for\n"

    run(scenario)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("#!/bin/sh\necho 'no\nsession' >&2\nexit 3\n", r"exited 3: no session$"),
        ("#!/bin/sh\necho '{}'\n", "printed no ExecCredential with a token"),
        (None, "cannot be run: install it$"),
    ],
)
def test_a_credential_command_that_fails_is_named_in_one_line(tmp_path: Path, script: str | None, says: str) -> None:
    wanted = command(tmp_path, "good")
    path = Path(wanted.argv[0])
    if script is None:
        path.unlink()
    else:
        path.write_text(script)

    async def scenario() -> None:
        async with serving(wanted) as (_, client):
            await client.request("GET", "/api/v1")

    with pytest.raises(ProviderError, match=says):
        run(scenario)


def test_an_answer_that_is_no_json_is_still_one_line() -> None:
    async def scenario() -> None:
        async with serving() as (_, client):
            await client.request("GET", "/broken")

    with pytest.raises(ApiError, match="<html> bad gateway</html>") as found:
        run(scenario)
    assert found.value.code == 502


def test_a_kind_is_looked_up_once_and_an_unknown_one_each_time() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            service, other = SERVICES.kind, Kind("", "v1", "Other")
            assert await client.path(service, "n", "s") == "/api/v1/namespaces/n/services/s"
            assert await client.path(service) == "/api/v1/services"
            assert len(server.asked) == 1
            assert await client.path(other) is None
            assert await client.path(other) is None
            assert len(server.asked) == 3

    run(scenario)


def test_a_watch_that_ends_is_taken_up_again_and_misses_nothing() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            server.lists = [[item("a"), item("b")], [item("a", ready=True), item("b")], [item("a", ready=True)]]
            server.watches = [[{"type": "MODIFIED", "object": item("a", ready=True)}, BREAK], [BREAK]]
            found = await all_ready(client)
            assert [one["metadata"]["name"] for one in found["services"]] == ["a"]

    run(scenario)


def test_a_watch_of_a_past_too_long_ago_begins_anew() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            server.lists = [[item("a")], [item("a", ready=True)]]
            server.watches = [[{"type": "ERROR", "object": {"code": 410, "message": "too old"}}]]
            await all_ready(client)
            assert [line for line in server.asked if "services" in line][:3] == [
                "GET /api/v1/namespaces/n/services",
                "GET /api/v1/namespaces/n/services watch",
                "GET /api/v1/namespaces/n/services",
            ]

    run(scenario)


def test_what_is_deleted_is_no_longer_there() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            server.lists = [[item("a"), item("b", ready=True)]]
            server.watches = [[{"type": "BOOKMARK", "object": {}}, {"type": "DELETED", "object": item("a")}]]
            found = await all_ready(client)
            assert [one["metadata"]["name"] for one in found["services"]] == ["b"]

    run(scenario)


def test_a_control_plane_that_restarts_is_waited_for() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            server.lists = [[item("a")]]
            waiting = asyncio.create_task(all_ready(client))
            await server.watched.wait()
            await server.stop()
            server.lists = [[item("a", ready=True)]]
            await server.start()
            await waiting

    run(scenario)


def test_a_cluster_that_never_answers_is_given_up_in_time() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            await server.stop()
            await all_ready(client, seconds=0.3)

    with pytest.raises(WaitingError, match=r"not within 0\.3 s: the cluster did not answer"):
        run(scenario)


def test_one_who_may_not_look_is_told_so_at_once() -> None:
    async def scenario() -> None:
        async with serving("wrong") as (_, client):
            await all_ready(client)

    with pytest.raises(ApiError, match="Unauthorized"):
        run(scenario)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    async def scenario() -> None:
        async with serving() as (server, client):
            await server.stop()
            await client.request("GET", "/api/v1")

    with pytest.raises(UnreachableError, match=r"the cluster at http://127\.0\.0\.1:\d+ does not answer"):
        run(scenario)


@pytest.mark.parametrize(("lacks", "settles"), [([Settling("a")], True), ([Settling("a"), "b"], False)])
def test_what_may_be_missing_for_good_is_waited_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
    lacks: list[str],
    settles: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(watching, "SECONDS_TO_SETTLE", 0.2)

    async def scenario() -> Any:
        async with serving() as (server, client):
            server.lists = [[]]
            stopped = asyncio.Event()
            return await until(client, {"services": SERVICES}, lambda _: lacks, seconds=1, stopped=stopped)

    if settles:
        assert run(scenario) == {"services": []}
    else:
        with pytest.raises(WaitingError, match="not within 1 s: a; b"):
            run(scenario)
