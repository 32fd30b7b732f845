"""Addresses of a subnet: new interfaces get a free one, and released addresses can be used again.

moto picks an interface's address at random, even if AWS reserves it or it is in use. Here addresses are taken in order
around the subnet, so an address that was just released is reused last.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html
"""

import ipaddress
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_RESERVED_FIRST = 4
"""Network, router, DNS and one for the future; and the last: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html"""


def install() -> None:
    """Install the corrections."""
    replace(Subnet, "get_available_subnet_ip", lambda subnet, instance: free(subnet, 1)[0])  # noqa: ARG005 - moto names it
    replace(Subnet, "request_ip", lambda subnet, ip, instance: check_free(subnet, [ip]))  # noqa: ARG005 - moto names it
    replace(Subnet, "del_subnet_ip", lambda subnet, ip: None)  # noqa: ARG005 - what no interface holds is free
    replace(Subnet, "ipv6_cidr_block_association_set", property(ipv6_blocks))
    create = NetworkInterfaceBackend.create_network_interface

    def create_network_interface(self: Any, subnet: Any, private_ip_address: Any, *given: Any, **more: Any) -> Any:
        where = self.get_subnet(subnet) if isinstance(subnet, str) else subnet
        several = given[0] if given else more.get("private_ip_addresses")
        wanted = [*([private_ip_address] if isinstance(private_ip_address, str) else private_ip_address or [])]
        wanted += [a["PrivateIpAddress"] for a in several or [] if a["PrivateIpAddress"] not in wanted]
        check_free(where, wanted)
        count = int(more.pop("secondary_ips_count", None) or 0)
        first = private_ip_address if wanted else free(where, 1)[0]
        interface = create(self, where, first, *given, **more)
        assign(interface, free(where, count))
        return interface

    replace(NetworkInterfaceBackend, "create_network_interface", create_network_interface)
    replace(ElasticNetworkInterfaces, "assign_private_ip_addresses", assign_private_ip_addresses)
    replace(NetworkInterfaceBackend, "unassign_private_ip_addresses", unassign_private_ip_addresses)


def ipv6_blocks(subnet: Any) -> list[dict[str, Any]]:
    """The IPv6 blocks of a subnet; moto returns their state as text that no client can parse."""
    held = subnet.ipv6_cidr_block_associations.values()
    return [one for one in held if one["ipv6CidrBlockState"]["State"] == "associated"]


def assign_private_ip_addresses(self: ElasticNetworkInterfaces) -> ActionResult:
    """AssignPrivateIpAddresses: the given addresses, or a number of free ones; the answer names only the new ones."""
    interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
    held = {a["PrivateIpAddress"] for a in interface.private_ip_addresses}
    given = [a for a in self._get_param("PrivateIpAddresses", []) if a not in held]
    if self._get_param("AllowReassignment"):
        take_over(interface, given)
    check_free(interface.subnet, given)
    new = given or free(interface.subnet, self._get_int_param("SecondaryPrivateIpAddressCount", 0))
    assign(interface, new)
    answer = [{"PrivateIpAddress": address} for address in new]
    return ActionResult({"NetworkInterfaceId": interface.id, "AssignedPrivateIpAddresses": answer})


def unassign_private_ip_addresses(self: Any, eni_id: str, private_ip_address: list[str] | None = None) -> Any:
    """UnassignPrivateIpAddresses: all must be secondary addresses of this interface; otherwise none is removed."""
    interface = self.get_network_interface(eni_id)
    secondary = {a["PrivateIpAddress"] for a in interface.private_ip_addresses if not a.get("Primary")}
    wanted = set(private_ip_address or [])
    if not wanted <= secondary:
        raise Refusal(
            "InvalidParameterValue", f"Some of the specified addresses are not assigned to interface {eni_id}"
        )
    interface.private_ip_addresses = [a for a in interface.private_ip_addresses if a["PrivateIpAddress"] not in wanted]
    return interface


def assign(interface: Any, addresses: list[str]) -> None:
    """Give an interface secondary addresses."""
    interface.private_ip_addresses.extend({"Primary": False, "PrivateIpAddress": a} for a in addresses)


def take_over(interface: Any, addresses: list[str]) -> None:
    """Remove the addresses from the other interfaces of the subnet that have them as secondary ones."""
    for other in in_subnet(interface.subnet):
        other.private_ip_addresses = [
            a for a in other.private_ip_addresses if a.get("Primary") or a["PrivateIpAddress"] not in addresses
        ]


def in_subnet(subnet: Any) -> list[Any]:
    """The interfaces of a subnet."""
    return [i for i in subnet.ec2_backend.enis.values() if i.subnet.id == subnet.id]


def taken(subnet: Any) -> set[str]:
    """All addresses of a subnet that interfaces use."""
    return {a["PrivateIpAddress"] for i in in_subnet(subnet) for a in i.private_ip_addresses}


def check_free(subnet: Any, addresses: list[str]) -> None:
    """Raise unless all `addresses` are in the subnet and free."""
    used = taken(subnet) if addresses else set[str]()
    for address in addresses:
        if not usable(subnet.cidr, ipaddress.ip_address(address)):
            raise Refusal("InvalidParameterValue", f"Address {address} does not fall within the subnet's address range")
        if address in used:
            raise Refusal("InvalidIPAddress.InUse", f"Address {address} is in use.")


def usable(network: Any, address: Any) -> bool:
    """Whether AWS lets customers use an address of `network`. Pure."""
    place = int(address) - int(network.network_address)
    return _RESERVED_FIRST <= place < network.num_addresses - 1


def free(subnet: Any, count: int) -> list[str]:
    """`count` free addresses, starting after the last one that was given out.

    Raises:
        Refusal: the subnet does not have that many.
    """
    used = taken(subnet) | {str(address) for address in subnet._reserved_ips}
    begin, places = getattr(subnet, "next_place", _RESERVED_FIRST), subnet.cidr.num_addresses - 1 - _RESERVED_FIRST
    found: list[str] = []
    for step in range(places):
        if len(found) == count:
            break
        place = _RESERVED_FIRST + (begin - _RESERVED_FIRST + step) % places
        address = str(subnet.cidr.network_address + place)
        if address not in used:
            found.append(address)
            subnet.next_place = place + 1
    if len(found) < count:
        raise Refusal(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the requested number of {count}.",
        )
    return found
