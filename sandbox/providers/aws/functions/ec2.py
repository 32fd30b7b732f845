"""Functions that look up VPCs, subnets and security groups."""

from typing import Any

from sandbox.providers.aws.functions.common import function, only, read
from sandbox.providers.aws.functions.environment import FILTERS, filters
from sandbox.providers.aws.kind import known
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.ec2.network import SUBNET, VPC
from sandbox.providers.aws.types.ec2.security import SECURITY_GROUP
from sandbox.providers.common.fields import Field, each
from sandbox.run.pages import everything


def _list(operation: str, key: str, args: dict[str, Any], aws: Aws, **more: Any) -> list[dict[str, Any]]:
    conditions = [
        *filters(args),
        *({"Name": name.replace("_", "-"), "Values": [value]} for name, value in more.items()),
    ]
    return everything(aws.client("ec2"), operation, key, Filters=conditions)


def vpc(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One VPC, by id, tags or filters, or the account's default one."""
    more = known(vpc_id=args.get("id"), cidr=args.get("cidrBlock"), is_default="true" if args.get("default") else None)
    found = only(_list("describe_vpcs", "Vpcs", args, aws, **more), "VPCs", args)
    about = {"default": found.get("IsDefault", False), "state": found.get("State", "available")}
    return {**args, **read(VPC, aws, found["VpcId"]), **about}


def subnets(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The ids of all subnets that match."""
    ids = [one["SubnetId"] for one in _list("describe_subnets", "Subnets", args, aws)]
    return {**args, "ids": sorted(ids), "id": aws.region, "region": aws.region}


def subnet(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One subnet."""
    more = known(
        subnet_id=args.get("id"),
        vpc_id=args.get("vpcId"),
        cidr_block=args.get("cidrBlock"),
        availability_zone=args.get("availabilityZone"),
    )
    found = only(_list("describe_subnets", "Subnets", args, aws, **more), "subnets", args)
    about = {
        "availableIpAddressCount": found.get("AvailableIpAddressCount"),
        "state": found.get("State", "available"),
        "defaultForAz": found.get("DefaultForAz", False),
    }
    return {**args, **read(SUBNET, aws, found["SubnetId"]), **about}


def security_group(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One security group."""
    more = known(group_id=args.get("id"), vpc_id=args.get("vpcId"), group_name=args.get("name"))
    found = only(_list("describe_security_groups", "SecurityGroups", args, aws, **more), "security groups", args)
    live = read(SECURITY_GROUP, aws, found["GroupId"])
    return {**args, **{name: live[name] for name in ("arn", "description", "id", "name", "region", "tags", "vpcId")}}


def security_groups(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The ids of all security groups that match."""
    found = sorted(_list("describe_security_groups", "SecurityGroups", args, aws), key=lambda one: one["GroupId"])
    return {
        **args,
        "ids": [one["GroupId"] for one in found],
        "arns": [aws.arn("ec2", f"security-group/{one['GroupId']}") for one in found],
        "vpcIds": [one.get("VpcId", "") for one in found],
        "id": aws.region,
        "region": aws.region,
    }


_SEARCH = {"filters": FILTERS, "tags": Field()}
_ONE = {**_SEARCH, "id": Field()}

FUNCTIONS = (
    function("ec2/getVpc", vpc, {**_ONE, **each("cidrBlock", "default")}),
    function("ec2/getSubnets", subnets, _SEARCH),
    function("ec2/getSubnet", subnet, {**_ONE, **each("vpcId", "cidrBlock", "availabilityZone")}),
    function("ec2/getSecurityGroup", security_group, {**_ONE, **each("vpcId", "name")}),
    function("ec2/getSecurityGroups", security_groups, _SEARCH),
)
