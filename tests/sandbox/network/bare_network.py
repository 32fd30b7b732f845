"""What test_world.py runs in a world: two nodes without kube-proxy, a load balancer's node, pods; who reaches whom."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.network.facts import Facts, Group, Interface, Permission
from sandbox.network.inside import own_run
from sandbox.network.network import Network
from sandbox.network.wiring import Pod
from sandbox.network.world import CLIENTS, World
from sandbox.run.state import State

BALANCER = "eni-0000000000000003c"
OPEN = (Permission("-1", cidr="0.0.0.0/0", id="sgr-out"),)
FACTS = Facts(
    interfaces=(
        Interface("eni-0000000000000001a", "vpc-1", "10.0.0.1", "10.0.0.5", ("10.0.0.7",), ("sg-node",), "i-1"),
        Interface("eni-0000000000000002b", "vpc-1", "10.0.64.1", "10.0.64.5", ("10.0.64.7",), ("sg-node",), "i-2"),
        Interface(BALANCER, "vpc-1", "10.0.0.1", "10.0.0.20", (), ("sg-lb",), balancer="app/x/1", checked=False),
    ),
    groups=(
        Group("sg-node", "node", "vpc-1", (Permission("tcp", 8080, 8080, group="sg-lb", id="sgr-1"),), OPEN),
        Group("sg-lb", "lb", "vpc-1", (Permission("tcp", 80, 80, cidr="0.0.0.0/0", id="sgr-2"),), OPEN),
    ),
    vpcs=(("vpc-1", ("10.0.0.0/16",)),),
)

ANOTHER = Interface("eni-0000000000000004d", "vpc-1", "10.0.128.1", "10.0.128.20", balancer="app/y/1", checked=False)


async def main(report: Path) -> None:
    """Make the network, ask the pod from everywhere, write what came of it."""
    world, told = World(), dict[str, Any]()
    await world.namespace(CLIENTS)
    network = Network(State.at(report.parent), world)
    network.facts = FACTS
    for uid, node, address in (("u1", "i-1", "10.0.0.7"), ("u2", "i-2", "10.0.64.7")):
        await network.add_pod(Pod(uid, "samples", f"web-{uid}", node, address))
    server = await world.start("pod-u2", [sys.executable, "-m", "http.server", "8080"])
    url = "http://10.0.64.7:8080/"
    ready = ["curl", "-s", "--retry", "50", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null", url]
    await world.run("i-2", ready)
    for namespace in (BALANCER, CLIENTS, "pod-u1"):
        code, *_ = await world.attempt(namespace, ["curl", "-s", "--max-time", "1", "-o", "/dev/null", url])
        told[namespace] = code
    told["entries"] = int(await world.run("i-2", ["conntrack", "-C"]))
    for turn, interfaces in enumerate(((ANOTHER,), (), (ANOTHER,))):
        network.facts = replace(FACTS, interfaces=(*FACTS.interfaces, *interfaces))
        await network.add_pod(Pod(f"turn-{turn}", "samples", f"turn-{turn}", "i-1", f"10.0.0.{8 + turn}"))
        told[f"gateway in turn {turn}"] = "10.0.128.1" in await world.run("vpc-1", ["ip", "address", "show", "lo"])
        await network.remove_pod(f"turn-{turn}")
    network.facts = Facts()
    await network.remove_pod("u1")
    await network.remove_pod("u2")
    told["left"] = sorted(world.names())
    server.kill()
    await asyncio.to_thread(lambda: report.write_text(json.dumps(told)))


if __name__ == "__main__":
    own_run()
    asyncio.run(main(Path(sys.argv[1])))
