"""Given addresses of a network load balancer: elastic, private IPv4 and IPv6 ones, each to its subnet."""

import ipaddress
from collections.abc import Sequence

from sandbox.controller.annotations import Reader
from sandbox.controller.model.stack import Json, ModelError


def subnet_mappings(reader: Reader, scheme: str, ip_type: str, subnets: Sequence[Json]) -> list[Json]:
    """The subnets as SubnetMappings, with the addresses that a Service's annotations give.

    Raises:
        ModelError: addresses that do not fit scheme, subnets or one another.
    """
    return with_addresses(
        scheme,
        ip_type,
        subnets,
        elastic=reader.strings("aws-load-balancer-eip-allocations"),
        private=reader.strings("aws-load-balancer-private-ipv4-addresses"),
        v6=reader.strings("aws-load-balancer-ipv6-addresses"),
    )


def with_addresses(
    scheme: str,
    ip_type: str,
    subnets: Sequence[Json],
    *,
    elastic: Sequence[str] | None,
    private: Sequence[str] | None,
    v6: Sequence[str] | None,
) -> list[Json]:
    """The subnets as SubnetMappings, with addresses: one of a kind for each subnet, or None.

    Raises:
        ModelError: addresses that do not fit scheme, subnets or one another.
    """
    mappings: list[Json] = [{"SubnetId": subnet["SubnetId"]} for subnet in subnets]
    if elastic is not None:
        if scheme != "internet-facing":
            raise ModelError("EIP allocations can only be set for internet facing load balancers")
        _counted("EIP allocations", elastic, subnets)
        for mapping, allocation in zip(mappings, elastic, strict=True):
            mapping["AllocationId"] = allocation
    if private is not None:
        if scheme != "internal":
            raise ModelError("private IPv4 addresses can only be set for internal load balancers")
        _placed("private IPv4", private, subnets, mappings, "PrivateIPv4Address")
    if v6 is not None:
        if ip_type != "dualstack":
            raise ModelError("IPv6 addresses can only be set for dualstack load balancers")
        _placed("IPv6", v6, subnets, mappings, "IPv6Address")
    return mappings


def cidrs(subnet: Json, family: str) -> list[str]:
    """A subnet's CIDRs of a family (ipv4, ipv6)."""
    if family == "ipv4":
        return [subnet["CidrBlock"]]
    return [block["Ipv6CidrBlock"] for block in subnet.get("Ipv6CidrBlockAssociationSet") or []]


def _counted(what: str, given: Sequence[str], subnets: Sequence[Json]) -> None:
    if len(given) != len(subnets):
        raise ModelError(f"count of {what} ({len(given)}) and subnets ({len(subnets)}) must match")


def _placed(what: str, given: Sequence[str], subnets: Sequence[Json], mappings: list[Json], field: str) -> None:
    _counted(f"{what} addresses", given, subnets)
    version = 6 if field.startswith("IPv6") else 4
    addresses = [_address(what, one, version) for one in given]
    for subnet, mapping in zip(subnets, mappings, strict=True):
        networks = [ipaddress.ip_network(c) for c in cidrs(subnet, f"ipv{version}")]
        inside = [a for a in addresses if any(a in network for network in networks)]
        if len(inside) != 1:
            raise ModelError(f"expect one {what} address configured for subnet: {subnet['SubnetId']}")
        mapping[field] = str(inside[0])


def _address(what: str, text: str, version: int) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise ModelError(f"{what} addresses must be valid IP address: {text}") from error
    if address.version != version:
        raise ModelError(f"{what} addresses must be valid IPv{version} address: {text}")
    return address
