"""The arithmetic of a VPC's subnets. Nothing here knows AWS resources."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from eks_load_balancing.errors import InvalidInputError

# A VPC holds at most a /16, and a load balancer wants subnets of at least a /27: a public subnet is a sixteenth of
# the range. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
WIDEST = 16
NARROWEST = 23
FEWEST_ZONES = 2
MOST_ZONES = 3

_ZONE = re.compile(r"(?P<region>[a-z]+(-[a-z]+)+-\d+)[a-z]")


@dataclass(frozen=True)
class ZoneSubnets:
    """The two subnets of one zone, as CIDR blocks."""

    zone: str
    public: str
    private: str


def plan_subnets(cidr: str, zones: Sequence[str]) -> list[ZoneSubnets]:
    """Cut a VPC's range into one private and one public subnet a zone.

    The range falls into quarters. The first three are private subnets, where pods take their addresses; the last is
    cut into four public ones. So a third zone can be added later and no subnet of the first two moves.

    Args:
        cidr: the VPC's range, such as `10.0.0.0/16`; between /16 and /23.
        zones: two or three availability zones of one region, such as `us-west-2a`.

    Raises:
        InvalidInputError: for a range or zones that cannot work, with what to give instead.
    """
    network = _network(cidr)
    _check_zones(zones)
    private = list(network.subnets(prefixlen_diff=2))
    public = list(private.pop().subnets(prefixlen_diff=2))
    return [ZoneSubnets(zone, str(public[i]), str(private[i])) for i, zone in enumerate(zones)]


def region_of(zone: str) -> str:
    """Return the region of an availability zone.

    Raises:
        InvalidInputError: if it is not the name of an availability zone.
    """
    match = _ZONE.fullmatch(zone)
    if not match:
        raise InvalidInputError(
            f"zone {zone!r} is not an availability zone: give names such as us-west-2a", key="zones"
        )
    return match["region"]


def _network(cidr: str) -> IPv4Network:
    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        raise InvalidInputError(
            f"cidr {cidr!r} is not an IPv4 range ({error}): give one such as 10.0.0.0/16", key="cidr"
        ) from None
    if not WIDEST <= network.prefixlen <= NARROWEST:
        fault = "too small for its subnets" if network.prefixlen > NARROWEST else "larger than a VPC can be"
        raise InvalidInputError(
            f"cidr {cidr!r} is {fault}: give a range between /{WIDEST} and /{NARROWEST}", key="cidr"
        )
    return network


def _check_zones(zones: Sequence[str]) -> None:
    given = ", ".join(zones) or "none"
    if not FEWEST_ZONES <= len(zones) <= MOST_ZONES:
        raise InvalidInputError(
            f"zones {given}: EKS and the load balancers want two zones or three: give names such as"
            " us-west-2a and us-west-2b",
            key="zones",
        )
    if len(set(zones)) < len(zones):
        raise InvalidInputError(f"zones {given}: a zone is named twice: give each once", key="zones")
    if len({region_of(zone) for zone in zones}) > 1:
        raise InvalidInputError(f"zones {given}: they are in different regions: give zones of one region", key="zones")
