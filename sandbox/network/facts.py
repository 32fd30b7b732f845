"""EC2's networks as plain values: subnets, interfaces, security groups.

`read` asks EC2; everything else is data. It keeps only what affects packets.
"""

import ipaddress
from dataclasses import dataclass
from typing import Any

from sandbox.run.pages import everything


@dataclass(frozen=True)
class Interface:
    """A network interface: of an instance, or of a load balancer in one subnet."""

    id: str
    vpc: str
    gateway: str
    """The address of its subnet's router."""
    address: str
    others: tuple[str, ...] = ()
    """Secondary addresses: those of pods."""
    groups: tuple[str, ...] = ()
    instance: str = ""
    """The instance that it is the primary interface of; empty for a load balancer's."""
    balancer: str = ""
    """AWS's name of the load balancer: `app/NAME/ID`, `net/NAME/ID`, or a Classic ELB's name."""
    checked: bool = True
    """Whether it can send only from its own addresses (the source/destination check)."""

    @property
    def namespace(self) -> str:
        """The namespace that it is in."""
        return self.instance or self.id

    @property
    def addresses(self) -> tuple[str, ...]:
        """All its addresses, the primary one first."""
        return (self.address, *self.others)


@dataclass(frozen=True)
class Permission:
    """One rule of a security group: what it allows, and from (or to) whom."""

    protocol: str
    """`tcp`, `udp`, `icmp`, a number, or `-1` for all."""
    first: int | None = None
    last: int | None = None
    """Ports; for ICMP the type and the code. None: all."""
    cidr: str = ""
    group: str = ""
    prefixes: str = ""
    """A prefix list's id. One of `cidr`, `group` and `prefixes` is given."""
    id: str = ""
    """The rule's own, `sgr-…`."""


@dataclass(frozen=True)
class Group:
    """A security group."""

    id: str
    name: str
    vpc: str
    ingress: tuple[Permission, ...] = ()
    egress: tuple[Permission, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All of EC2's networks."""

    interfaces: tuple[Interface, ...] = ()
    groups: tuple[Group, ...] = ()
    prefixes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Prefix lists: id and ranges."""
    vpcs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """VPCs: id and ranges."""

    def interface(self, address: str) -> Interface | None:
        """The interface that has an address."""
        return next((i for i in self.interfaces if address in i.addresses), None)


def gateway(cidr: str) -> str:
    """The address of a subnet's router: its first.

    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    return str(ipaddress.IPv4Network(cidr)[1])


def interface(data: dict[str, Any], gateways: dict[str, str]) -> Interface | None:
    """An entry of DescribeNetworkInterfaces; None if it carries no traffic here (NAT gateways, spare interfaces).

    Args:
        data: the entry.
        gateways: subnet -> its router's address.
    """
    attachment = data.get("Attachment") or {}
    instance = attachment.get("InstanceId") or ""
    description: str = data.get("Description") or ""
    balancer = description.removeprefix("ELB ") if description.startswith("ELB ") else ""
    primary = instance and attachment.get("DeviceIndex", 0) == 0
    if not (primary or balancer):
        return None
    address = data["PrivateIpAddress"]
    others = [a["PrivateIpAddress"] for a in data.get("PrivateIpAddresses") or [] if a["PrivateIpAddress"] != address]
    return Interface(
        id=data["NetworkInterfaceId"],
        vpc=data["VpcId"],
        gateway=gateways[data["SubnetId"]],
        address=address,
        others=tuple(sorted(others)),
        groups=tuple(sorted(g["GroupId"] for g in data.get("Groups") or [])),
        instance=instance,
        balancer=balancer,
        checked=bool(instance) and bool(data.get("SourceDestCheck", True)),
    )


def permissions(rules: list[dict[str, Any]], group: str, *, egress: bool) -> tuple[Permission, ...]:
    """A group's rules in one direction, from the output of DescribeSecurityGroupRules. IPv4 only."""
    found: list[Permission] = []
    for rule in rules:
        if rule["GroupId"] != group or rule["IsEgress"] != egress or rule.get("CidrIpv6"):
            continue
        first, last = rule.get("FromPort"), rule.get("ToPort")
        found.append(
            Permission(
                protocol=str(rule["IpProtocol"]),
                first=None if first in (None, -1) else first,
                last=None if last in (None, -1) else last,
                cidr=rule.get("CidrIpv4") or "",
                group=(rule.get("ReferencedGroupInfo") or {}).get("GroupId") or "",
                prefixes=rule.get("PrefixListId") or "",
                id=rule.get("SecurityGroupRuleId") or "",
            )
        )
    return tuple(sorted(found, key=lambda p: p.id))


def read(ec2: Any) -> Facts:
    """Read everything from EC2 (a boto3 client); blocking.

    Interfaces first: what they need cannot be deleted before them. If a later answer lacks it, they are gone too.
    """
    listed = everything(ec2, "describe_network_interfaces", "NetworkInterfaces")
    gateways = {s["SubnetId"]: gateway(s["CidrBlock"]) for s in ec2.describe_subnets()["Subnets"]}
    rules = everything(ec2, "describe_security_group_rules", "SecurityGroupRules")
    groups = everything(ec2, "describe_security_groups", "SecurityGroups")
    lists = {rule["PrefixListId"] for rule in rules if rule.get("PrefixListId")}
    known = {g["GroupId"] for g in groups}
    made = [
        interface(data, gateways)
        for data in listed
        if data["SubnetId"] in gateways and known.issuperset(g["GroupId"] for g in data.get("Groups") or [])
    ]
    return Facts(
        interfaces=tuple(sorted((i for i in made if i), key=lambda i: i.id)),
        groups=tuple(
            Group(
                g["GroupId"],
                g["GroupName"],
                g.get("VpcId", ""),
                permissions(rules, g["GroupId"], egress=False),
                permissions(rules, g["GroupId"], egress=True),
            )
            for g in sorted(groups, key=lambda g: g["GroupId"])
        ),
        prefixes=tuple((name, _ranges(ec2, name)) for name in sorted(lists)),
        vpcs=tuple(sorted((v["VpcId"], _blocks(v)) for v in ec2.describe_vpcs()["Vpcs"])),
    )


def _blocks(vpc: dict[str, Any]) -> tuple[str, ...]:
    associated = [a["CidrBlock"] for a in vpc.get("CidrBlockAssociationSet") or []]
    return tuple(sorted({vpc["CidrBlock"], *associated}))


def _ranges(ec2: Any, prefix_list: str) -> tuple[str, ...]:
    entries = everything(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=prefix_list)
    return tuple(sorted(entry["Cidr"] for entry in entries if ":" not in entry["Cidr"]))
