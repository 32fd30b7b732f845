"""The loop: makes load balancers follow the APIs, checks targets, and reports their health to AWS."""

import asyncio
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.network import aws
from sandbox.network.balancers import health
from sandbox.network.balancers.accelerators import Edges
from sandbox.network.balancers.health import Health, Healths
from sandbox.network.balancers.names import Names, hosts
from sandbox.network.balancers.plan import Node, StaleError, is_active, nodes
from sandbox.network.balancers.pools import Check, Pool, Target
from sandbox.network.balancers.probe import probe
from sandbox.network.balancers.proxy import Proxy, ProxyError
from sandbox.network.elb.model import LoadBalancer
from sandbox.network.elb.reading import Reader
from sandbox.network.world import CommandFailedError, World, inside
from sandbox.run.clients import client
from sandbox.run.state import State

log = logging.getLogger(__name__)
FOLDER = Path("/run/balancers")
"""In the memory of the world's /run: private keys are there, and disappear with it."""
_SERVICES = ("elasticloadbalancing", "ec2", "acm", "globalaccelerator")
_TICK_SECONDS = 1.0
_SOON_SECONDS = 0.05
"""Also how long to wait for more changes, because they come in groups."""
_HEARTBEAT_SECONDS = 5.0
_CHECKS_AT_ONCE = 64
_BARE_SECONDS = 5.0
"""After this time a load balancer without listeners is active too. AWS takes minutes."""


class Balancers:
    """Every load balancer of the sandbox."""

    def __init__(self, state: State, world: World, wired: Callable[[], set[str]]) -> None:
        """`wired` returns the namespaces whose links and addresses exist."""
        self._state, self._world, self._wired = state, world, wired
        self._nodes: list[Node] = []
        self._proxies: dict[str, Proxy] = {}
        self._healths: dict[tuple[str, str, str], Health] = {}
        self._checks: dict[tuple[str, str, Target, Check], asyncio.Task[None]] = {}
        self._secrets: dict[str, dict[str, str]] = {}
        self._names = Names(world, FOLDER / "names")
        self._edges = Edges(world, client(state, "globalaccelerator"))
        self._threads = ThreadPoolExecutor(_CHECKS_AT_ONCE, "check")
        self._bell, self._stale = asyncio.Event(), False
        self._drained: set[tuple[str, str, int]] = set()
        self._reported: tuple[float, dict[str, Any]] = (0.0, {})
        self._seen: dict[str, float] = {}
        self._warned: set[str] = set()
        self._errors: dict[str, str] = {}
        self._http: aiohttp.ClientSession | None = None

    @property
    def running(self) -> dict[str, int]:
        """Node -> its HAProxy's pid."""
        return {node: proxy.pid for node, proxy in self._proxies.items() if proxy.pid}

    def unlike_aws(self, balancer: LoadBalancer) -> list[str]:
        """What a load balancer does on AWS and not here, a line each."""
        mine = (node for node in self._nodes if node.balancer == (balancer.arn or balancer.name))
        return sorted({line for node in mine for line in node.missing})

    async def follow(self) -> None:
        """Follow the APIs for ever."""
        reader = Reader(*(client(self._state, service) for service in ("elbv2", "elb", "ec2")))
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as self._http:
            watching = asyncio.create_task(self._watch())
            try:
                while True:
                    await self._settle_once(reader)
            finally:
                watching.cancel()
                for task in self._checks.values():
                    task.cancel()
                await asyncio.gather(*(proxy.stop() for proxy in self._proxies.values()), self._names.stop())

    async def _watch(self) -> None:
        async for _ in aws.changes(self._state, _SERVICES):
            self._stale = True
            self._bell.set()

    async def _settle_once(self, reader: Reader) -> None:
        """Wait until something has changed, or a moment has passed, and update everything."""
        draining = any(t.draining for node in self._nodes for pool in node.pools for t in pool.targets)
        waiting = not {node.id for node in self._nodes} <= self._wired()
        # Not `wait_for`: in Python 3.11 it loses a cancellation that arrives together with the result.
        # https://github.com/python/cpython/issues/86296
        with suppress(TimeoutError):
            async with asyncio.timeout(_SOON_SECONDS if waiting else _TICK_SECONDS):
                await self._bell.wait()
        self._bell.clear()
        try:
            # That time has passed is no change that AWS reports: ask it until all load balancers are active.
            if self._stale or draining or not all(node.active for node in self._nodes):
                await asyncio.sleep(_SOON_SECONDS)
                self._stale = False
                self._secrets.clear()
                await self._become(nodes(await asyncio.to_thread(reader.read)))
                await self._edges.read()
            # Results of checks from here on are applied, named and reported next time: report only what is applied.
            healths = dict(self._healths)
            await self._settle(healths)
            await self._report(healths)
            if not all(node.active for node in self._nodes):
                await self._name_active(reader, healths)
        except StaleError as error:
            log.info("%s was deleted meanwhile; reading again", error)
            self._stale = True
        except Exception:
            log.exception("load balancers do not match the APIs; trying again")
            self._stale = True
            await asyncio.sleep(_TICK_SECONDS)

    async def _become(self, after: list[Node]) -> None:
        """Replace the old plan with a new one."""
        there = {node.id for node in after}
        for name in self._proxies.keys() - there:
            await self._proxies.pop(name).stop()
        kept = {(n.id, p.name, t) for n in after for p in n.pools for t in p.targets}
        for node in self._nodes:
            for pool in node.pools:
                for target in pool.targets:
                    drained = target.draining and (node.id, pool.name, target) not in kept
                    if drained and pool.ends_when_drained and node.id in self._proxies:
                        await self._proxies[node.id].cut(pool.name, target.name)
        self._nodes = after
        for line in {line for node in after for line in node.missing} - self._warned:
            log.warning("%s", line)
            self._warned.add(line)
        self._start_checks()

    def _start_checks(self) -> None:
        wanted = {
            (node.id, pool.name, target, pool.check): pool
            for node in self._nodes
            for pool in node.pools
            for target in pool.targets
            if not target.draining
        }
        for gone in self._checks.keys() - wanted.keys():
            self._checks.pop(gone).cancel()
        names = {(node, pool, target.name) for node, pool, target, _ in wanted}
        self._healths = {key: value for key, value in self._healths.items() if key in names}
        for key in wanted.keys() - self._checks.keys():
            self._checks[key] = asyncio.create_task(self._check(*key, wanted[key]))

    async def _check(self, node: str, pool_name: str, target: Target, check: Check, pool: Pool) -> None:
        """Check one target from one node, repeatedly."""
        loop, key = asyncio.get_running_loop(), (node, pool_name, target.name)
        while True:
            if node not in self._wired():
                await asyncio.sleep(_SOON_SECONDS)
                continue
            began = loop.time()
            work = functools.partial(inside, node, functools.partial(probe, check, target))
            try:
                outcome = await loop.run_in_executor(self._threads, work)
            except OSError as error:  # the namespace is being removed, or not yet wired
                log.info("no check of %s from %s: %s", target.name, node, error)
                await asyncio.sleep(_TICK_SECONDS)
                continue
            before = self._healths.get(key, Health())
            now = self._healths[key] = health.after(before, check, outcome)
            if now.state != before.state:
                self._bell.set()
                if now.state == "unhealthy" and pool.ends_when_unhealthy and node in self._proxies:
                    await self._proxies[node].cut(pool_name, target.name)
            await asyncio.sleep(max(0.0, check.interval - (loop.time() - began)))

    async def _settle(self, healths: Healths) -> None:
        wired = self._wired()
        ready = [node for node in self._nodes if node.id in wired]
        results = await asyncio.gather(*(self._carry(node, healths) for node in ready), return_exceptions=True)
        for node, result in zip(ready, results, strict=True):
            known = isinstance(result, ProxyError | CommandFailedError | OSError)
            if isinstance(result, BaseException) and not known:
                raise result
            # It is tried again and again, but logged once.
            if result and str(result) != self._errors.get(node.id):
                log.error("%s: %s", node.id, result)
            self._errors[node.id] = str(result or "")
        await self._count_connections(ready)
        await self._name(healths)
        await self._edges.apply(ready)

    async def _name(self, healths: Healths) -> None:
        await self._names.apply(hosts(self._nodes, healths) + self._edges.hosts())

    async def _name_active(self, reader: Reader, healths: Healths) -> None:
        """Name the load balancers that AWS calls active since the report; the next round may take many seconds."""
        active = {b["LoadBalancerArn"] for b in await asyncio.to_thread(reader.balancers) if is_active(b)}
        self._nodes = [replace(node, active=node.active or node.balancer in active) for node in self._nodes]
        await self._name(healths)

    async def _carry(self, node: Node, healths: Healths) -> None:
        folder = FOLDER / node.id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if node.id not in self._proxies:
            self._proxies[node.id] = Proxy(self._world, node.id, folder, self._held)
        await self._proxies[node.id].apply(node, health.receiving(node, healths))

    async def _count_connections(self, ready: list[Node]) -> None:
        """Find the draining targets that have no connections left at any node."""
        counts: dict[tuple[str, str, int], int] = {}
        for node in ready:
            draining = [(p, t) for p in node.pools for t in p.targets if t.draining and not p.waits_when_drained]
            if draining and node.id in self._proxies:
                sessions = await self._proxies[node.id].sessions()
                for pool, target in draining:
                    key = (pool.group, target.id, target.port)
                    counts[key] = counts.get(key, 0) + sessions.get((pool.name, target.name), 0)
        self._drained = {key for key, count in counts.items() if not count}

    async def _held(self, kind: str, arn: str) -> dict[str, str]:
        if arn not in self._secrets:
            self._secrets[arn] = await self._ask("GET", kind, params={"arn": arn})
        return self._secrets[arn]

    async def _report(self, healths: Healths) -> None:
        """Report to AWS when something has changed, and now and then, because AWS forgets it at a restart."""
        now = asyncio.get_running_loop().time()
        told = {
            "carried": True,
            "listening": self._listening(now),
            "targets": health.report(self._nodes, healths, self._drained),
        }
        last, before = self._reported
        if told != before or now - last > _HEARTBEAT_SECONDS or not last:
            try:
                await self._ask("POST", "targets", json=told)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                log.info("AWS does not take the health of targets: %s", error)
                return
            self._reported = (now, told)
            if told != before:
                # The health of accelerators' endpoints follows that of targets.
                await self._edges.read()

    def _listening(self, now: float) -> list[str]:
        """The load balancers all of whose nodes carry what the APIs hold. Most get listeners right after creation."""
        arns = {node.balancer for node in self._nodes}
        self._seen = {arn: self._seen.get(arn, now) for arn in arns}
        bare = {n.balancer for n in self._nodes if not (n.listeners or n.datagrams or n.missing)}
        wired = self._wired()
        failing = {n.balancer for n in self._nodes if n.id not in wired or self._errors.get(n.id, "not carried yet")}
        early = {arn for arn in bare if now - self._seen[arn] < _BARE_SECONDS}
        return sorted(arns - failing - early)

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        assert self._http  # noqa: S101 - made by `follow`, which alone comes here
        key = self._state.settings().root_keys["secret_key"]
        address = f"{self._state.aws_endpoint}/_sandbox/{path}"
        async with self._http.request(method, address, headers={"x-sandbox-key": key}, **more) as answer:
            if answer.status != 200:  # noqa: PLR2004 - OK
                raise ProxyError(f"{path}: {(await answer.text())[:300]}")
            return await answer.json(content_type=None)
