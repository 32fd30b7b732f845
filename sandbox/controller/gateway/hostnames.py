"""Hostnames of listeners and routes: which they have in common, and which is the closest to a request."""

import ipaddress

_LONGEST_LABEL = 63


def valid(hostname: str) -> bool:
    """Whether it is a name, and not an address; a wildcard stands for its first labels only."""
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return all(1 <= len(label) <= _LONGEST_LABEL for label in hostname.removeprefix("*.").split("."))
    return False


def common(one: str, other: str) -> str | None:
    """The closer of two hostnames that have requests in common; None where they have none.

    Example:
        >>> common("*.example.com", "api.example.com")
        'api.example.com'
    """
    if one == other:
        return one
    for wildcard, name in ((one, other), (other, one)):
        if wildcard.startswith("*.") and name.endswith(wildcard[1:]):
            return name
    return None


def rank(hostname: str) -> tuple[bool, bool, int, int]:
    """Sorts the closest hostname first: whole names, then wildcards, then none at all (the empty string)."""
    return not hostname, hostname.startswith("*."), -hostname.count("."), -len(hostname)
