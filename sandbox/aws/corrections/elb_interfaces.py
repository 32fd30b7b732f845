"""The network interfaces of load balancers: one per subnet, with its groups, created and deleted with it.

So a security group or a subnet that a load balancer uses cannot be deleted, as on AWS.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.ec2.models import ec2_backends


def follow(
    backend: Any,
    description: str,
    subnets: Sequence[str],
    groups: Sequence[str],
    mappings: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Create or remove interfaces so that `description` has one in each of `subnets`, all with `groups`.

    Args:
        backend: moto's backend that has the load balancer; it names account and region.
        description: `ELB app/NAME/ID`, as AWS describes them.
        subnets: subnet ids; none to remove all.
        groups: security group ids.
        mappings: settings per subnet: `AllocationId` of an elastic address, `PrivateIPv4Address`.
    """
    ec2: Any = ec2_backends[backend.account_id][backend.region_name]
    mine = {i.subnet.id: i for i in ec2.enis.values() if i.description == description}
    for subnet_id, interface in mine.items():
        if subnet_id not in subnets:
            for address in [a for a in ec2.addresses if a.eni is interface]:
                ec2.disassociate_address(address=address.public_ip)
            ec2.delete_network_interface(interface.id)
    for subnet_id in subnets:
        if subnet_id not in mine:
            mine[subnet_id] = make(ec2, description, subnet_id, (mappings or {}).get(subnet_id, {}))
        found = [ec2.get_security_group_from_id(group) for group in groups]
        mine[subnet_id]._group_set = found


def make(ec2: Any, description: str, subnet_id: str, mapping: Mapping[str, str]) -> Any:
    """One interface of a load balancer."""
    subnet = ec2.get_subnet(subnet_id)
    interface = ec2.create_network_interface(subnet, mapping.get("PrivateIPv4Address"), description=description)
    interface.requester_managed = True
    interface.requester_id = "amazon-elb"
    interface.interface_type = "network_load_balancer" if description.startswith("ELB net/") else "interface"
    interface.status = "in-use"
    if mapping.get("AllocationId"):
        ec2.associate_address(eni=interface, allocation_id=mapping["AllocationId"])
    return interface


def elastic(account: str, region: str, description: str, subnet_id: str) -> dict[str, str]:
    """The elastic address of a load balancer in a subnet, as in LoadBalancerAddresses; empty if there is none."""
    ec2: Any = ec2_backends[account][region]
    mine = [i for i in ec2.enis.values() if i.description == description and i.subnet.id == subnet_id]
    found = [a for interface in mine for a in ec2.addresses if a.eni is interface]
    return {"IpAddress": found[0].public_ip, "AllocationId": found[0].allocation_id} if found else {}
