"""test_world.py runs this as the first process of a world: two namespaces, a cable, a listener; then it waits."""

import asyncio
import socket
import sys
from pathlib import Path

from sandbox.network.inside import own_run
from sandbox.network.world import FOLDER, World, inside, listener, set_kernel


async def main(report: Path) -> None:
    """Make a world, write what was seen of it, wait for the end."""
    world = World()
    for name in ("left", "right"):
        await world.namespace(name)
    await world.run(
        "left", ["ip", "link", "add", "name", "veth-left", "type", "veth", "peer", "name", "eth0", "netns", "right"]
    )
    for name, link, address in (("left", "veth-left", "10.0.0.1/30"), ("right", "eth0", "10.0.0.2/30")):
        await world.run(name, ["ip", "address", "add", address, "dev", link])
        await world.run(name, ["ip", "link", "set", "dev", link, "up"])
    await asyncio.to_thread(lambda: set_kernel("left", net__ipv4__ip_forward="1"))
    await world.run("left", ["nft", "-f", "-"], "table ip t { chain c { ct state new counter; }; }")
    await world.run("left", ["iptables", "-w", "-t", "nat", "-A", "PREROUTING", "-j", "ACCEPT"])
    await world.start("right", ["sleep", sys.argv[2]])
    door = listener("right", "10.0.0.2", 80)
    with door, inside("left", lambda: socket.create_connection(("10.0.0.2", 80), timeout=5)):
        seen = door.accept()[1]
    namespaces = [f"net:[{(FOLDER / name).stat().st_ino}]" for name in ("left", "right")]
    await asyncio.to_thread(lambda: report.write_text(" ".join([seen[0], *namespaces])))
    await asyncio.Event().wait()


own_run()
asyncio.run(main(Path(sys.argv[1])))
