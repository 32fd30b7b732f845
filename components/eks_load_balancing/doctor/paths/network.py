"""Which traffic is allowed: subnets, interfaces and security groups. Pure; it draws no conclusions."""

import ipaddress
from collections.abc import Iterable, Iterator
from functools import cache

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import tags_of

_block = cache(ipaddress.ip_network)


def availability(facts: Facts) -> dict[str, str]:
    """Return the zone of every subnet, by id."""
    return {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in facts.subnets}


def public_subnets(facts: Facts) -> set[str]:
    """Return the subnets with a route to an internet gateway; a subnet without its own table has the main one."""
    tables = facts.route_tables
    own = {a["SubnetId"]: t for t in tables for a in t.get("Associations", []) if a.get("SubnetId")}
    main = next((t for t in tables if any(a.get("Main") for a in t.get("Associations", []))), {"Routes": []})
    return {
        subnet["SubnetId"]
        for subnet in facts.subnets
        if any((r.get("GatewayId") or "").startswith("igw-") for r in own.get(subnet["SubnetId"], main)["Routes"])
    }


def node_interfaces(facts: Facts) -> Iterator[tuple[Object, Object]]:
    """Yield the nodes' instances with each of their interfaces."""
    instances = {instance["InstanceId"]: instance for instance in facts.instances}
    for interface in facts.network_interfaces:
        instance = instances.get((interface.get("Attachment") or {}).get("InstanceId", ""))
        if instance is not None:
            yield instance, interface


def interface_of(facts: Facts, address: str) -> Object | None:
    """Return the interface that has an address, by itself or in a prefix."""
    wanted = ipaddress.ip_address(address)
    for interface in facts.network_interfaces:
        if any(one["PrivateIpAddress"] == address for one in interface.get("PrivateIpAddresses", [])):
            return interface
        prefixes = [p["Ipv4Prefix"] for p in interface.get("Ipv4Prefixes", [])]
        prefixes += [p["Ipv6Prefix"] for p in interface.get("Ipv6Prefixes", [])]
        if any(wanted in _block(prefix) for prefix in prefixes):
            return interface
        if any(one["Ipv6Address"] == address for one in interface.get("Ipv6Addresses", [])):
            return interface
    return None


def groups_of(interface: Object) -> list[str]:
    """Return the security groups of an interface."""
    return [group["GroupId"] for group in interface.get("Groups", [])]


def admitted(
    facts: Facts, groups: Iterable[str], port: int, sources: Iterable[str], protocols: Iterable[str] = ("tcp",)
) -> bool:
    """Return whether one of the security groups allows one of the sources at a port.

    A rule with a prefix list counts as allowing: its entries are not known here.

    Args:
        facts: with the security groups.
        groups: ids of the interface's security groups.
        port: the pod's.
        sources: security groups (`sg-...`) or address ranges of the traffic.
        protocols: one of them is enough.
    """
    wanted, sources = set(groups), list(sources)
    permissions = [p for g in facts.security_groups if g["GroupId"] in wanted for p in g.get("IpPermissions", [])]
    return any(_covers(p, port, protocols) and any(_from(p, source) for source in sources) for p in permissions)


def open_to_somebody(facts: Facts, groups: Iterable[str], port: int, protocols: Iterable[str]) -> bool:
    """Return whether one of the security groups allows anybody at a port; an unknown group counts as open."""
    wanted, protocols = set(groups), list(protocols)
    known = [group for group in facts.security_groups if group["GroupId"] in wanted]
    rules = [rule for group in known for rule in group.get("IpPermissions", [])]
    return len(known) < len(wanted) or any(_covers(rule, port, protocols) for rule in rules)


def backend_groups(facts: Facts) -> set[str]:
    """Return the security groups that the controller created for its load balancers' traffic."""
    return {g["GroupId"] for g in facts.security_groups if tags_of(g).get("elbv2.k8s.aws/resource") == "backend-sg"}


def protocols_of(group: Object) -> tuple[str, ...]:
    """Return the protocols of a target group's traffic."""
    if group.get("Protocol") == "TCP_UDP":
        return ("tcp", "udp")
    return ("udp",) if group.get("Protocol") in ("UDP", "QUIC", "TCP_QUIC") else ("tcp",)


def _covers(permission: Object, port: int, protocols: Iterable[str]) -> bool:
    protocol: str = permission.get("IpProtocol", "")
    return protocol == "-1" or (
        {"6": "tcp", "17": "udp"}.get(protocol, protocol) in protocols
        and permission.get("FromPort", 0) <= port <= permission.get("ToPort", 65535)
    )


def _from(permission: Object, source: str) -> bool:
    if permission.get("PrefixListIds"):
        return True
    if source.startswith("sg-"):
        return any(pair.get("GroupId") == source for pair in permission.get("UserIdGroupPairs", []))
    network = _block(source)
    ranges = [r["CidrIp"] for r in permission.get("IpRanges", [])]
    ranges += [r["CidrIpv6"] for r in permission.get("Ipv6Ranges", [])]
    return any(network.version == allowed.version and network.overlaps(allowed) for allowed in map(_block, ranges))


def where_from(facts: Facts, balancer: Object) -> list[str]:
    """Return the sources of a load balancer's traffic: its security groups, and the ranges of its subnets.

    A rule may name either.
    """
    subnets = {zone["SubnetId"] for zone in balancer.get("AvailabilityZones", [])}
    return [
        *balancer.get("SecurityGroups", []),
        *(block for subnet in facts.subnets if subnet["SubnetId"] in subnets for block in ranges_of(subnet)),
    ]


def ranges_of(subnet: Object) -> list[str]:
    """Return the address ranges of a subnet, IPv4 and IPv6."""
    own = [subnet["CidrBlock"]] if subnet.get("CidrBlock") else []
    return own + [one["Ipv6CidrBlock"] for one in subnet.get("Ipv6CidrBlockAssociationSet") or []]


def in_vpc(facts: Facts, address: str) -> bool:
    """Return whether an address lies in one of the VPC's subnets."""
    return any(_holds(subnet, address) for subnet in facts.subnets)


def zone_of(facts: Facts, target: Object) -> str:
    """Return the zone of a target: the one that AWS names, or that of its subnet."""
    identity: str = target["Id"]
    own = {instance["InstanceId"]: instance.get("SubnetId") for instance in facts.instances}
    zones = [
        subnet["AvailabilityZone"]
        for subnet in facts.subnets
        if (own.get(identity) == subnet["SubnetId"] if identity.startswith("i-") else _holds(subnet, identity))
    ]
    return target.get("AvailabilityZone") or (zones or ["another network"])[0]


def _holds(subnet: Object, address: str) -> bool:
    return any(ipaddress.ip_address(address) in _block(block) for block in ranges_of(subnet))
