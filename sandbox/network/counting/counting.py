"""Connections from the clients' namespace, and the entries that the nodes' connection tracking made for them.

Runs in the world: answers `POST /count`, `POST /keep` and `POST /stop` on its control socket.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Collection, Sequence
from typing import Any

from sandbox.network.elb.lookup import find
from sandbox.network.elb.model import LoadBalancer
from sandbox.network.facts import Facts
from sandbox.network.network import Network
from sandbox.network.trace.kernel import Tracked, tracked
from sandbox.network.trace.watching import until_listening
from sandbox.network.wiring import CLIENT_ADDRESS
from sandbox.network.world import CLIENTS, World
from sandbox.run.clients import client
from sandbox.run.state import State

_CLIENT = [sys.executable, "-m", "sandbox.network.counting.client"]
_SETTLE_SECONDS = 0.5


def counted(entries: Sequence[Tracked], facts: Facts, addresses: Collection[str]) -> dict[str, int]:
    """The connection tracking entries that one load balancer's connections made in nodes, by kind.

    Health checks of other load balancers and a node's own connections (its kubelet's probes) are left out. `crossings`
    are connections that a node forwarded to a pod on another node, where they make a second entry.

    Args:
        entries: all new entries.
        facts: the owners of addresses.
        addresses: the sources of the load balancer's connections: its nodes, and its clients if it preserves them.
    """
    homes = {address: i.instance for i in facts.interfaces if i.instance for address in i.addresses}
    sent_on = {e.reply.reverse for e in entries if e.translates and e.original.source in addresses}
    foreign = [e for e in entries if e.original.source in addresses or e.original in sent_on]
    translating = [e for e in foreign if e.translates]
    return {
        "entries": len(foreign),
        "translations": len(translating),
        "crossings": sum(homes.get(e.reply.source) not in (None, e.namespace) for e in translating),
    }


class Counting:
    """Clients, and counting the effects of their connections."""

    def __init__(self, state: State, world: World, network: Network) -> None:
        self._state = state
        self._world = world
        self._network = network
        self._kept: asyncio.subprocess.Process | None = None

    async def count(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send `{"host", "connections"}` and count the entries: the client's document, together with `counted`'s."""
        facts, host = self._network.facts, question["host"]
        balancer = await asyncio.to_thread(self._find, host)
        if balancer is None:
            raise ValueError(f"{host} is not the name of a load balancer in this account")
        own = {i.address for i in facts.interfaces if i.balancer == balancer.key}
        nodes = sorted({i.instance for i in facts.interfaces if i.instance})
        events = ["conntrack", "-E", "-e", "NEW", "-p", "tcp", "--buffer-size", "8388608"]
        listening = {node: await self._world.start(node, events, piped=True) for node in nodes}
        readers = {node: asyncio.create_task(process.communicate()) for node, process in listening.items()}
        try:
            await asyncio.gather(*(until_listening(process) for process in listening.values()))
            argv = [*_CLIENT, "--count", str(question["connections"]), host]
            told = json.loads(await self._world.run(CLIENTS, argv))[host]
            await asyncio.sleep(_SETTLE_SECONDS)
        finally:
            for process in listening.values():
                if process.returncode is None:
                    process.send_signal(signal.SIGINT)
            entries = [e for n, r in readers.items() for e in tracked(n, (await r)[0].decode(errors="replace"))]
        return {**told, **counted(entries, facts, own | {CLIENT_ADDRESS})}

    def _find(self, host: str) -> LoadBalancer | None:
        return find(client(self._state, "elbv2"), client(self._state, "elb"), host)

    async def keep(self, question: dict[str, Any]) -> dict[str, Any]:
        """Start sending to `{"hosts", "rate"}`, until stopped."""
        if self._kept:
            raise ValueError("requests are already being sent: stop them first")
        argv = [*_CLIENT, "--rate", str(question["rate"]), *question["hosts"]]
        self._kept = await self._world.start(CLIENTS, argv, stdin=asyncio.subprocess.PIPE, piped=True)
        return {}

    async def stop(self, question: dict[str, Any]) -> dict[str, Any]:
        """Stop sending; return the results by host."""
        if self._kept is None:
            raise ValueError("no requests are being sent")
        process, self._kept = self._kept, None
        if process.stdin:
            process.stdin.close()  # what the client waits for
        output, errors = await process.communicate()
        if process.returncode:
            raise ValueError(f"the client failed: {errors.decode(errors='replace')[-300:]}")
        return json.loads(output)
