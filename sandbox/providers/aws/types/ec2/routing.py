"""Route tables, routes, associations, VPC endpoints, single tags."""

import hashlib
from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, known, same_json, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.ec2.common import created_before, described, described_one, retag, tag_specification
from sandbox.providers.common.fields import Field, each, same_set
from sandbox.providers.common.server import ProviderError

TARGETS = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "transitGatewayId": "TransitGatewayId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
    "vpcEndpointId": "VpcEndpointId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
}
"""A route's target: property -> AWS's name."""

DESTINATIONS = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}


def _create_route_table(aws: Aws, wanted: Wanted) -> str:
    made = (
        created_before(aws, "describe_route_tables", wanted)
        or aws.client("ec2").create_route_table(
            VpcId=wanted["vpcId"], TagSpecifications=tag_specification("route-table", wanted)
        )["RouteTable"]
    )
    return made["RouteTableId"]


def _read_route_table(aws: Aws, table_id: str, _state: State) -> dict[str, Any] | None:
    table = described_one(aws, "describe_route_tables", RouteTableIds=[table_id])
    return table and {
        "vpcId": table["VpcId"],
        "arn": aws.arn("ec2", f"route-table/{table_id}"),
        "ownerId": table.get("OwnerId") or aws.account,
        "tagsAll": tag_map(table.get("Tags")),
    }


ROUTE_TABLE = Kind(
    type="aws:ec2/routeTable:RouteTable",
    inputs={"vpcId": Field(required=True, replaces=True)},
    outputs=("arn", "ownerId"),
    calls=Calls(_create_route_table, _read_route_table, None, deleting("ec2", "delete_route_table", "RouteTableId")),
    retag=retag,
)


def _destination(inputs: Any) -> dict[str, str]:
    return {theirs: inputs[ours] for ours, theirs in DESTINATIONS.items() if inputs.get(ours)}


def _target(inputs: Any) -> dict[str, str]:
    return {theirs: inputs[ours] for ours, theirs in TARGETS.items() if inputs.get(ours)}


def _find_route(aws: Aws, state: Any) -> dict[str, Any] | None:
    table = described_one(aws, "describe_route_tables", RouteTableIds=[state["routeTableId"]]) or {}
    wanted = _destination(state).items()
    return next((route for route in table.get("Routes", ()) if wanted <= route.items()), None)


def _create_route(aws: Aws, wanted: Wanted) -> str:
    destination, target = _destination(wanted), _target(wanted)
    if len(destination) != 1 or len(target) != 1:
        raise ProviderError(
            "a route needs one destination (such as destinationCidrBlock) and one target (such as gatewayId)"
        )
    made = _find_route(aws, wanted)
    # A route with the same destination and target must be ours, because a table belongs to one program.
    if made is None or not target.items() <= made.items():
        aws.client("ec2").create_route(RouteTableId=wanted["routeTableId"], **destination, **target)
    return route_id(wanted["routeTableId"], next(iter(destination.values())))


def route_id(table_id: str, destination: str) -> str:
    """A route has no id of its own: `r-`, the table's id, and a hash of the destination."""
    return f"r-{table_id}{int(hashlib.sha256(destination.encode()).hexdigest()[:8], 16)}"


def _read_route(aws: Aws, _id: str, state: State) -> dict[str, Any] | None:
    route = _find_route(aws, state)
    return route and {
        **{ours: route.get(theirs) for ours, theirs in (DESTINATIONS | TARGETS).items()},
        "routeTableId": state["routeTableId"],
        "origin": route.get("Origin", "CreateRoute"),
        "state": route.get("State", "active"),
        "instanceId": route.get("InstanceId") or "",
    }


def _replace_route(aws: Aws, _id: str, wanted: Wanted, _changed: set[str]) -> None:
    aws.client("ec2").replace_route(RouteTableId=wanted["routeTableId"], **_destination(wanted), **_target(wanted))


def _delete_route(aws: Aws, _id: str, state: State) -> None:
    aws.client("ec2").delete_route(RouteTableId=state["routeTableId"], **_destination(state))


def _route_from_import(imported: str) -> dict[str, Any]:
    table, _, destination = imported.partition("_")
    return {"routeTableId": table, "destinationCidrBlock": destination}


ROUTE = Kind(
    type="aws:ec2/route:Route",
    inputs={
        "routeTableId": Field(required=True, replaces=True),
        **each(*DESTINATIONS, replaces=True),
        **each(*TARGETS),
    },
    outputs=("origin", "state", "instanceId"),
    calls=Calls(_create_route, _read_route, _replace_route, _delete_route),
    import_id=_route_from_import,
)


def _associate(aws: Aws, wanted: Wanted) -> str:
    asked = wanted.parameters("subnetId", "gatewayId")
    table = described_one(aws, "describe_route_tables", RouteTableIds=[wanted["routeTableId"]]) or {}
    for association in table.get("Associations", ()):
        if asked.items() <= association.items():
            return association["RouteTableAssociationId"]
    return aws.client("ec2").associate_route_table(RouteTableId=wanted["routeTableId"], **asked)["AssociationId"]


def _read_association(aws: Aws, association_id: str, _state: State) -> dict[str, Any] | None:
    filters = {"association.route-table-association-id": association_id}
    for table in described(aws, "describe_route_tables", **filters):
        for association in table.get("Associations", ()):
            if association["RouteTableAssociationId"] == association_id:
                return {
                    "routeTableId": table["RouteTableId"],
                    "subnetId": association.get("SubnetId"),
                    "gatewayId": association.get("GatewayId"),
                }
    return None


def _dissociate(aws: Aws, association_id: str, _state: State) -> None:
    aws.client("ec2").disassociate_route_table(AssociationId=association_id)


ROUTE_TABLE_ASSOCIATION = Kind(
    type="aws:ec2/routeTableAssociation:RouteTableAssociation",
    # The real provider moves an association to another table in place, under a new id that it may set; this
    # interface may not change an id, so a move replaces.
    inputs={
        "routeTableId": Field(required=True, replaces=True),
        **each("subnetId", "gatewayId", replaces=True),
    },
    calls=Calls(_associate, _read_association, None, _dissociate),
    delete_first=True,
)


_GONE = ("deleting", "deleted")


def _create_endpoint(aws: Aws, wanted: Wanted) -> str:
    made = (
        created_before(aws, "describe_vpc_endpoints", wanted, _GONE)
        or aws.client("ec2").create_vpc_endpoint(
            VpcId=wanted["vpcId"],
            ServiceName=wanted["serviceName"],
            VpcEndpointType=wanted.get("vpcEndpointType", "Gateway"),
            **wanted.parameters("privateDnsEnabled", "routeTableIds", "subnetIds", "securityGroupIds"),
            **known(PolicyDocument=wanted.get("policy")),
            TagSpecifications=tag_specification("vpc-endpoint", wanted),
        )["VpcEndpoint"]
    )
    return made["VpcEndpointId"]


def _read_endpoint(aws: Aws, endpoint_id: str, _state: State) -> dict[str, Any] | None:
    endpoint = described_one(aws, "describe_vpc_endpoints", VpcEndpointIds=[endpoint_id])
    if endpoint is None or endpoint["State"] in _GONE:
        return None
    return {
        "vpcId": endpoint["VpcId"],
        "serviceName": endpoint["ServiceName"],
        "vpcEndpointType": endpoint.get("VpcEndpointType", "Gateway"),
        "policy": endpoint.get("PolicyDocument"),
        "privateDnsEnabled": endpoint.get("PrivateDnsEnabled", False),
        "routeTableIds": endpoint.get("RouteTableIds") or [],
        "subnetIds": endpoint.get("SubnetIds") or [],
        "securityGroupIds": [group["GroupId"] for group in endpoint.get("Groups") or ()],
        "networkInterfaceIds": endpoint.get("NetworkInterfaceIds") or [],
        "arn": aws.arn("ec2", f"vpc-endpoint/{endpoint_id}"),
        "ownerId": endpoint.get("OwnerId") or aws.account,
        "state": endpoint["State"],
        "tagsAll": tag_map(endpoint.get("Tags")),
    }


VPC_ENDPOINT = Kind(
    type="aws:ec2/vpcEndpoint:VpcEndpoint",
    # Every change replaces: moto cannot modify an endpoint.
    inputs={
        **each("vpcId", "serviceName", required=True, replaces=True),
        "vpcEndpointType": Field(replaces=True, default="Gateway"),
        "policy": Field(replaces=True, same=same_json),
        "privateDnsEnabled": Field(replaces=True),
        **each("routeTableIds", "subnetIds", "securityGroupIds", replaces=True, same=same_set),
    },
    outputs=("arn", "ownerId", "state", "networkInterfaceIds"),
    calls=Calls(
        _create_endpoint,
        _read_endpoint,
        None,
        lambda aws, endpoint_id, _: aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint_id]),
    ),
    retag=retag,
)


def _create_tag(aws: Aws, wanted: Wanted) -> str:
    tag = {"Key": wanted["key"], "Value": wanted["value"]}
    aws.client("ec2").create_tags(Resources=[wanted["resourceId"]], Tags=[tag])
    return f"{wanted['resourceId']},{wanted['key']}"


def _change_tag(aws: Aws, _id: str, wanted: Wanted, _changed: set[str]) -> None:
    _create_tag(aws, wanted)


def _read_tag(aws: Aws, tag_id: str, _state: State) -> dict[str, Any] | None:
    resource_id, _, key = tag_id.partition(",")
    found = described(aws, "describe_tags", resource_id=resource_id, key=key)
    return {"resourceId": resource_id, "key": key, "value": found[0]["Value"]} if found else None


def _delete_tag(aws: Aws, tag_id: str, _state: State) -> None:
    resource_id, _, key = tag_id.partition(",")
    aws.client("ec2").delete_tags(Resources=[resource_id], Tags=[{"Key": key}])


TAG = Kind(
    type="aws:ec2/tag:Tag",
    inputs={
        **each("resourceId", "key", required=True, replaces=True),
        "value": Field(required=True),
    },
    calls=Calls(_create_tag, _read_tag, _change_tag, _delete_tag),
)

KINDS = (ROUTE_TABLE, ROUTE, ROUTE_TABLE_ASSOCIATION, VPC_ENDPOINT, TAG)
