"""The rules that a request adds to a security group or removes: what is wrong with them, and AWS's form. Pure.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

Permission = dict[str, Any]
_SINGLE = ("IpProtocol", "FromPort", "ToPort")
_RANGES = (("IpRanges", "CidrIp", 4), ("Ipv6Ranges", "CidrIpv6", 6))
_SOURCES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_PORTS, _HIGHEST = {"tcp", "udp"}, 65535
_PROTOCOLS = 255
_TEXT = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
"""The descriptions of groups and of rules, and names."""


def unfit(what: str) -> str:
    """AWS's text about a description, of a `rule` or of a `security group`, that is not one."""
    return (
        f"Invalid {what} description. Valid descriptions are strings less than 256 characters from the following set:"
        f" {_TEXT}"
    )


def listed(params: dict[str, Any]) -> list[Permission]:
    """The permissions of a request, in AWS's form, also if the request has a single one as plain parameters."""
    if "IpProtocol" in params:
        single = {key: params[key] for key in _SINGLE if key in params}
        ranges = [{"CidrIp": params["CidrIp"]}] if "CidrIp" in params else []
        return [canonical({**single, "IpRanges": ranges})]
    return [canonical(one) for one in params.get("IpPermissions") or []]


def canonical(permission: Permission) -> Permission:
    """A permission as AWS returns it: the protocol by its name, CIDR blocks without host bits."""
    protocol = str(permission.get("IpProtocol", "")).lower()
    found = {**permission, "IpProtocol": _NAMES.get(protocol, protocol)}
    for key, cidr, version in _RANGES:
        found[key] = [{**one, cidr: _block(one.get(cidr, ""), version)} for one in permission.get(key) or []]
    return found


def _block(text: str, version: int) -> str:
    """The block without host bits; the text itself if it is none."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text
    return str(network) if network.version == version and "/" in text else text


def faults(permissions: list[Permission]) -> Iterator[tuple[str, str]]:
    """AWS's code and text for whatever is wrong with permissions."""
    if not permissions:
        yield "MissingParameter", "The request must contain the parameter ipPermissions"
    for permission in permissions:
        yield from (("InvalidParameterValue", text) for text in (*_of_ports(permission), *_of_sources(permission)))
        if not any(permission.get(key) for key in _SOURCES):
            yield "MissingParameter", "The request must contain a source: addresses, a prefix list or a security group"
    if any(count > 1 for count in Counter(key for one in permissions for key in keys(one)).values()):
        yield "InvalidParameterValue", "The same permission must not appear multiple times"


def _of_ports(permission: Permission) -> Iterator[str]:
    protocol, first, last = permission["IpProtocol"], permission.get("FromPort"), permission.get("ToPort")
    if protocol not in {"-1", "tcp", "udp", "icmp", "icmpv6"} and not (
        protocol.isdigit() and int(protocol) <= _PROTOCOLS
    ):
        yield f"Invalid value '{protocol}' for IP protocol. Unknown protocol."
    if protocol in _PORTS:
        if first is None or last is None:
            yield "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
        elif not 0 <= int(first) <= int(last) <= _HIGHEST:
            yield f"Invalid {protocol.upper()} port range ({first}-{last})"


def _of_sources(permission: Permission) -> Iterator[str]:
    for key, cidr, version in _RANGES:
        for one in permission.get(key) or []:
            try:
                fine = "/" in one[cidr] and ipaddress.ip_network(one[cidr]).version == version
            except ValueError:
                fine = False
            if not fine:
                yield f"CIDR block {one[cidr]} is malformed"
    for one in (one for key in _SOURCES for one in permission.get(key) or []):
        if not TEXT.fullmatch(one.get("Description") or ""):
            yield unfit("rule")


def keys(permission: Permission) -> Iterator[tuple[str, Any, Any, str]]:
    """Protocol, ports and one source: what identifies a rule."""
    protocol = permission["IpProtocol"]
    first, last = (None, None) if protocol == "-1" else (permission.get("FromPort"), permission.get("ToPort"))
    for key, name in zip(_SOURCES, ("CidrIp", "CidrIpv6", "PrefixListId", "GroupId"), strict=True):
        for one in permission.get(key) or []:
            yield protocol, first, last, str(one.get(name) or one.get("GroupName"))


def words(key: tuple[str, Any, Any, str]) -> str:
    """How AWS describes a rule that exists."""
    protocol, first, last, peer = key
    ports = "" if first is None else f", from port: {first}, to port: {last}"
    return f"peer: {peer}, {'ALL' if protocol == '-1' else protocol.upper()}{ports}, ALLOW"
