"""The listeners of an NLB, and which of its arguments exclude each other. Functions of plain values."""

from collections.abc import Sequence
from typing import Final

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.workloads.nlb_args import NetworkLoadBalancedServiceArgs
from eks_load_balancing.workloads.workload import OF_OUR_PODS, SAMPLE_PORT, Listener, refuse_both

HTTP_PORT: Final = 80
TLS_PORT: Final = 443
PROTOCOLS: Final = ("TCP", "UDP")


def listeners(args: NetworkLoadBalancedServiceArgs, *, tls: bool) -> list[Listener]:
    """Return the listeners that arguments ask for, or say which of them cannot be.

    Args:
        args: the component's.
        tls: whether there is a certificate.
    """
    if "ports" not in args:
        container_port = errors.at_least(args.get("container_port", SAMPLE_PORT), 1, "container_port")
        return [Listener("traffic", args.get("port", TLS_PORT if tls else HTTP_PORT), container_port)]
    refuse_both(args, "ports", ("port", "container_port"), "the first says both")
    found: list[Listener] = []
    for one in args["ports"]:
        protocol = errors.one_of(one.get("protocol", "TCP"), PROTOCOLS, "protocol", key="ports")
        name = errors.label(one.get("name", f"{protocol.lower()}-{one['port']}"), "port name")
        found.append(Listener(name, one["port"], one.get("container_port", one["port"]), protocol))
    if not found or all(one.protocol == "UDP" for one in found):
        raise InvalidInputError(
            "ports has none of TCP: give one, which health checks ask; UDP has no answer that they could wait for",
            key="ports",
        )
    for key in ("port", "name"):
        seen = [getattr(one, key) for one in found]
        twice = next((value for value in seen if seen.count(value) > 1), None)
        if twice is not None:
            raise InvalidInputError(f"ports has {key} {twice} twice: give each once", key="ports")
    return sorted(found, key=lambda one: one.protocol == "UDP")


def tls_ports(found: Sequence[Listener]) -> list[int]:
    """Return the ports that speak TLS where there is a certificate; none stands for all."""
    tcp = [one.port for one in found if one.protocol == "TCP"]
    return tcp if len(tcp) < len(found) else []


def refuse_combinations(args: NetworkLoadBalancedServiceArgs, scheme: str, found: Sequence[Listener]) -> None:
    """Refuse arguments that AWS or the controller would refuse together, or that would be without effect."""
    refuse_both(args, "selector", OF_OUR_PODS, "with a selector the pods are yours")
    refuse_both(args, "security_group_ids", ("inbound_cidrs",), "the controller ignores ranges beside groups of yours")
    for key, needed in (("eip_allocation_ids", "internet-facing"), ("private_ipv4_addresses", "internal")):
        if key in args and scheme != needed:
            raise InvalidInputError(
                f"{key} is for an NLB that is {needed}, and scheme is {scheme}: give one of them", key=key
            )
    if args.get("preserve_client_ip") is False and any(one.protocol == "UDP" for one in found):
        raise InvalidInputError(
            "preserve_client_ip is false and ports has UDP, for which AWS always preserves it: leave it out",
            key="preserve_client_ip",
        )
