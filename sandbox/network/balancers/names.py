"""DNS for the clients: every load balancer's name, and its nodes' addresses. dnsmasq answers.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#dns-name
"""

import asyncio
import subprocess
from collections.abc import Iterable
from pathlib import Path

from sandbox.network.balancers.health import Healths, receiving
from sandbox.network.balancers.plan import Node
from sandbox.network.world import CLIENTS, World
from sandbox.run.state import write_text

RESOLVER = "127.0.0.1"
_LIFE_SECONDS = 60


def hosts(nodes: Iterable[Node], healths: Healths) -> str:
    """The lines of a hosts file. Pure.

    A node without targets is left out, unless all nodes of its load balancer have none; and so is a load balancer that
    AWS still provisions.
    """
    lines: list[str] = []
    by_host: dict[str, list[Node]] = {}
    for node in (node for node in nodes if node.active):
        by_host.setdefault(node.host, []).append(node)
    for host, all_nodes in sorted(by_host.items()):
        serving = [node for node in all_nodes if any(receiving(node, healths).values())]
        for node in serving or all_nodes:
            lines += [f"{node.address} {host}", f"{node.address} {node.zone}.{host}"]
    return "".join(f"{line}\n" for line in lines)


class Names:
    """The clients' DNS server."""

    def __init__(self, world: World, folder: Path) -> None:
        self._world, self._folder = world, folder
        self._process: asyncio.subprocess.Process | None = None
        self._told = ""

    async def apply(self, text: str) -> None:
        """Answer with these hosts from now on."""
        if not self._folder.exists():
            self._folder.mkdir(mode=0o700, parents=True)
        if text != self._told:
            write_text(self._folder / "hosts", text)
            if self._process and self._process.returncode is None:
                self._process.send_signal(1)  # SIGHUP: read the file again
            self._told = text
        if self._process is None or self._process.returncode is not None:
            await self._start()

    async def stop(self) -> None:
        """Stop it."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _start(self) -> None:
        # Ours is the resolver of everything in the world. The world has its own mounts, so the machine's file does not
        # change.
        resolver = self._folder / "resolv.conf"
        write_text(resolver, f"nameserver {RESOLVER}\n")
        resolver.chmod(0o644)
        mount = ["mount", "--bind", str(resolver), "/etc/resolv.conf"]
        await asyncio.to_thread(lambda: subprocess.run(mount, check=True))
        # "no-daemon" also keeps it root of the user namespace: it may not give that up.
        command = [
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
            "--local=/#/",  # NXDOMAIN for an unknown name, which clients retry; REFUSED without it
            f"--listen-address={RESOLVER}", f"--addn-hosts={self._folder / 'hosts'}", f"--local-ttl={_LIFE_SECONDS}",
            "--pid-file=",
        ]  # fmt: skip
        self._process = await self._world.start(CLIENTS, command)
