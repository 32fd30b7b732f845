"""Follows a cluster's watches, and AWS's changes, onto the board. Nothing here decides what is shown."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.aws.serving.calls import CALLS
from sandbox.aws.serving.private import TARGET_HEALTH
from sandbox.cluster.api import Api, Cache, Key, Object
from sandbox.cluster.pki import Pki
from sandbox.cluster.spec import ClusterSpec, Folder
from sandbox.network import aws
from sandbox.network.elb.model import LoadBalancing
from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Reader
from sandbox.observe.view import calls, paths, picture, provisions, watches
from sandbox.observe.view.board import Board
from sandbox.observe.view.items import Item
from sandbox.run.clients import client
from sandbox.run.state import State, StateError, read_json

log = logging.getLogger(__name__)
_ELB = ("elasticloadbalancing", "ec2", TARGET_HEALTH)
_LINES = 100
_DECISIONS = 2000
"""How many of IAM's last decisions are read at once."""
_GATHER_SECONDS = 0.1
"""How long changes are gathered: a rollout makes many at once."""
_RETRY_SECONDS = 1.0


class Follower:
    """What is known of one cluster and its load balancers, kept up to date."""

    def __init__(self, state: State, board: Board, cluster: str | None) -> None:
        """`cluster` is its name; None for the only one that there is, as soon as there is one."""
        self._state = state
        self._board = board
        self._wanted = cluster
        self._vpc = ""
        self._caches: dict[str, Cache] = {}
        self._lines: deque[Item] = deque(maxlen=_LINES)
        self._lines_made = 0
        self._notes: dict[tuple[str, Key], str] = {}
        self._balancing: LoadBalancing | None = None
        self._entries: list[Object] = []
        self._asked_at = 0.0
        self._traces: dict[str, Object] = {}
        self._dirty = asyncio.Event()

    async def run(self) -> None:
        """Follow, for ever."""
        self._show()
        self._board.put("calls", calls.section([], {}))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_cluster())
            tasks.create_task(self._follow_calls())
            tasks.create_task(self._follow_balancers())
            tasks.create_task(self._keep_showing())

    def path(self, identity: str) -> paths.Path | None:
        """One of the paths on the board."""
        return next((p for p in self._paths() if p["id"] == identity), None)

    def traced(self, identity: str, trace: Object) -> None:
        """A request has been traced on a path."""
        self._traces[identity] = trace
        self._dirty.set()

    async def _follow_cluster(self) -> None:
        name, task = "", None
        async for _ in aws.changes(self._state, ("eks",)):
            found = choose(active(self._state), self._wanted)
            if found == name:
                continue
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
            name, task = found, asyncio.create_task(self._attend(found)) if found else None
            self._caches, self._vpc = {}, ClusterSpec.read(Folder(self._state, found)).vpc_id if found else ""
            self._tell(found)
            self._dirty.set()

    async def _attend(self, name: str) -> None:
        """Watch a cluster until cancelled."""
        folder = Folder(self._state, name)
        async with contextlib.AsyncExitStack() as undo:
            api = Api(read_json(folder.status_file)["endpoint"], Pki(folder.pki), "agent")
            undo.push_async_callback(api.close)
            self._caches = {kind: Cache(api, path) for kind, path in watches.PATHS.items()}
            async with asyncio.TaskGroup() as tasks:
                for kind, cache in self._caches.items():
                    cache.subscribe(partial(self._heard, kind, cache))
                    tasks.create_task(cache.run())

    def _heard(self, kind: str, cache: Cache, verb: str, obj: Object) -> None:
        """An event of a watch has come; what is there at first is no news."""
        key = (kind, (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
        if cache.synced.is_set():
            line = watches.line(self._lines_made, time.time(), verb, obj, kind=kind, before=self._notes.get(key))
            if line:
                self._lines_made += 1
                self._lines.appendleft(line)
        self._notes[key] = watches.MAKERS[kind](obj)["note"]
        if verb == "DELETED":
            del self._notes[key]
        self._dirty.set()

    async def _follow_balancers(self) -> None:
        reader = Reader(*(client(self._state, service) for service in ("elbv2", "elb", "ec2")))

        async def look() -> None:
            self._balancing = parsed(await asyncio.to_thread(reader.read))
            self._dirty.set()

        await _whenever(aws.changes(self._state, _ELB), look)

    async def _follow_calls(self) -> None:
        async with aiohttp.ClientSession(self._state.aws_endpoint) as session:

            async def look() -> None:
                asked = {"since": str(self._asked_at), "last": str(_DECISIONS)}
                told: list[Object] = await _json(session, "/_sandbox/iam/log", **asked)
                self._asked_at = told[-1]["time"] if told else self._asked_at
                self._entries = [*self._entries, *calls.recent(told)][-calls.KEPT :]
                self._board.put("calls", calls.section(self._entries, await _json(session, "/_sandbox/calls")))

            await _whenever(aws.changes(self._state, (CALLS,)), look)

    async def _keep_showing(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(_GATHER_SECONDS)
            self._dirty.clear()
            self._show()

    def _objects(self) -> dict[str, list[Object]]:
        return {kind: [*cache.objects.values()] for kind, cache in self._caches.items()}

    def _mine(self) -> LoadBalancing:
        return (self._balancing or LoadBalancing()).within(self._vpc)

    def _paths(self) -> list[paths.Path]:
        return paths.section(self._mine(), paths.Cluster(self._objects()), self._traces)

    def _show(self) -> None:
        objects, mine = self._objects(), self._mine()
        cluster = paths.Cluster(objects)
        if self._balancing is not None:
            self._board.put("picture", picture.section(mine, cluster, objects))
        self._board.put("watches", watches.section(objects))
        self._board.put("events", [*self._lines])
        self._board.put("provisions", provisions.section(mine, cluster.names()))
        self._board.put("paths", paths.section(mine, cluster, self._traces))

    def _tell(self, name: str) -> None:
        settings = self._state.settings()
        why = "" if name else missing(active(self._state), self._wanted)
        about = {"cluster": name, "vpc": self._vpc, "region": settings.region, "traffic": settings.traffic, "why": why}
        self._board.put("about", about)


def active(state: State) -> list[str]:
    """The names of the clusters that are up."""
    return state.active_clusters()


def choose(there: list[str], wanted: str | None) -> str:
    """The cluster to show: the one that is wanted, or the only one; empty if there is none such."""
    if wanted is not None:
        return wanted if wanted in there else ""
    return there[0] if len(there) == 1 else ""


def missing(there: list[str], wanted: str | None) -> str:
    """Why there is no cluster to show."""
    if wanted is not None:
        return f"no cluster {wanted} is up yet: there {'are ' + ', '.join(there) if there else 'is none'}"
    if there:
        return f"several clusters are up: name one of {', '.join(there)} with --cluster"
    return "no cluster is up yet: `make up` makes one"


async def _whenever(changed: AsyncIterator[int], look: Callable[[], Awaitable[None]]) -> None:
    """Call `look` at each change; if that fails, again."""
    async for _ in changed:
        await asyncio.sleep(_GATHER_SECONDS)
        while True:
            try:
                await look()
                break
            except (aiohttp.ClientError, BotoCoreError, ClientError, TimeoutError, OSError, StateError) as error:
                # Something went while it was read, or AWS did: what there is now will be read instead.
                log.info("reading AWS: %s", error)
                await asyncio.sleep(_RETRY_SECONDS)


async def _json(session: aiohttp.ClientSession, path: str, **query: str) -> Any:
    async with session.get(path, params=query) as answer:
        answer.raise_for_status()
        return await answer.json(content_type=None)
