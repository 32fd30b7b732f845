"""test_random_networks.py runs this in a world: a network after random changes, or made at once; its kernel's state.

python random_network.py REPORT SEED STEPS {changed|fresh}
"""

import asyncio
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sandbox.network.network
from sandbox.network.facts import Facts, Group, Interface, Permission
from sandbox.network.inside import own_run
from sandbox.network.network import Network
from sandbox.network.wiring import Pod
from sandbox.network.world import CLIENTS, CommandFailedError, World
from sandbox.run.state import State

_FAILING = 0.1
"""The share of the kernel's commands that fail before they do anything."""
_GROUPS = tuple(
    Group(f"sg-{n}", f"group-{n}", "vpc-1", (Permission("tcp", 80 + n, 80 + n, group="sg-0", id=f"sgr-{n}"),))
    for n in range(3)
)
_NUMBERS = (
    re.compile(r"^\d+:\s", re.MULTILINE),
    re.compile(r"@if\d+"),
    re.compile(r"link-netnsid \d+"),
    re.compile(r"qlen \d+"),
)


class FailingWorld(World):
    """A world in which commands fail at random, as long as `dice` are set."""

    dice: random.Random | None = None

    async def run(self, namespace: str | None, argv: Sequence[str | Path], given: str = "") -> str:
        """Run it, or fail before."""
        if self.dice and self.dice.random() < _FAILING:
            raise CommandFailedError(f"{argv}: as the test wants")
        return await super().run(namespace, argv, given)


class Account:
    """Interfaces and pods that come and go: what an account holds after so many steps of a seed."""

    def __init__(self, seed: int) -> None:
        self._dice, self._count = random.Random(seed), 0  # noqa: S311 - no secret
        self.interfaces: dict[str, Interface] = {}
        self.pods: dict[str, Pod] = {}

    def facts(self) -> Facts:
        """What EC2 says."""
        vpcs = (("vpc-1", ("10.1.0.0/16",)), ("vpc-2", ("10.2.0.0/16",)))
        return Facts(tuple(self.interfaces.values()), _GROUPS, vpcs=vpcs)

    def step(self) -> None:
        """One change: a node or a load balancer comes, changes or goes, with the last in a subnet its router too."""
        self._count += 1
        nodes = [i for i in self.interfaces.values() if i.instance]
        match self._dice.randrange(7):
            case 0 | 1:
                self._come()
            case 2 if self.interfaces:
                gone = self.interfaces.pop(self._dice.choice(list(self.interfaces)))
                self.pods = {uid: pod for uid, pod in self.pods.items() if pod.node != gone.instance}
            case 3 | 4 if nodes:
                self._pod(self._dice.choice(nodes))
            case 5 if self.pods:
                pod = self.pods.pop(self._dice.choice(list(self.pods)))
                node = next(i for i in nodes if i.instance == pod.node)
                others = tuple(address for address in node.others if address != pod.address)
                self.interfaces[node.id] = replace(node, others=others)
            case 6 if self.interfaces:
                one = self.interfaces[self._dice.choice(list(self.interfaces))]
                groups = tuple(g.id for g in _GROUPS if self._dice.random() < 0.5)
                self.interfaces[one.id] = replace(one, groups=groups)
            case _:
                self._come()

    def _come(self) -> None:
        vpc, subnet, number = self._dice.randint(1, 2), self._dice.randrange(4) * 64, self._count
        name = f"eni-{number:017x}"
        address = f"10.{vpc}.{subnet + number // 200}.{number % 200 + 5}"
        made = Interface(name, f"vpc-{vpc}", f"10.{vpc}.{subnet}.1", address)
        kind = {"instance": f"i-{number}"} if self._dice.random() < 0.5 else {"balancer": f"app/b{number}/1"}
        self.interfaces[name] = replace(made, groups=("sg-0",), checked="instance" in kind, **kind)

    def _pod(self, node: Interface) -> None:
        number, vpc = self._count, node.address.split(".")[1]
        address = f"10.{vpc}.{250 + number // 250}.{number % 250 + 1}"
        pod = Pod(f"u{number}", "samples", f"web-{number}", node.instance, address)
        self.pods[pod.uid] = pod
        self.interfaces[node.id] = replace(node, others=(*node.others, address))


async def change(network: Network, account: Account, known: dict[str, Pod]) -> None:
    """Give the network what the account holds now. Pods come and go at the same time, as they do."""
    network.facts = account.facts()
    gone, come = known.keys() - account.pods.keys(), account.pods.keys() - known.keys()
    works = [network.remove_pod(uid) for uid in sorted(gone)]
    works += [network.add_pod(account.pods[uid]) for uid in sorted(come)]
    await asyncio.gather(*works, network.settle())
    known.clear()
    known.update(account.pods)


async def kernel(world: World) -> dict[str, list[str]]:
    """What the kernel holds in every namespace, without numbers that depend on the order of creation."""
    asked = ("ip -o address", "ip -o route show table all", "ip rule", "ip neighbour", "nft list ruleset")
    found: dict[str, list[str]] = {}
    for namespace in sorted(world.names()):
        lines: list[str] = []
        for command in asked:
            text = await world.run(namespace, command.split())
            for number in _NUMBERS:
                text = number.sub("", text)
            # The kernel draws a link's own IPv6 addresses.
            own = ("fe80:", "ff00::", "multicast")
            lines += [" ".join(x.split()) for x in text.splitlines() if not any(word in x for word in own)]
        found[namespace] = sorted(lines)
    return found


async def main(report: Path, seed: int, steps: int, how: str) -> None:
    """Make the network and write the kernel's state."""
    world, account, known = FailingWorld(), Account(seed), dict[str, Pod]()
    await world.namespace(CLIENTS)
    network = Network(State.at(report.parent), world)
    world.dice = random.Random(seed) if how == "changed" else None  # noqa: S311 - no secret
    for _ in range(steps):
        account.step()
        if how == "changed":
            await change(network, account, known)
    world.dice = None
    await change(network, account, known)
    told: dict[str, Any] = await kernel(world)
    await asyncio.to_thread(lambda: report.write_text(json.dumps(told, indent=1)))


if __name__ == "__main__":
    own_run()
    sandbox.network.network._RETRY_SECONDS = 0.01  # many failures, little patience
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
