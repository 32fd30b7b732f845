"""One node's HAProxy: started in its namespace, updated when targets come and go, reloaded for everything else.

A reload keeps the listening sockets open, and the old process finishes its connections. Changes of targets go to the
old processes too: a connection kept alive there must not use a target that is gone.
https://docs.haproxy.org/2.6/management.html
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from sandbox.network.balancers.plan import Listener, Node
from sandbox.network.balancers.rendering import Receiving, authorities, certificate_list, configuration, revocations
from sandbox.network.balancers.udp import ruleset
from sandbox.network.world import World, set_kernel
from sandbox.run.state import write_text

log = logging.getLogger(__name__)
_READY_SECONDS = 10.0
_WORKER = re.compile(r"^(\d+)\s+worker\s+(\d+)", re.MULTILINE)
_GOOD = {"", "New server registered.", "Server deleted."}
# Answers to connections with a client's address arrive for that address: treat them as local.
_TRANSPARENT = "rule add iif eth0 ipproto tcp lookup 100\nroute add local default dev lo table 100\n"
_FIRST_ID = 10_000
"""Higher than the ids of the servers in a configuration, which HAProxy numbers from 1."""
_SESSIONS = 4
"""The column of `scur` in `show stat`."""
_KERNEL = {
    "net__ipv4__ip_forward": "1",
    "net__ipv4__conf__all__rp_filter": "0",
    "net__ipv4__conf__eth0__rp_filter": "0",
    "net__ipv4__conf__all__send_redirects": "0",
    "net__ipv4__conf__eth0__send_redirects": "0",
}

Held = Callable[[str, str], Awaitable[Mapping[str, str]]]
"""(`certificate` or `trust-store`, its ARN) -> what AWS holds of it: see `sandbox.aws.serving.private`."""


class ProxyError(Exception):
    """HAProxy does not start, or refuses its configuration; the message has its last output."""


@dataclass(frozen=True)
class Servers:
    """The targets that a HAProxy knows: pool and name -> options, and whether it gets new connections."""

    known: Mapping[tuple[str, str], tuple[str, bool]] = field(default_factory=dict[tuple[str, str], tuple[str, bool]])

    @staticmethod
    def of(node: Node, receiving: Receiving) -> "Servers":
        """The targets of a plan."""
        return Servers(
            {
                (pool.name, target.name): (pool.server, target.name in receiving[pool.name])
                for pool in node.pools
                for target in pool.targets
                if pool.mode != "udp"
            }
        )


def commands(before: Servers, after: Servers, ids: Iterator[int]) -> Iterator[str]:
    """The commands that take a HAProxy from `before` to `after`, without a reload. Pure.

    A removed target first gets no new connections; `Proxy` deletes it when its last connection has ended. A new one
    gets the next of `ids`. HAProxy 2.6 uses a server's id to place it on the ring from which `random` and `source`
    pick. Servers that HAProxy numbers at run time share a place, so some of them get nothing.
    """
    for (pool, name), (_, receives) in sorted(before.known.items()):
        if receives and not after.known.get((pool, name), ("", False))[1]:
            yield f"set server {pool}/{name} state maint"
    for (pool, name), (options, receives) in sorted(after.known.items()):
        known = before.known.get((pool, name))
        if known is None:
            yield f"add server {pool}/{name} {name} id {next(ids)} {options}".rstrip()
        if receives and not (known and known[1]):
            yield f"set server {pool}/{name} state ready"


class Proxy:
    """The HAProxy of one node."""

    def __init__(self, world: World, node: str, folder: Path, held: Held) -> None:
        self._world, self._node, self._folder = world, node, folder
        self._held = held
        self._process: asyncio.subprocess.Process | None = None
        self._skeleton = ""
        self._servers = Servers()
        self._leaving: set[tuple[str, str]] = set()
        self._ids = count(_FIRST_ID)
        self._prepared = False
        self._rules = ""

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The master process's."""
        return self._process.pid if self._process and self.running else None

    async def apply(self, node: Node, receiving: Receiving) -> None:
        """Apply `node`; only `receiving` get new connections.

        Raises:
            ProxyError: HAProxy cannot apply it.
        """
        await self._forward(node, receiving)
        if not node.listeners:
            # HAProxy does not run without any; the load balancer is new, or about to be deleted.
            await self.stop()
            return
        skeleton = configuration(node, receiving, self._folder, targets=False)
        skeleton += await self._write_certificates(node)
        servers = Servers.of(node, receiving)
        if not self.running or skeleton != self._skeleton or not await self._tell(servers):
            await self._load(node, receiving)
            self._skeleton, self._leaving = skeleton, set()
        self._servers = servers

    async def _forward(self, node: Node, receiving: Receiving) -> None:
        """Make the kernel forward datagrams."""
        if not self._prepared:
            await asyncio.to_thread(lambda: set_kernel(self._node, **_KERNEL))
            await self._world.run(None, ["ip", "-n", self._node, "-batch", "-"], _TRANSPARENT)
            self._prepared = True
        rules = ruleset(node, receiving)
        if rules != self._rules:
            await self._world.run(self._node, ["nft", "-f", "-"], rules)
            self._rules = rules

    async def _tell(self, servers: Servers) -> bool:
        """Update HAProxy's targets; return whether it accepted all changes."""
        back = self._leaving & servers.known.keys()
        if back:
            await self.sweep()
            if self._leaving & servers.known.keys():
                return (
                    False  # it still finishes the connections of a target that has come back: that needs a new process
                )
        todo = list(commands(self._servers, servers, self._ids))
        workers = await self._workers() if todo else []
        for command in todo:
            answer = await self._say(command, workers)
            if answer not in _GOOD:
                log.warning("%s: %s: %s; reloading", self._node, command, answer)
                return False
        self._leaving |= self._servers.known.keys() - servers.known.keys()
        await self.sweep()
        return True

    async def sweep(self) -> None:
        """Delete removed targets whose last connection has ended."""
        for pool, name in sorted(self._leaving):
            answer = await self._ask(f"@1 del server {pool}/{name}")
            if answer == "Server deleted." or answer.startswith("No such server"):
                self._leaving.discard((pool, name))

    async def cut(self, pool: str, name: str) -> None:
        """Close the connections to a target."""
        await self._say(f"shutdown sessions server {pool}/{name}", await self._workers())

    async def sessions(self) -> dict[tuple[str, str], int]:
        """The number of connections or requests of each target, including those of old processes."""
        found: dict[tuple[str, str], int] = {}
        for worker in await self._workers():
            for line in (await self._ask(f"@!{worker} show stat -1 4 -1")).splitlines():
                cells = line.split(",")
                if len(cells) > _SESSIONS and not line.startswith("#"):
                    key = (cells[0], cells[1])
                    found[key] = found.get(key, 0) + int(cells[_SESSIONS] or 0)
        return found

    async def stop(self) -> None:
        """Stop it."""
        if self._process and self.running:
            self._process.kill()
            await self._process.wait()

    async def _load(self, node: Node, receiving: Receiving) -> None:
        path = self._folder / "haproxy.cfg"
        draft = self._folder / "next.cfg"
        write_text(draft, configuration(node, receiving, self._folder))
        code, output, errors = await self._world.attempt(self._node, ["haproxy", "-c", "-q", "-f", draft])
        if code:
            raise ProxyError(f"{node.balancer} in {node.zone}: {(errors or output).strip()[-500:]}")
        draft.replace(path)
        if self.running:
            reloads = await self._reloads()
            await self._ask("reload")
            await self._until(lambda reached: reached > reloads)
            await self._until_old_ones_stop_listening()
            return
        self._socket.unlink(missing_ok=True)
        command = ["haproxy", "-W", "-f", path, "-S", f"{self._socket},mode,600"]
        self._process = await self._world.start(self._node, command)
        await self._until(lambda reached: reached >= 0)

    @property
    def _socket(self) -> Path:
        return self._folder / "master"

    async def _until(self, reached: Callable[[int], bool]) -> None:
        for _ in range(int(_READY_SECONDS / 0.02)):
            if not self.running:
                raise ProxyError(f"HAProxy of {self._node} ended: see `sandbox logs traffic`")
            if reached(await self._reloads()):
                return
            await asyncio.sleep(0.02)
        raise ProxyError(
            f"HAProxy of {self._node} is not ready after {_READY_SECONDS:.0f} s: see `sandbox logs traffic`"
        )

    async def _until_old_ones_stop_listening(self) -> None:
        """They share the sockets with the new process until its signal reaches them."""
        for _ in range(int(_READY_SECONDS / 0.02)):
            told = [await self._ask(f"@!{worker} show info") for worker in (await self._workers())[1:]]
            if not any("Stopping: 0" in text for text in told):
                return
            await asyncio.sleep(0.02)
        log.warning("%s: an old process still listens", self._node)

    async def _reloads(self) -> int:
        """The number of reloads, once the new process runs; -1 before."""
        found = re.search(r"master\s+(\d+) \[failed: (\d+)\]", shown := await self._ask("show proc"))
        return int(found[1]) if found and _WORKER.search(shown.partition("# old workers")[0]) else -1

    async def _workers(self) -> list[str]:
        """The pids of all processes, the current one first."""
        return [pid for pid, _ in _WORKER.findall(await self._ask("show proc"))]

    async def _say(self, command: str, workers: list[str]) -> str:
        """Send a command to every process; return the answer of the current one, which is the first."""
        answers = [await self._ask(f"@!{worker} {command}") for worker in workers]
        return answers[0] if answers else "no process"

    async def _ask(self, command: str) -> str:
        """The master's answer; empty if there is none."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            return ""
        try:
            writer.write(f"{command}\n".encode())
            writer.write_eof()
            async with asyncio.timeout(5):
                return (await reader.read()).decode(errors="replace").strip()
        except (OSError, TimeoutError):
            return ""
        finally:
            writer.close()

    async def _write_certificates(self, node: Node) -> str:
        """Write the certificates of its listeners; return a text that changes when one of them does."""
        marks: list[str] = []
        for listener in node.listeners:
            if listener.tls is None:
                continue
            paths: list[str] = []
            for arn in listener.tls.certificates:
                pem = (await self._held("certificate", arn))["pem"]
                path = self._folder / f"{arn.rpartition('/')[2]}.pem"
                if not path.exists() or path.read_text() != pem:
                    write_text(path, pem)
                paths.append(str(path))
                marks.append(str(hash(pem)))
            write_text(certificate_list(self._folder, listener), "".join(f"{p}\n" for p in paths))
            if listener.tls.clients and listener.tls.clients.store:
                marks += await self._write_authorities(listener, listener.tls.clients.store)
        return " ".join(marks)

    async def _write_authorities(self, listener: Listener, store: str) -> list[str]:
        held = await self._held("trust-store", store)
        write_text(authorities(self._folder, listener), held["authorities"])
        write_text(revocations(self._folder, listener), held["revocations"])
        return [str(hash(text)) for text in held.values()]
