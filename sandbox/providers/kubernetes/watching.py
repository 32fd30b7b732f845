"""Looking at objects as they change: list, watch, and list again whenever the watch breaks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.client import ApiError, Client
from sandbox.providers.kubernetes.kinds import Selection
from sandbox.providers.kubernetes.kubeconfig import UnreachableError
from sandbox.providers.kubernetes.readiness import Objects, Settling

SECONDS_TO_SETTLE = 10.0
"""How long nothing may change before a lack that may be right counts no more: pulumi-kubernetes' ten seconds."""

_GONE = 410
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class WaitingError(ProviderError):
    """What was waited for did not come: the time is up, or the engine was told to stop.

    Attributes:
        missing: What was missing last.
        objects: What there was last.
    """

    def __init__(self, message: str, missing: Sequence[str], objects: Objects) -> None:
        super().__init__(message)
        self.missing = missing
        self.objects = objects


class Observer:
    """The objects of some selections, kept up to date while it is open."""

    def __init__(self, client: Client, selections: Mapping[str, Selection]) -> None:
        self._client = client
        self._selections = selections
        self._found: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._follow(role, selection)) for role, selection in self._selections.items()
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def complete(self) -> bool:
        """Whether every selection has been listed once."""
        return len(self._found) == len(self._selections)

    def objects(self) -> Objects:
        """What there is now."""
        return {role: list(self._found.get(role, {}).values()) for role in self._selections}

    async def change(self) -> None:
        """Returns at the next change.

        Raises:
            ProviderError: What cannot be looked at.
        """
        waiting = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait({waiting, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        self._changed.clear()
        for task in done - {waiting}:
            task.result()  # a follower ends with an error only

    async def _follow(self, role: str, selection: Selection) -> None:
        pause = _FIRST_PAUSE
        while True:
            with suppress(UnreachableError):  # a control plane that restarts comes back
                path = await self._client.path(selection.kind, selection.namespace)
                if path is None:
                    raise ProviderError(f"the cluster does not know {selection.kind}")
                try:
                    version = await self._list(role, path, selection)
                    pause = _FIRST_PAUSE
                    await self._watch(role, path, {**selection.query, "resourceVersion": version})
                except ApiError as error:
                    if error.code != _GONE:
                        raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _list(self, role: str, path: str, selection: Selection) -> str:
        found = await self._client.request("GET", path, query=selection.query)
        kind = {"apiVersion": selection.kind.api_version, "kind": selection.kind.name}  # a list's items lack both
        self._found[role] = {item["metadata"]["uid"]: {**kind, **item} for item in found["items"]}
        self._changed.set()
        return found["metadata"]["resourceVersion"]

    async def _watch(self, role: str, path: str, query: Mapping[str, str]) -> None:
        async for event, item in self._client.watch(path, query):
            if event == "BOOKMARK":
                continue
            uid = item["metadata"]["uid"]
            if event == "DELETED":
                self._found[role].pop(uid, None)
            else:
                self._found[role][uid] = item
            self._changed.set()


async def until(
    client: Client,
    selections: Mapping[str, Selection],
    missing: Callable[[Objects], Sequence[str]],
    *,
    seconds: float,
    stopped: asyncio.Event,
    report: Callable[[Sequence[str]], Awaitable[None]] | None = None,
) -> Objects:
    """Waits until nothing is missing any more, or only what may be missing for good (`readiness.Settling`).

    Args:
        client: The cluster.
        selections: What to look at.
        missing: What is missing among the objects, in words; nothing is success.
        seconds: How long to wait at most.
        stopped: Set when the engine wants everything to end.
        report: Told whenever what is missing has changed; at the end, that nothing is.

    Returns:
        The objects that lack nothing.

    Raises:
        WaitingError: The time is up, or `stopped` was set.
        ProviderError: Something cannot be looked at.
    """
    clock = asyncio.get_running_loop().time
    lacking: Sequence[str] = ()
    since, deadline = clock(), clock() + seconds
    async with Observer(client, selections) as seen:
        stop = asyncio.create_task(stopped.wait())
        try:
            while True:
                if seen.complete:
                    before, lacking = lacking, missing(seen.objects())
                    since = since if lacking == before else clock()
                    if report and lacking != before:
                        await report(lacking)
                    if not lacking or (_may_be_right(lacking) and clock() >= since + SECONDS_TO_SETTLE):
                        return seen.objects()
                if clock() >= deadline or stopped.is_set():
                    why = "interrupted" if stopped.is_set() else f"not within {seconds:g} s"
                    what = "; ".join(lacking) or "the cluster did not answer"
                    raise WaitingError(f"{why}: {what}", lacking, seen.objects())
                settled = since + SECONDS_TO_SETTLE if _may_be_right(lacking) else deadline
                await _next(seen, stop, max(0.0, min(settled, deadline) - clock()))
        finally:
            stop.cancel()


def _may_be_right(lacking: Sequence[str]) -> bool:
    return bool(lacking) and all(isinstance(one, Settling) for one in lacking)


async def _next(seen: Observer, stop: asyncio.Task[Any], seconds: float) -> None:
    """Returns at the next change, when `stop` is done, or when the time is up."""
    change = asyncio.create_task(seen.change())
    try:
        await asyncio.wait({change, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not change.done():
            change.cancel()
    if change.done() and not change.cancelled():
        change.result()
