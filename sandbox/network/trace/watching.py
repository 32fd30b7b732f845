"""Tracing, switched on in some namespaces and off again: first packets of connections, rules, conntrack's entries."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.network.trace.kernel import OWN_TABLE, Passage, Tracked, passages, tracked
from sandbox.network.world import World

_LISTENING_SECONDS = 5.0
_SETTLE_SECONDS = 0.3
"""How long to wait for the kernel's last reports after the answer."""
_ON = f"""table ip {OWN_TABLE}
delete table ip {OWN_TABLE}
table ip {OWN_TABLE} {{
 chain prerouting {{
  type filter hook prerouting priority -350; policy accept;
  tcp flags & (syn | ack) == syn meta nftrace set 1
 }}
}}
"""


@dataclass
class Seen:
    """What was seen while tracing was on."""

    passages: list[Passage] = field(default_factory=list[Passage])
    entries: list[Tracked] = field(default_factory=list[Tracked])


@asynccontextmanager
async def watched(world: World, namespaces: Sequence[str], nodes: Sequence[str]) -> AsyncGenerator[Seen]:
    """Trace every new TCP connection in `namespaces`, and conntrack's new entries in `nodes`; filled in at the end."""
    seen = Seen()
    running: list[tuple[str, str, asyncio.subprocess.Process]] = []
    try:
        for namespace in namespaces:
            await world.run(namespace, ["nft", "-f", "-"], _ON)
            running.append((namespace, "trace", await _start(world, namespace, ["nft", "-a", "monitor", "trace"])))
        for node in nodes:
            events = ["conntrack", "-E", "-e", "NEW", "-p", "tcp"]
            running.append((node, "entries", await _start(world, node, events)))
        await asyncio.gather(*(until_listening(process) for _, _, process in running))
        yield seen
        await asyncio.sleep(_SETTLE_SECONDS)
    finally:
        for _, _, process in running:
            # SIGINT makes both write out their buffers.
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        for namespace, kind, process in running:
            output, _ = await process.communicate()
            text = output.decode(errors="replace")
            if kind == "trace":
                seen.passages += passages(namespace, text)
            else:
                seen.entries += tracked(namespace, text)
        for namespace in namespaces:
            await world.attempt(namespace, ["nft", "delete", "table", "ip", OWN_TABLE])


async def _start(world: World, namespace: str, argv: list[str]) -> asyncio.subprocess.Process:
    return await world.start(namespace, argv, piped=True)


async def until_listening(process: asyncio.subprocess.Process) -> None:
    """Wait until a process has joined a netlink group: only then does it get the kernel's messages."""
    own = Path(f"/proc/{process.pid}")
    async with asyncio.timeout(_LISTENING_SECONDS):
        while not _listens(own):  # noqa: ASYNC110 - the kernel's event, and it tells nobody
            await asyncio.sleep(0.02)


def _listens(process: Path) -> bool:
    with contextlib.suppress(OSError):
        sockets = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
        for line in (process / "net" / "netlink").read_text().splitlines()[1:]:
            # sk, protocol, port, groups, ..., inode: a socket of the process, in any group.
            fields = line.split()
            if int(fields[3], 16) and f"socket:[{fields[-1]}]" in sockets:
                return True
    return False
