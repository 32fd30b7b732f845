"""Security groups as nftables rules of a VPC's router.

Pure. AWS decides outside the machines, at each interface. So does the router here, with its own connection tracking, so
that it does not change what an instance's kernel does. A new connection must pass the rules of the interface that it
leaves and of the one that it enters; packets of known connections pass. A reference to a group means the interfaces
that carry the group, whatever a packet's address: so a target accepts its load balancer's traffic when the client's
address is preserved. https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html

Chains, in a packet's order: forward -> out-LINK (source check, groups' egress) -> arrive -> in-LINK
(groups' ingress). A rule's comment is the security group rule's id; a final drop's comment is the interface's.
"""

from collections.abc import Iterable

from sandbox.network.facts import Facts, Group, Interface, Permission
from sandbox.network.wiring import link_of, mark_of

TABLE = "security-groups"
RETURN_TABLE = "return-paths"


def ruleset(facts: Facts, vpc: str) -> str:
    """The complete table of one VPC's router; it replaces the previous one atomically."""
    here = [i for i in facts.interfaces if i.vpc == vpc]
    used = {group for i in here for group in i.groups}
    groups = [g for g in facts.groups if g.id in used]
    named = {p.group for g in groups for p in (*g.ingress, *g.egress) if p.group} | used
    ranges = dict(facts.prefixes)
    lines = [f"table ip {TABLE} {{"]
    for group in sorted(named):
        lines += _set(f"members-{group}", "ifname", [link_of(i.id) for i in here if group in i.groups])
    for prefixes, blocks in sorted(ranges.items()):
        lines += _set(f"ranges-{prefixes}", "ipv4_addr; flags interval", blocks)
    for group in groups:
        lines += _chain(
            f"ingress-{group.id}", [r for p in group.ingress for r in _rule(p, "accept", "iifname", "saddr")]
        )
        lines += _chain(
            f"egress-{group.id}", [r for p in group.egress for r in _rule(p, "goto arrive", "oifname", "daddr")]
        )
    lines += _chain("arrive", [_map("oifname", "in", here), "accept"])
    for one in here:
        lines += _chain(f"in-{link_of(one.id)}", _entering(one))
        lines += _chain(f"out-{link_of(one.id)}", _leaving(one))
    lines += _chain(
        "forward",
        [
            "type filter hook forward priority filter; policy drop;",
            "ct state established,related accept",
            _map("iifname", "out", here),
            "goto arrive",
        ],
    )
    return "\n".join([f"table ip {TABLE}", f"delete table ip {TABLE}", *lines, "}", ""])


def return_paths(facts: Facts, vpc: str) -> str:
    """The table that returns answers to the load balancer interface that a connection's last packet came from.

    A load balancer that preserves the client's address sends from an address that is not its own. AWS's network still
    returns the answer to it. A client can use a port again with another load balancer while the kernel still remembers
    the first flow, so every packet of a client sets the mark.
    """
    here = [i for i in facts.interfaces if i.vpc == vpc and i.balancer]
    lines = [f"table ip {RETURN_TABLE} {{"]
    marks = [
        f'iifname "{link_of(i.id)}" ct direction original ip saddr != {i.address} ct mark set {mark_of(i)}'
        for i in sorted(here, key=lambda i: i.id)
    ]
    lines += _chain(
        "prerouting",
        [
            "type filter hook prerouting priority mangle; policy accept;",
            *marks,
            "ct direction reply ct mark != 0 meta mark set ct mark",
        ],
    )
    return "\n".join([f"table ip {RETURN_TABLE}", f"delete table ip {RETURN_TABLE}", *lines, "}", ""])


def _entering(interface: Interface) -> list[str]:
    if not interface.groups:
        return ["accept"]
    jumps = [f"jump ingress-{group}" for group in interface.groups]
    return [*jumps, f'counter drop comment "{interface.id} ingress"']


def _leaving(interface: Interface) -> list[str]:
    addresses = ", ".join(interface.addresses)
    check = [f'ip saddr != {{ {addresses} }} counter drop comment "{interface.id} source check"']
    checks = check if interface.checked else []
    if not interface.groups:
        return [*checks, "goto arrive"]
    jumps = [f"jump egress-{group}" for group in interface.groups]
    return [*checks, *jumps, f'counter drop comment "{interface.id} egress"']


def _rule(permission: Permission, verdict: str, link: str, address: str) -> list[str]:
    """The rule of a permission, in a list; an empty list for protocols without IPv4."""
    match = _protocol(permission)
    if match is None:
        return []
    if permission.group:
        whom = f"{link} @members-{permission.group}"
    elif permission.prefixes:
        whom = f"ip {address} @ranges-{permission.prefixes}"
    else:
        whom = f"ip {address} {permission.cidr}"
    return [" ".join(part for part in (whom, match, "counter", verdict, f'comment "{permission.id}"') if part)]


def _protocol(permission: Permission) -> str | None:
    first, last = permission.first, permission.last
    match permission.protocol:
        case "-1":
            return ""
        case "tcp" | "6" | "udp" | "17":
            name = {"6": "tcp", "17": "udp"}.get(permission.protocol, permission.protocol)
            if first is None:
                return f"meta l4proto {name}"
            return f"{name} dport {first}" if first == last else f"{name} dport {first}-{last}"
        case "icmp" | "1":
            return "meta l4proto icmp" if first is None else f"icmp type {first}"
        case "icmpv6" | "58":
            return None
        case number:
            return f"meta l4proto {number}"


def permits(permission: Permission, protocol: str, port: int) -> bool:
    """Whether a rule matches a protocol and a port, regardless of its source."""
    if permission.protocol == "-1":
        return True
    number = {"tcp": "6", "udp": "17"}.get(protocol, protocol)
    if permission.protocol not in (protocol, number):
        return False
    return permission.first is None or permission.last is None or permission.first <= port <= permission.last


def groups_of(facts: Facts, interface: Interface) -> list[Group]:
    """The groups of an interface."""
    return [g for g in facts.groups if g.id in interface.groups]


def _set(name: str, kind: str, elements: Iterable[str]) -> list[str]:
    held = ", ".join(f'"{e}"' if kind == "ifname" else e for e in sorted(elements))
    return [f"set {name} {{ type {kind};", *([f"elements = {{ {held} }}"] if held else []), "}"]


def _chain(name: str, rules: Iterable[str]) -> list[str]:
    return [f"chain {name} {{", *rules, "}"]


def _map(key: str, direction: str, interfaces: Iterable[Interface]) -> str:
    entries = ", ".join(f'"{link_of(i.id)}" : goto {direction}-{link_of(i.id)}' for i in interfaces)
    return f"{key} vmap {{ {entries} }}" if entries else "continue"
