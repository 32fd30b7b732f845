"""VPC, subnet, internet gateway, address, NAT gateway."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, known, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.ec2.common import created_before, described, described_one, retag, tag_specification
from sandbox.providers.common.fields import Field, each
from sandbox.providers.common.server import ProviderError


def _create_vpc(aws: Aws, wanted: Wanted) -> str:
    ec2 = aws.client("ec2")
    vpc = (
        created_before(aws, "describe_vpcs", wanted)
        or ec2.create_vpc(
            CidrBlock=wanted["cidrBlock"],
            InstanceTenancy=wanted.get("instanceTenancy", "default"),
            TagSpecifications=tag_specification("vpc", wanted),
        )["Vpc"]
    )
    _set_vpc_attributes(aws, vpc["VpcId"], wanted, {"enableDnsSupport", "enableDnsHostnames"})
    return vpc["VpcId"]


def _set_vpc_attributes(aws: Aws, vpc_id: str, wanted: Wanted, changed: set[str]) -> None:
    ec2 = aws.client("ec2")
    if "enableDnsSupport" in changed:
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": wanted.get("enableDnsSupport", True)})
    if "enableDnsHostnames" in changed:
        ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": wanted.get("enableDnsHostnames", False)})


def _read_vpc(aws: Aws, vpc_id: str, _state: State) -> dict[str, Any] | None:
    ec2 = aws.client("ec2")
    vpc = described_one(aws, "describe_vpcs", VpcIds=[vpc_id])
    if vpc is None:
        return None

    def attribute(name: str) -> bool:
        found = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name)
        return found[name[0].upper() + name[1:]]["Value"]

    return {
        "cidrBlock": vpc["CidrBlock"],
        "instanceTenancy": vpc.get("InstanceTenancy", "default"),
        "enableDnsSupport": attribute("enableDnsSupport"),
        "enableDnsHostnames": attribute("enableDnsHostnames"),
        "arn": aws.arn("ec2", f"vpc/{vpc_id}"),
        "ownerId": aws.account,
        "dhcpOptionsId": vpc.get("DhcpOptionsId"),
        "defaultNetworkAclId": _id(described(aws, "describe_network_acls", vpc_id=vpc_id, default="true")),
        "defaultSecurityGroupId": _id(described(aws, "describe_security_groups", vpc_id=vpc_id, group_name="default")),
        **dict.fromkeys(
            ("defaultRouteTableId", "mainRouteTableId"),
            _id(described(aws, "describe_route_tables", **{"vpc-id": vpc_id, "association.main": "true"})),
        ),
        "tagsAll": tag_map(vpc.get("Tags")),
    }


def _id(found: list[dict[str, Any]]) -> str | None:
    names = ("NetworkAclId", "GroupId", "RouteTableId")
    return next((one[name] for one in found for name in names if name in one), None)


VPC = Kind(
    type="aws:ec2/vpc:Vpc",
    inputs={
        "cidrBlock": Field(required=True, replaces=True),
        "instanceTenancy": Field(replaces=True, default="default"),
        "enableDnsSupport": Field(default=True),
        "enableDnsHostnames": Field(default=False),
    },
    outputs=(
        *("arn", "ownerId", "dhcpOptionsId", "mainRouteTableId"),
        *("defaultNetworkAclId", "defaultSecurityGroupId", "defaultRouteTableId"),
    ),
    calls=Calls(_create_vpc, _read_vpc, _set_vpc_attributes, deleting("ec2", "delete_vpc", "VpcId")),
    retag=retag,
)


def _create_subnet(aws: Aws, wanted: Wanted) -> str:
    subnet = (
        created_before(aws, "describe_subnets", wanted)
        or aws.client("ec2").create_subnet(
            VpcId=wanted["vpcId"],
            CidrBlock=wanted["cidrBlock"],
            **wanted.parameters("availabilityZone", "availabilityZoneId", "ipv6CidrBlock"),
            TagSpecifications=tag_specification("subnet", wanted),
        )["Subnet"]
    )
    _set_subnet_attributes(aws, subnet["SubnetId"], wanted, {"mapPublicIpOnLaunch"})
    return subnet["SubnetId"]


def _set_subnet_attributes(aws: Aws, subnet_id: str, wanted: Wanted, changed: set[str]) -> None:
    if "mapPublicIpOnLaunch" in changed:
        public = {"Value": wanted.get("mapPublicIpOnLaunch", False)}
        aws.client("ec2").modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch=public)
    if "ipv6CidrBlock" in changed:
        _set_ipv6_block(aws.client("ec2"), subnet_id, wanted.get("ipv6CidrBlock"))


def _set_ipv6_block(ec2: Any, subnet_id: str, block: str | None) -> None:
    (subnet,) = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"]
    for one in _ipv6_blocks(subnet):
        ec2.disassociate_subnet_cidr_block(AssociationId=one["AssociationId"])
    if block:
        ec2.associate_subnet_cidr_block(SubnetId=subnet_id, Ipv6CidrBlock=block)


def _ipv6_blocks(subnet: dict[str, Any]) -> list[dict[str, Any]]:
    blocks = subnet.get("Ipv6CidrBlockAssociationSet", ())
    return [one for one in blocks if one["Ipv6CidrBlockState"]["State"] == "associated"]


def _read_subnet(aws: Aws, subnet_id: str, _state: State) -> dict[str, Any] | None:
    subnet = described_one(aws, "describe_subnets", SubnetIds=[subnet_id])
    return subnet and {
        "vpcId": subnet["VpcId"],
        "cidrBlock": subnet["CidrBlock"],
        "availabilityZone": subnet["AvailabilityZone"],
        "availabilityZoneId": subnet.get("AvailabilityZoneId"),
        "ipv6CidrBlock": next((one["Ipv6CidrBlock"] for one in _ipv6_blocks(subnet)), None),
        "mapPublicIpOnLaunch": subnet.get("MapPublicIpOnLaunch", False),
        "arn": subnet.get("SubnetArn") or aws.arn("ec2", f"subnet/{subnet_id}"),
        "ownerId": subnet.get("OwnerId") or aws.account,
        "tagsAll": tag_map(subnet.get("Tags")),
    }


SUBNET = Kind(
    type="aws:ec2/subnet:Subnet",
    inputs={
        **each("vpcId", "cidrBlock", required=True, replaces=True),
        **each("availabilityZone", "availabilityZoneId", replaces=True),
        "ipv6CidrBlock": Field(),
        "mapPublicIpOnLaunch": Field(default=False),
    },
    outputs=("arn", "ownerId"),
    calls=Calls(_create_subnet, _read_subnet, _set_subnet_attributes, deleting("ec2", "delete_subnet", "SubnetId")),
    retag=retag,
    delete_first=True,
)


def _create_internet_gateway(aws: Aws, wanted: Wanted) -> str:
    ec2 = aws.client("ec2")
    made = created_before(aws, "describe_internet_gateways", wanted)
    if made is None:
        specification = tag_specification("internet-gateway", wanted)
        made = ec2.create_internet_gateway(TagSpecifications=specification)["InternetGateway"]
    if wanted.get("vpcId") and not made.get("Attachments"):
        ec2.attach_internet_gateway(InternetGatewayId=made["InternetGatewayId"], VpcId=wanted["vpcId"])
    return made["InternetGatewayId"]


def _attach_internet_gateway(aws: Aws, gateway_id: str, wanted: Wanted, changed: set[str]) -> None:
    if "vpcId" in changed:
        _detach_internet_gateway(aws, gateway_id)
        if wanted.get("vpcId"):
            aws.client("ec2").attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=wanted["vpcId"])


def _detach_internet_gateway(aws: Aws, gateway_id: str) -> None:
    gateway = described_one(aws, "describe_internet_gateways", InternetGatewayIds=[gateway_id]) or {}
    for attachment in gateway.get("Attachments", ()):
        aws.client("ec2").detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=attachment["VpcId"])


def _read_internet_gateway(aws: Aws, gateway_id: str, _state: State) -> dict[str, Any] | None:
    gateway = described_one(aws, "describe_internet_gateways", InternetGatewayIds=[gateway_id])
    return gateway and {
        "vpcId": next((attachment["VpcId"] for attachment in gateway.get("Attachments", ())), None),
        "arn": aws.arn("ec2", f"internet-gateway/{gateway_id}"),
        "ownerId": gateway.get("OwnerId") or aws.account,
        "tagsAll": tag_map(gateway.get("Tags")),
    }


def _delete_internet_gateway(aws: Aws, gateway_id: str, _state: State) -> None:
    _detach_internet_gateway(aws, gateway_id)
    aws.client("ec2").delete_internet_gateway(InternetGatewayId=gateway_id)


INTERNET_GATEWAY = Kind(
    type="aws:ec2/internetGateway:InternetGateway",
    inputs={"vpcId": Field()},
    outputs=("arn", "ownerId"),
    calls=Calls(_create_internet_gateway, _read_internet_gateway, _attach_internet_gateway, _delete_internet_gateway),
    retag=retag,
)


def _create_address(aws: Aws, wanted: Wanted) -> str:
    made = created_before(aws, "describe_addresses", wanted) or aws.client("ec2").allocate_address(
        Domain="vpc", TagSpecifications=tag_specification("elastic-ip", wanted)
    )
    return made["AllocationId"]


def _read_address(aws: Aws, allocation_id: str, _state: State) -> dict[str, Any] | None:
    address = described_one(aws, "describe_addresses", AllocationIds=[allocation_id])
    return address and {
        "domain": address.get("Domain", "vpc"),
        "allocationId": allocation_id,
        "arn": aws.arn("ec2", f"elastic-ip/{allocation_id}"),
        "associationId": address.get("AssociationId") or "",
        "publicIp": address["PublicIp"],
        "publicDns": f"ec2-{address['PublicIp'].replace('.', '-')}.{aws.region}.compute.{aws.dns_suffix}",
        "privateIp": address.get("PrivateIpAddress") or "",
        "networkInterface": address.get("NetworkInterfaceId") or "",
        "instance": address.get("InstanceId") or "",
        "tagsAll": tag_map(address.get("Tags")),
    }


EIP = Kind(
    type="aws:ec2/eip:Eip",
    inputs={"domain": Field(replaces=True, default="vpc")},
    outputs=(
        *("allocationId", "arn", "associationId", "instance", "networkInterface"),
        *("publicIp", "publicDns", "privateIp"),
    ),
    calls=Calls(_create_address, _read_address, None, deleting("ec2", "release_address", "AllocationId")),
    retag=retag,
)


def _create_nat_gateway(aws: Aws, wanted: Wanted) -> str:
    gone = ("deleting", "deleted", "failed")
    made = (
        created_before(aws, "describe_nat_gateways", wanted, gone)
        or aws.client("ec2").create_nat_gateway(
            SubnetId=wanted["subnetId"],
            ConnectivityType=wanted.get("connectivityType", "public"),
            **known(AllocationId=wanted.get("allocationId"), PrivateIpAddress=wanted.get("privateIp")),
            TagSpecifications=tag_specification("natgateway", wanted),
        )["NatGateway"]
    )
    return made["NatGatewayId"]


def _read_nat_gateway(aws: Aws, gateway_id: str, _state: State) -> dict[str, Any] | None:
    gateway = described_one(aws, "describe_nat_gateways", NatGatewayIds=[gateway_id])
    if gateway is None or gateway["State"] == "deleted":
        return None
    address = next(iter(gateway.get("NatGatewayAddresses", ())), {})
    return {
        "subnetId": gateway["SubnetId"],
        "connectivityType": gateway.get("ConnectivityType", "public"),
        "allocationId": address.get("AllocationId"),
        "privateIp": address.get("PrivateIp"),
        "publicIp": address.get("PublicIp") or "",
        "networkInterfaceId": address.get("NetworkInterfaceId") or "",
        "associationId": address.get("AssociationId") or "",
        "tagsAll": tag_map(gateway.get("Tags")),
    }


def _nat_gateway_is_available(aws: Aws, gateway_id: str) -> bool:
    gateway = described_one(aws, "describe_nat_gateways", NatGatewayIds=[gateway_id]) or {}
    if gateway.get("State") == "failed":
        raise ProviderError(f"NAT gateway {gateway_id} failed: {gateway.get('FailureMessage', 'AWS gives no details')}")
    return gateway.get("State") == "available"


NAT_GATEWAY = Kind(
    type="aws:ec2/natGateway:NatGateway",
    inputs={
        "subnetId": Field(required=True, replaces=True),
        **each("allocationId", "privateIp", replaces=True),
        "connectivityType": Field(replaces=True, default="public"),
    },
    outputs=("publicIp", "networkInterfaceId", "associationId"),
    calls=Calls(_create_nat_gateway, _read_nat_gateway, None, deleting("ec2", "delete_nat_gateway", "NatGatewayId")),
    retag=retag,
    ready=_nat_gateway_is_available,
    delete_first=True,
    minutes=30,
)

KINDS = (VPC, SUBNET, INTERNET_GATEWAY, EIP, NAT_GATEWAY)
