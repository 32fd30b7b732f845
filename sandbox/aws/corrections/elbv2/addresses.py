"""Addresses of load balancers: IPv4 and IPv6, fixed ones, prefixes for source NAT, and the pools they come from.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SubnetMapping.html
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from moto.elbv2.models import ELBv2Backend

from sandbox.aws.corrections.addresses import taken
from sandbox.aws.corrections.ipam import check_pool
from sandbox.aws.refusal import Refusal

AUTOMATIC = "auto_assigned"
SOURCE_NAT = "EnablePrefixForIpv6SourceNat"
_PREFIX = 80
"""The length of a prefix for source NAT."""
Mappings = Mapping[str, Mapping[str, str]]


def invalid(text: str) -> Refusal:
    """An invalid configuration."""
    return Refusal("InvalidConfigurationRequest", text)


def check_address_type(kind: str, scheme: str, wanted: str, subnets: list[Any]) -> None:
    """Raise unless a load balancer in `subnets` can have addresses of that type."""
    if wanted == "ipv4":
        return
    without = wanted == "dualstack-without-public-ipv4"
    if without and kind != "application":
        raise invalid(f"The specified IP address type is not supported on load balancers with type '{kind}'.")
    if without and scheme == "internal":
        raise invalid(f"The IP address type '{wanted}' is supported only on internet-facing load balancers")
    if any(not ipv6_networks(subnet) for subnet in subnets):
        raise Refusal("ValidationError", "You must specify subnets with an associated IPv6 CIDR block")


def ipv6_networks(subnet: Any) -> list[ipaddress.IPv6Network]:
    """A subnet's IPv6 blocks."""
    return [
        ipaddress.IPv6Network(one["ipv6CidrBlock"])
        for one in subnet.ipv6_cidr_block_associations.values()
        if one["ipv6CidrBlockState"]["State"] == "associated"
    ]


def check_source_nat(kind: str, addresses: str, wanted: str | None) -> str | None:
    """Whether IPv6 prefixes are used for source NAT, `on` or `off`; None if the load balancer does not support it."""
    if kind != "network":
        if wanted:
            raise invalid(f"EnablePrefixForIpv6SourceNat is not supported on load balancers with type '{kind}'")
        return None
    if wanted == "on" and addresses != "dualstack":
        raise invalid("'EnablePrefixForIpv6SourceNat' can only be specified when using IpAddressType 'dualstack'.")
    return wanted or "off"


def check_mappings(self: ELBv2Backend, settings: Mapping[str, Any], mappings: Mappings) -> None:
    """Raise unless every subnet supports what its mapping asks for, for a load balancer with these settings."""
    kind, scheme, addresses = settings["type"], settings["scheme"], settings["ip_address_type"]
    for subnet_id, mapping in mappings.items():
        subnet: Any = self.ec2_backend.get_subnet(subnet_id)
        fixed = [key for key in mapping if key != "SubnetId"]
        if fixed and kind != "network":
            raise invalid(f"{fixed[0]} is not supported on load balancers with type '{kind}'")
        if "AllocationId" in mapping:
            _check_allocation(self, scheme, mapping["AllocationId"])
        if "PrivateIPv4Address" in mapping:
            _check_private(subnet, scheme, mapping["PrivateIPv4Address"])
        if "IPv6Address" in mapping:
            if addresses != "dualstack":
                raise invalid("An IPv6 address can be specified only if the IP address type is dualstack")
            if not _within(ipv6_networks(subnet), mapping["IPv6Address"]):
                raise invalid(f"The address '{mapping['IPv6Address']}' is not in subnet '{subnet_id}'")
        if "SourceNatIpv6Prefix" in mapping:
            _check_prefix(subnet, settings[SOURCE_NAT], mapping["SourceNatIpv6Prefix"])


def _check_allocation(self: ELBv2Backend, scheme: str, allocation: str) -> None:
    if scheme == "internal":
        raise invalid("Elastic IP addresses can be specified only for internet-facing load balancers")
    ec2: Any = self.ec2_backend
    found = next((a for a in ec2.addresses if a.allocation_id == allocation), None)
    if found is None:
        raise Refusal("AllocationIdNotFound", f"The allocation ID '{allocation}' does not exist")
    if found.eni is not None:
        raise invalid("The allocation IDs are not available for use")


def _check_private(subnet: Any, scheme: str, address: str) -> None:
    if scheme != "internal":
        raise invalid("You can only specify private IPv4 addresses for Network Load Balancers with scheme 'internal'.")
    if not _within([subnet.cidr], address):
        raise invalid(f"The address '{address}' is not in subnet '{subnet.id}'")
    if address in taken(subnet):
        raise invalid(f"The address '{address}' is in use")


def _check_prefix(subnet: Any, source_nat: str | None, prefix: str) -> None:
    if source_nat != "on":
        raise invalid("A source NAT prefix can be specified only if EnablePrefixForIpv6SourceNat is on")
    if prefix == AUTOMATIC:
        return
    try:
        network = ipaddress.IPv6Network(prefix)
    except ValueError:
        network = None
    if not network or network.prefixlen != _PREFIX or not any(network.subnet_of(n) for n in ipv6_networks(subnet)):
        raise invalid(f"The source NAT prefix '{prefix}' must be a /{_PREFIX} of subnet '{subnet.id}'")


def _within(networks: list[Any], text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks)


def check_pools(self: ELBv2Backend, kind: str, scheme: str, pools: Mapping[str, str] | None) -> dict[str, str] | None:
    """The IPAM pools of a load balancer, if it supports them and they exist."""
    if not pools:
        return None
    if kind != "application" or scheme != "internet-facing":
        raise invalid("IPAM pools are supported only on internet-facing Application Load Balancers")
    if "Ipv4IpamPoolId" in pools:
        check_pool(self.ec2_backend, pools["Ipv4IpamPoolId"])
    return dict(pools)


def check_customer_pool(pool: str | None) -> None:
    """Raise if the request names a customer-owned pool: there is no Outpost."""
    if pool:
        raise invalid(f"The customer-owned IPv4 pool '{pool}' can be used only in subnets of its Outpost")
