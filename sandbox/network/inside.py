"""`python -m sandbox.network.inside --state-dir D`: the first process of the world.

It has its own mount and process namespaces, but is in the host's network: it reaches AWS and the clusters on loopback,
and enters a network namespace only to create a socket or start a process there.
"""

import argparse
import asyncio
import logging
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Coroutine
from typing import Any

from sandbox.cluster.sockets import socket_folder
from sandbox.network.balancers.follow import Balancers
from sandbox.network.clusters import Clusters
from sandbox.network.control import Door
from sandbox.network.counting.counting import Counting
from sandbox.network.network import Network
from sandbox.network.relays import Relays
from sandbox.network.trace.request import Tracer
from sandbox.network.world import CLIENTS, FOLDER, World
from sandbox.run.state import State, write_json

log = logging.getLogger("sandbox.network")


def own_run() -> None:
    """Mount an empty /run over the machine's, in our mount namespace only: `ip netns` keeps its names there.

    Raises:
        RuntimeError: this is not a process namespace of our own, so it would hide the machine's /run.
    """
    if os.getpid() != 1:
        raise RuntimeError("only the first process of a world may mount its own /run: `python -m sandbox.network`")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "sandbox", "/run"], check=True)
    FOLDER.mkdir()


class Inside:
    """What runs in the world."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._world = World()
        self._network = Network(state, self._world)
        relays = Relays()
        self._clusters = Clusters(state, self._world, relays, self._network, self._write_status)
        self._balancers = Balancers(state, self._world, lambda: self._network.wiring.namespaces)
        self._door = Door(self._world, relays, lambda: [state.settings().ports["aws"], *self._clusters.ports()])
        counting = Counting(state, self._world, self._network)
        for question in (counting.count, counting.keep, counting.stop):
            self._door.add(question.__name__, question)
        tracer = Tracer(state, self._world, self._network, self._clusters.names, self._balancers.unlike_aws)
        self._door.add("trace", tracer.trace)
        self._socket = socket_folder(state.traffic / "run") / "door.sock"

    async def run(self) -> None:
        """Run for ever. The first task that fails ends everything, and the parent process starts it again."""
        await self._world.namespace(CLIENTS)
        work: list[Coroutine[Any, Any, None]] = [
            self._network.follow(),
            self._clusters.follow(),
            self._balancers.follow(),
            self._report(),
        ]
        await self._door.open(self._socket)
        self._write_status()
        await asyncio.gather(*work)

    async def _report(self) -> None:
        while True:
            await self._network.until_changed()
            self._write_status()

    def _write_status(self) -> None:
        settings = self._state.settings()
        kubernetes = settings.origins.get("control-plane", {}).get("version", "unknown")
        routers = {router for router, _ in self._network.wiring.gateways}
        parts = [
            *(
                {"name": f"{r}/router", "kind": "stand-in", "version": f"nftables, Linux {platform.release()}"}
                for r in routers
            ),
            *(
                {"name": f"{name}/{instance}/kube-proxy", "kind": "real", "version": f"{kubernetes} {settings.traffic}"}
                for name, (cluster, _) in self._clusters.running.items()
                for instance in cluster.proxies
            ),
            *({"name": f"{node}/haproxy", "kind": "real", "version": "HAProxy"} for node in self._balancers.running),
        ]
        document = {"socket": str(self._socket), "parts": sorted(parts, key=lambda p: p["name"])}
        write_json(self._state.traffic / "status.json", document)


def main() -> None:
    """Run until killed: nothing here needs cleaning up."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.network.inside", description=__doc__)
    parser.add_argument("--state-dir", required=True, help="the sandbox's state folder")
    state = State.at(parser.parse_args().state_dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    own_run()
    asyncio.run(Inside(state).run())


if __name__ == "__main__":
    main()
