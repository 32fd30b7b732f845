"""Global Accelerator in the clients' network: an accelerator's addresses lead to its load balancers' nodes.

On AWS the clients' packets enter at an edge location. Here the clients' own kernel sends each connection to one of the
nodes, by the endpoints' weights, with the client's address.
https://docs.aws.amazon.com/global-accelerator/latest/dg/introduction-how-it-works.html
"""

import asyncio
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.network.balancers.plan import Node
from sandbox.network.elb.model import Document
from sandbox.network.elb.reading import if_there
from sandbox.network.wiring import CLIENT_ADDRESS
from sandbox.network.world import CLIENTS, World
from sandbox.run.pages import everything

_TABLE = "accelerators"
_RANGE = "203.0.113.0/24"
"""That of all addresses that the sandbox gives to accelerators."""


@dataclass(frozen=True)
class Accelerator:
    """The documents of one accelerator."""

    document: Document
    listeners: tuple[tuple[Document, tuple[Document, ...]], ...]
    """Each listener with its endpoint groups."""


def read(client: Any) -> list[Accelerator]:
    """Read everything; blocking. What is deleted meanwhile is left out."""

    def listed(operation: str, key: str, **parent: str) -> list[Document]:
        return if_there(functools.partial(everything, client, operation, key, **parent)) or []

    def groups(listener: Document) -> tuple[Document, ...]:
        return tuple(listed("list_endpoint_groups", "EndpointGroups", ListenerArn=listener["ListenerArn"]))

    def listeners(accelerator: Document) -> tuple[tuple[Document, tuple[Document, ...]], ...]:
        found = listed("list_listeners", "Listeners", AcceleratorArn=accelerator["AcceleratorArn"])
        return tuple((listener, groups(listener)) for listener in found)

    return [Accelerator(one, listeners(one)) for one in everything(client, "list_accelerators", "Accelerators")]


def hosts(accelerators: Iterable[Accelerator]) -> str:
    """The lines of a hosts file. Names for IPv6 get their IPv4 addresses only: the network has no others. Pure."""
    lines = [
        f"{address} {name}\n"
        for accelerator in accelerators
        for address in _addresses(accelerator)
        for name in (accelerator.document["DnsName"], accelerator.document.get("DualStackDnsName"))
        if name
    ]
    return "".join(sorted(lines))


def _addresses(accelerator: Accelerator) -> list[str]:
    return [a for entry in accelerator.document["IpSets"] if entry["IpFamily"] == "IPv4" for a in entry["IpAddresses"]]


def ruleset(accelerators: Iterable[Accelerator], nodes: Iterable[Node]) -> str:
    """The clients' table, which replaces the previous one. Pure."""
    by_balancer: dict[str, list[Node]] = {}
    for node in nodes:
        by_balancer.setdefault(node.balancer, []).append(node)
    rules = [f"    {rule}\n" for each in accelerators for rule in _rules(each, by_balancer)]
    chain = f"  chain output {{\n    type nat hook output priority -100; policy accept;\n{''.join(rules)}  }}\n"
    return f"table ip {_TABLE}\ndelete table ip {_TABLE}\ntable ip {_TABLE} {{\n{chain}}}\n"


def _rules(accelerator: Accelerator, nodes: dict[str, list[Node]]) -> Iterator[str]:
    if not accelerator.document["Enabled"]:
        return
    addresses = ", ".join(_addresses(accelerator))
    for listener, groups in accelerator.listeners:
        ways = [way for group in groups for way in _ways(group, nodes)]
        if not ways:
            continue
        match = f"ip daddr {{ {addresses} }} {listener['Protocol'].lower()} dport"
        overrides = {o["ListenerPort"]: o["EndpointPort"] for group in groups for o in group["PortOverrides"]}
        for port, other in sorted(overrides.items()):
            yield f"{match} {port} dnat ip to {_choice([(f'{address} . {other}', w) for address, w in ways])}"
        for span in listener["PortRanges"]:
            yield f"{match} {span['FromPort']}-{span['ToPort']} dnat ip to {_choice(ways)}"


def _ways(group: Document, nodes: dict[str, list[Node]]) -> list[tuple[str, int]]:
    """The addresses that an endpoint group leads to, with their weights: those of healthy endpoints, or of all."""
    endpoints = [e for e in group["EndpointDescriptions"] if e["Weight"] and nodes.get(e["EndpointId"])]
    healthy = [e for e in endpoints if e["HealthState"] == "HEALTHY"]
    return [(node.address, e["Weight"]) for e in healthy or endpoints for node in nodes[e["EndpointId"]]]


def _choice(ways: list[tuple[str, int]]) -> str:
    """Nftables' expression for one of several destinations, by weight."""
    entries: list[str] = []
    total = 0
    for destination, weight in ways:
        entries.append(f"{total}-{total + weight - 1} : {destination}" if weight > 1 else f"{total} : {destination}")
        total += weight
    return f"numgen random mod {total} map {{ {', '.join(entries)} }}"


class Edges:
    """What the clients know of accelerators: names, and the kernel's table."""

    def __init__(self, world: World, client: Any) -> None:
        """`client` is boto3's for Global Accelerator."""
        self._world, self._client = world, client
        self._read: list[Accelerator] = []
        self._applied = ""

    async def read(self) -> None:
        """Read the accelerators again."""
        self._read = await asyncio.to_thread(read, self._client)

    def hosts(self) -> str:
        """The lines of a hosts file."""
        return hosts(self._read)

    async def apply(self, nodes: Iterable[Node]) -> None:
        """Let the accelerators lead to these nodes of load balancers from now on."""
        text = ruleset(self._read, nodes)
        if text == self._applied:
            return
        await self._world.run(CLIENTS, ["nft", "-f", "-"], text)
        if "dnat" in text:
            # Without a route the kernel refuses the address before the table is asked.
            route = ["ip", "-n", CLIENTS, "route", "replace", _RANGE, "dev", "lo", "src", CLIENT_ADDRESS]
            await self._world.run(None, route)
        self._applied = text
