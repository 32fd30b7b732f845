"""Functions that return where the program runs, and as whom."""

from typing import Any

from sandbox.providers.aws.functions import Function
from sandbox.providers.aws.session import PARTITIONS, Aws
from sandbox.providers.common.fields import Field
from sandbox.providers.common.server import ProviderError

FILTERS = Field(inside={"name": Field(required=True), "values": Field(required=True)})

REGION_NAMES = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)",
    "eu-central-1": "Europe (Frankfurt)",
    "eu-west-1": "Europe (Ireland)",
}


def filters(args: dict[str, Any]) -> list[dict[str, Any]]:
    """The `filters` and `tags` arguments in EC2's form."""
    named = [{"Name": each["name"], "Values": each["values"]} for each in args.get("filters") or ()]
    return named + [{"Name": f"tag:{key}", "Values": [value]} for key, value in (args.get("tags") or {}).items()]


def caller_identity(aws: Aws, _args: dict[str, Any]) -> dict[str, Any]:
    """The caller."""
    who = aws.identity
    return {"accountId": who["Account"], "arn": who["Arn"], "userId": who["UserId"], "id": who["Account"]}


def partition(aws: Aws, _args: dict[str, Any]) -> dict[str, Any]:
    """The provider's partition."""
    reverse = ".".join(reversed(aws.dns_suffix.split(".")))
    return {
        "partition": aws.partition,
        "dnsSuffix": aws.dns_suffix,
        "reverseDnsPrefix": reverse,
        "id": aws.partition,
    }


def region(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """A region's names; by default the provider's region."""
    name = args.get("name") or aws.region
    return {
        "region": name,
        "name": name,
        "id": name,
        "description": REGION_NAMES.get(name, name),
        "endpoint": f"ec2.{name}.{aws.dns_suffix}",
    }


def _zones(aws: Aws, args: dict[str, Any]) -> list[dict[str, Any]]:
    asked = filters(args)
    if args.get("state"):
        asked.append({"Name": "state", "Values": [args["state"]]})
    every = bool(args.get("allAvailabilityZones"))
    found = aws.client("ec2").describe_availability_zones(Filters=asked, AllAvailabilityZones=every)
    zones = sorted(found["AvailabilityZones"], key=lambda zone: zone["ZoneName"])
    excluded = {*(args.get("excludeNames") or ()), *(args.get("excludeZoneIds") or ())}
    return [zone for zone in zones if not {zone["ZoneName"], zone["ZoneId"]} & excluded]


def availability_zones(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The region's zones in alphabetical order."""
    zones = _zones(aws, args)
    return {
        **args,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone.get("GroupName") or aws.region for zone in zones}),
        "id": aws.region,
        "region": aws.region,
    }


def availability_zone(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """One zone."""
    for zone in _zones(aws, args):
        if (
            args.get("name", zone["ZoneName"]) == zone["ZoneName"]
            and args.get("zoneId", zone["ZoneId"]) == zone["ZoneId"]
        ):
            return {
                "name": zone["ZoneName"],
                "zoneId": zone["ZoneId"],
                "nameSuffix": zone["ZoneName"].removeprefix(aws.region),
                "state": zone["State"],
                "region": aws.region,
                "groupName": zone.get("GroupName") or aws.region,
                "networkBorderGroup": zone.get("NetworkBorderGroup") or aws.region,
                "optInStatus": zone.get("OptInStatus") or "opt-in-not-required",
                "zoneType": zone.get("ZoneType") or "availability-zone",
                "id": zone["ZoneName"],
            }
    raise ProviderError(f"no availability zone of {aws.region} matches {args}; ask getAvailabilityZones for the names")


def default_tags(aws: Aws, _args: dict[str, Any]) -> dict[str, Any]:
    """The provider's default tags."""
    return {"tags": aws.default_tags, "id": aws.partition}


def service_principal(aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """A service's name in a trust policy."""
    service = args["serviceName"]
    # https://docs.aws.amazon.com/eks/latest/userguide/cluster-iam-role.html: only EC2 has China's suffix.
    suffix = "amazonaws.com.cn" if aws.partition == PARTITIONS["cn-"] and service == "ec2" else "amazonaws.com"
    name = f"{service}.{suffix}"
    return {
        "name": name,
        "suffix": suffix,
        "serviceName": service,
        "region": aws.region,
        "id": f"{service}.{aws.region}.{suffix}",
    }


def arn(_aws: Aws, args: dict[str, Any]) -> dict[str, Any]:
    """The parts of an ARN."""
    parts = args["arn"].split(":", 5)
    if len(parts) != len(("arn", "partition", "service", "region", "account", "resource")) or parts[0] != "arn":
        raise ProviderError(f"{args['arn']!r} is not an ARN; the form is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
    names = ("partition", "service", "region", "account", "resource")
    return {"arn": args["arn"], "id": args["arn"], **dict(zip(names, parts[1:], strict=True))}


_ZONE_FILTERS = {"filters": FILTERS, "state": Field(), "allAvailabilityZones": Field()}

FUNCTIONS = (
    Function("aws:index/getCallerIdentity:getCallerIdentity", caller_identity, {"id": Field()}),
    Function("aws:index/getPartition:getPartition", partition, {"id": Field()}),
    Function("aws:index/getRegion:getRegion", region, {"id": Field(), "name": Field()}),
    Function(
        "aws:index/getAvailabilityZones:getAvailabilityZones",
        availability_zones,
        {**_ZONE_FILTERS, "excludeNames": Field(), "excludeZoneIds": Field()},
    ),
    Function(
        "aws:index/getAvailabilityZone:getAvailabilityZone",
        availability_zone,
        {**_ZONE_FILTERS, "name": Field(), "zoneId": Field()},
    ),
    Function("aws:index/getDefaultTags:getDefaultTags", default_tags, {"id": Field()}),
    Function(
        "aws:index/getServicePrincipal:getServicePrincipal",
        service_principal,
        {"serviceName": Field(required=True)},
    ),
    Function("aws:index/getArn:getArn", arn, {"arn": Field(required=True), "id": Field()}),
)
