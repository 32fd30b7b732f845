"""The wanted namespaces, links and routes, and the commands from one such network to the next.

Pure. A subnet is not a bridge. As in a VPC, every interface has its own link to the router, which has the subnet's
first address and knows where each address is. In the same way a node is wired to its pods, as the VPC CNI does it: a
link and a route to one address each, no overlay, no translation.
https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sandbox.network.facts import Facts, Interface
from sandbox.network.world import CLIENTS

CLIENT_ADDRESS = "192.0.2.10"
"""From the range reserved for documentation: in no VPC. https://datatracker.ietf.org/doc/html/rfc5737"""
_CLIENT_GATEWAY = "192.0.2.1"
_POD_GATEWAY = "169.254.1.1"
"""The gateway that the VPC CNI gives every pod."""
_LONGEST = 14
"""Characters of a link's name that we can choose: IFNAMSIZ allows 15."""


@dataclass(frozen=True)
class Cable:
    """A pair of links between a router (a VPC's, or a node) and a guest."""

    router: str
    link: str
    """The router's end."""
    guest: str
    address: str
    gateway: str
    others: frozenset[str] = frozenset()
    """Addresses that the router sends to the guest, which forwards them: a node's pods."""
    end: str = "eth0"
    """The guest's end."""
    reaches: tuple[str, ...] = ("default",)
    """The addresses that the guest sends to its gateway."""


@dataclass(frozen=True)
class Return:
    """A load balancer's link: answers to its packets with other source addresses return to it."""

    router: str
    link: str
    mark: int
    """The router's mark for such connections."""


@dataclass(frozen=True)
class Pod:
    """A pod that needs a namespace."""

    uid: str
    namespace: str
    name: str
    node: str
    """The instance."""
    address: str

    @property
    def place(self) -> str:
        """The name of its network namespace."""
        return f"pod-{self.uid}"


@dataclass(frozen=True)
class Wiring:
    """A whole network."""

    gateways: frozenset[tuple[str, str]] = frozenset()
    """Routers and the addresses that they answer to."""
    cables: frozenset[Cable] = frozenset()
    returns: frozenset[Return] = frozenset()

    @property
    def namespaces(self) -> set[str]:
        """Every namespace that it needs."""
        return {r for r, _ in self.gateways} | {end for c in self.cables for end in (c.router, c.guest)}


def link_of(interface: str) -> str:
    """The name of the router's link to an interface: `e`, and the id's last digits."""
    return f"e{interface.rpartition('-')[2][-_LONGEST + 1 :]}"


def pod_link(namespace: str, name: str) -> str:
    """The name of a node's link to a pod, as the VPC CNI makes it."""
    return f"eni{hashlib.sha1(f'{namespace}.{name}'.encode()).hexdigest()[:11]}"  # noqa: S324 - a name, no secret


def hardware(link: str) -> str:
    """The hardware address of a router's end. It can be computed, so a guest needs no ARP for its gateway."""
    digest = hashlib.sha256(link.encode()).hexdigest()
    return ":".join(["02", *(digest[i : i + 2] for i in range(0, 10, 2))])


def mark_of(interface: Interface) -> int:
    """The mark of connections from a load balancer's interface; also the number of its routing table."""
    return 0x10000 + int(interface.id[-5:], 16)


def wanted(facts: Facts, pods: Iterable[Pod]) -> Wiring:
    """The network of an account's interfaces and of pods; pods on missing nodes are left out.

    Like a peered network, the clients have a link to every VPC that has interfaces. If two VPCs have the same
    addresses, the clients reach only one.
    """
    used = {i.vpc for i in facts.interfaces}
    nodes = {i.instance for i in facts.interfaces if i.instance}
    to_interfaces = {
        Cable(
            i.vpc, link_of(i.id), i.namespace, i.address, i.gateway, frozenset(i.others) if i.instance else frozenset()
        )
        for i in facts.interfaces
    }
    to_pods = {
        Cable(pod.node, pod_link(pod.namespace, pod.name), pod.place, pod.address, _POD_GATEWAY)
        for pod in pods
        if pod.node in nodes
    }
    to_clients = {
        Cable(vpc, CLIENTS, CLIENTS, CLIENT_ADDRESS, _CLIENT_GATEWAY, end=link_of(vpc), reaches=ranges)
        for vpc, ranges in facts.vpcs
        if vpc in used
    }
    return Wiring(
        gateways=frozenset((i.vpc, i.gateway) for i in facts.interfaces)
        | frozenset((vpc, _CLIENT_GATEWAY) for vpc in used),
        cables=frozenset(to_interfaces | to_pods | to_clients),
        returns=frozenset(Return(i.vpc, link_of(i.id), mark_of(i)) for i in facts.interfaces if i.balancer),
    )


@dataclass
class Plan:
    """The steps from one network to another, in this order."""

    unplugged: dict[str, list[str]]
    """Namespace -> commands of `ip -batch` that remove things; a failing command had nothing to remove."""
    plugged: dict[str, list[str]]
    """Namespace -> commands of `ip -batch` that add, routers' links before their guests' ends."""

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.unplugged or self.plugged)


def plan(before: Wiring, after: Wiring) -> Plan:
    """The commands from the network `before` to the network `after`; the caller creates and removes namespaces."""
    made = Plan({}, {})
    old, new = ({_bare(c): c for c in w.cables} for w in (before, after))
    for bare in sorted(old.keys() - new.keys(), key=_order):
        made.unplugged.setdefault(bare.router, []).append(f"link delete dev {bare.link}")
    for gone in sorted(before.returns - after.returns, key=lambda r: r.link):
        lines = made.unplugged.setdefault(gone.router, [])
        lines += [f"rule delete fwmark {gone.mark} lookup {gone.mark}", f"route flush table {gone.mark}"]
    _addresses(made.unplugged, "delete", before.gateways - after.gateways)
    _addresses(made.plugged, "add", after.gateways - before.gateways)
    for bare in sorted(new.keys() - old.keys(), key=_order):
        made.plugged.setdefault(bare.router, []).extend(_at_router(bare))
    for bare in sorted(new.keys() - old.keys(), key=_order):
        made.plugged.setdefault(bare.guest, []).extend(_at_guest(bare))
    for bare, cable in sorted(new.items(), key=lambda item: _order(item[0])):
        held = old[bare].others if bare in old else frozenset[str]()
        for address in sorted(held - cable.others):
            made.unplugged.setdefault(cable.router, []).append(f"route delete {address}/32 dev {cable.link}")
        for address in sorted(cable.others - held):
            route = f"route replace {address}/32 via {cable.address} dev {cable.link} onlink"
            made.plugged.setdefault(cable.router, []).append(route)
    for come in sorted(after.returns - before.returns, key=lambda r: r.link):
        lines = made.plugged.setdefault(come.router, [])
        cable = next(c for c in after.cables if (c.router, c.link) == (come.router, come.link))
        lines.append(f"route add default via {cable.address} dev {come.link} onlink table {come.mark}")
        lines.append(f"rule add fwmark {come.mark} lookup {come.mark}")
    return made


def _addresses(commands: dict[str, list[str]], verb: str, gateways: Iterable[tuple[str, str]]) -> None:
    for router, address in sorted(gateways):
        commands.setdefault(router, []).append(f"address {verb} {address}/32 dev lo")


def _bare(cable: Cable) -> Cable:
    return replace(cable, others=frozenset())


def _order(cable: Cable) -> tuple[bool, str, str]:
    """VPCs' cables before nodes': a node has its eth0 before its pods."""
    return (cable.guest.startswith("pod-"), cable.router, cable.link)


def _at_router(cable: Cable) -> list[str]:
    peer = f"peer name {cable.end} netns {cable.guest}"
    return [
        f"link add name {cable.link} address {hardware(cable.link)} type veth {peer}",
        f"link set dev {cable.link} up",
        f"route replace {cable.address}/32 dev {cable.link}",
    ]


def _at_guest(cable: Cable) -> list[str]:
    end, gateway = cable.end, cable.gateway
    return [
        f"address add {cable.address}/32 dev {end}",
        f"link set dev {end} up",
        f"neighbour add {gateway} lladdr {hardware(cable.link)} dev {end} nud permanent",
        *(f"route replace {there} via {gateway} dev {end} onlink" for there in cable.reaches),
    ]
