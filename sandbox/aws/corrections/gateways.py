"""NAT and internet gateways: a NAT gateway's interface and address are removed with it; no gateway is removed in use.

https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
"""

from collections.abc import Callable
from typing import Any

import moto.ec2.models.nat_gateways
from moto.ec2.models.elastic_ip_addresses import ElasticAddressBackend
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.vpcs import VPCBackend

from sandbox.aws.corrections.errors import depends
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

Function = Callable[..., Any]


def install() -> None:
    """Install the corrections."""
    # moto picks the gateway's address from all of 10.0.0.0/8; without one it gets a free address of its subnet.
    replace(moto.ec2.models.nat_gateways, "random_private_ip", lambda: None)
    replace(NatGatewayBackend, "create_nat_gateway", creating(NatGatewayBackend.create_nat_gateway))
    replace(NatGatewayBackend, "delete_nat_gateway", deleting(NatGatewayBackend.delete_nat_gateway))
    replace(NatGatewayBackend, "describe_nat_gateways", describing(NatGatewayBackend.describe_nat_gateways))
    replace(VPCBackend, "create_default_vpc", making_default(VPCBackend.create_default_vpc))
    replace(ElasticAddressBackend, "release_address", releasing(ElasticAddressBackend.release_address))
    replace(
        InternetGatewayBackend, "detach_internet_gateway", detaching(InternetGatewayBackend.detach_internet_gateway)
    )


def creating(create: Function) -> Function:
    """CreateNatGateway: with an interface that is marked as the gateway's."""

    def create_nat_gateway(self: Any, subnet_id: str, *arguments: Any, **more: Any) -> Any:
        gateway = create(self, subnet_id, *arguments, **more)
        interface = gateway._eni
        gateway.private_ip = interface.private_ip_address
        interface.description = f"Interface for NAT Gateway {gateway.id}"
        interface.interface_type = "nat_gateway"
        interface.requester_managed = True
        interface.status = "in-use"
        return gateway

    return create_nat_gateway


def making_default(create: Function) -> Function:
    """A default VPC has an internet gateway, and a route to it in its main route table.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
    """

    def create_default_vpc(self: Any) -> Any:
        vpc = create(self)
        gateway = self.create_internet_gateway()
        self.attach_internet_gateway(gateway.id, vpc.id)
        (main,) = self.describe_route_tables(filters={"vpc-id": vpc.id, "association.main": "true"})
        self.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)
        return vpc

    return create_default_vpc


def deleting(delete: Function) -> Function:
    """DeleteNatGateway: deletes its interface and releases its elastic address."""

    def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
        gateway = self.nat_gateways.get(nat_gateway_id)
        if gateway is None:
            raise Refusal("NatGatewayNotFound", f"NatGateway {nat_gateway_id} was not found")
        if gateway.state != "deleted":
            interface = gateway._eni
            for address in [a for a in self.addresses if a.eni is interface]:
                self.disassociate_address(address=address.public_ip)
            self.delete_network_interface(interface.id)
        return delete(self, nat_gateway_id)

    return delete_nat_gateway


def describing(describe: Function) -> Function:
    """DescribeNatGateways: named ones must exist; filters can use tags."""

    def describe_nat_gateways(self: Any, filters: Any, nat_gateway_ids: list[str] | None) -> Any:
        missing = [i for i in nat_gateway_ids or [] if i not in self.nat_gateways]
        if missing:
            raise Refusal("NatGatewayNotFound", f"NatGateway {missing[0]} was not found")
        tags = {name: values for name, values in (filters or {}).items() if name.startswith("tag")}
        found = describe(self, filters, nat_gateway_ids)
        return [g for g in found if all(matches(g.get_filter_value(name), values) for name, values in tags.items())]

    return describe_nat_gateways


def releasing(release: Function) -> Function:
    """ReleaseAddress: not while it is in use."""

    def release_address(self: Any, address: str | None = None, allocation_id: str | None = None) -> None:
        found = self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id])
        if found[0].eni is not None:
            raise Refusal(
                "InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use by interface {found[0].eni.id}."
            )
        release(self, address, allocation_id)

    return release_address


def detaching(detach: Function) -> Function:
    """DetachInternetGateway: not while the VPC has public addresses."""

    def detach_internet_gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> None:
        if any(i.public_ip and i.subnet.vpc_id == vpc_id for i in self.enis.values()):
            raise depends(
                f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before"
                " detaching the gateway."
            )
        detach(self, internet_gateway_id, vpc_id)

    return detach_internet_gateway


def matches(value: Any, wanted: list[str]) -> bool:
    """Whether a tag filter's value is one of those wanted."""
    return any(v in wanted for v in value) if isinstance(value, list) else value in wanted
