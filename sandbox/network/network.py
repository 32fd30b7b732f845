"""The current network, made equal to what EC2 and Kubernetes describe, again and again."""

import asyncio
import logging
from typing import Any

from botocore.exceptions import ClientError

from sandbox.network import aws, facts, security_groups
from sandbox.network.facts import Facts
from sandbox.network.wiring import Plan, Pod, Wiring, plan, wanted
from sandbox.network.world import CLIENTS, World, set_kernel
from sandbox.run.clients import client
from sandbox.run.state import State

log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_ROUTER = {
    "net__ipv4__ip_forward": "1",
    "net__ipv4__conf__all__rp_filter": "0",
    "net__ipv4__conf__default__rp_filter": "0",
    "net__ipv4__conf__all__send_redirects": "0",
    "net__ipv4__conf__default__send_redirects": "0",
}
_MANY_CONNECTIONS = {"net__ipv4__ip_local_port_range": "1024 65000", "net__ipv4__tcp_tw_reuse": "1"}


def _batch(namespace: str) -> list[str]:
    return ["ip", "-force", "-n", namespace, "-batch", "-"]


class Network:
    """Updates namespaces, links, routes and security groups; one update at a time."""

    def __init__(self, state: State, world: World) -> None:
        self._state = state
        self._world = world
        self._pods: dict[str, Pod] = {}
        self._wiring = Wiring()
        self._tables: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._changed = asyncio.Condition()
        self.facts = Facts()

    async def follow(self) -> None:
        """Follow EC2 for ever. Load balancers and EKS create interfaces too."""
        ec2: Any = client(self._state, "ec2")
        async for _ in aws.changes(self._state, ("ec2", "elasticloadbalancing", "eks")):
            while True:
                try:
                    self.facts = await asyncio.to_thread(facts.read, ec2)
                except ClientError as error:
                    log.info("something was deleted while EC2 was read; reading again: %s", error)
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                except Exception:
                    log.exception("EC2 cannot be read; trying again")
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                if await self._settled():
                    break
                await asyncio.sleep(_RETRY_SECONDS)

    async def add_pod(self, pod: Pod) -> None:
        """Give a pod its namespace. Returns when it is wired to its node, whose namespace may have to exist first."""
        self._pods[pod.uid] = pod
        await self.settle()
        await self.until_there(pod.place)

    async def remove_pod(self, uid: str) -> None:
        """Remove a pod's namespace."""
        if self._pods.pop(uid, None):
            await self.settle()

    async def until_there(self, namespace: str) -> None:
        """Wait until a namespace is wired."""
        async with self._changed:
            await self._changed.wait_for(lambda: namespace in self._wiring.namespaces)

    async def until_changed(self) -> None:
        """Wait until the network or its facts have changed."""
        async with self._changed:
            await self._changed.wait()

    @property
    def wiring(self) -> Wiring:
        """The current network."""
        return self._wiring

    async def settle(self) -> None:
        """Make the network the one that is wanted now. What fails is tried again until it succeeds."""
        while True:
            if await self._settled():
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def _settled(self) -> bool:
        """Make the network the one that is wanted now, or log why that is not possible at the moment."""
        try:
            await self._settle()
        except Exception:
            log.exception("the network does not match EC2; trying again")
            return False
        return True

    async def _settle(self) -> None:
        async with self._lock:
            after = wanted(self.facts, self._pods.values())
            todo = plan(self._wiring, after)
            if todo:
                await self._carry_out(todo, after)
            await self._filter(after)
        async with self._changed:
            self._changed.notify_all()

    async def _carry_out(self, todo: Plan, after: Wiring) -> None:
        await self._unplug(todo)
        # Clients are there before the first VPC and after the last one.
        for namespace in sorted(self._wiring.namespaces - after.namespaces - {CLIENTS}):
            await self._world.remove(namespace)
            self._tables.pop(namespace, None)
        # What was removed is gone, even if adding fails.
        kept = frozenset(c for c in self._wiring.cables if c in after.cables)
        self._wiring = Wiring(self._wiring.gateways & after.gateways, kept, self._wiring.returns & after.returns)
        for namespace in sorted(after.namespaces - self._world.names()):
            await self._make(namespace, after)
        try:
            for namespace, lines in todo.plugged.items():
                await self._world.run(None, _batch(namespace), "\n".join(lines) + "\n")
        except BaseException:
            # Nothing half added stays: the next attempt would meet it.
            await self._unplug(plan(after, self._wiring))
            raise
        self._wiring = after

    async def _unplug(self, todo: Plan) -> None:
        for namespace, lines in todo.unplugged.items():
            await self._world.attempt(None, _batch(namespace), "\n".join(lines) + "\n")

    async def _make(self, namespace: str, after: Wiring) -> None:
        await self._world.namespace(namespace)
        routers = {router for router, _ in after.gateways}
        nodes = {i.instance for i in self.facts.interfaces if i.instance}
        values = _ROUTER if namespace in routers | nodes else {}
        if namespace == CLIENTS or namespace in {i.id for i in self.facts.interfaces}:
            values = _MANY_CONNECTIONS
        if values:
            await asyncio.to_thread(lambda: set_kernel(namespace, **values))

    async def _filter(self, after: Wiring) -> None:
        """Update the security groups' rules in the routers where they differ."""
        for router in sorted({router for router, _ in after.gateways}):
            rules = security_groups.ruleset(self.facts, router) + security_groups.return_paths(self.facts, router)
            if self._tables.get(router) != rules:
                await self._world.run(router, ["nft", "-f", "-"], rules)
                self._tables[router] = rules
