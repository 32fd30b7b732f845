"""Networks, as rules weigh them."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, Final

from pack.registry import number
from pack.values import known

WIDEST: Final[dict[str, Any]] = {
    "min_prefix_length": number(8, "an IPv4 network wider than this many bits of prefix counts as the world"),
    "min_prefix_length_ipv6": number(16, "an IPv6 network wider than this many bits of prefix counts as the world"),
}
"""The settings of every rule that asks `is_world`."""


def is_world(cidr: Any, *, min_prefix_length: float, min_prefix_length_ipv6: float) -> bool:
    """Say whether a network is so wide that it excludes nobody. AWS refuses what is not a network."""
    network = _network(cidr)
    widest = min_prefix_length if isinstance(network, IPv4Network) else min_prefix_length_ipv6
    return network is not None and network.prefixlen < widest


def together(cidrs: Iterable[Any]) -> list[IPv4Network | IPv6Network]:
    """Merge networks: two halves of the world are the world."""
    networks = [network for cidr in known(cidrs) if (network := _network(cidr)) is not None]
    v4 = [network for network in networks if isinstance(network, IPv4Network)]
    v6 = [network for network in networks if isinstance(network, IPv6Network)]
    return [*collapse_addresses(v4), *collapse_addresses(v6)]


def _network(cidr: Any) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(str(cidr).strip(), strict=False)
    except ValueError:
        return None
