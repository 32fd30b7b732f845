"""Route 53: hosted zones and records."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, is_ours, known, tag_list, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.common.fields import Field, each, same_set

_ZONE = {"ResourceType": "hostedzone"}


def _zone_tags(aws: Aws, zone: str) -> dict[str, str]:
    return tag_map(aws.client("route53").list_tags_for_resource(**_ZONE, ResourceId=zone)["ResourceTagSet"]["Tags"])


def _create_zone(aws: Aws, wanted: Wanted) -> str:
    route53 = aws.client("route53")
    for one in route53.list_hosted_zones()["HostedZones"]:
        zone = one["Id"].rpartition("/")[2]
        if is_ours(_zone_tags(aws, zone), wanted):
            return zone
    about = {"Comment": wanted.get("comment", ""), "PrivateZone": False}
    made = route53.create_hosted_zone(Name=wanted["name"], CallerReference=wanted.creation, HostedZoneConfig=about)
    zone = made["HostedZone"]["Id"].rpartition("/")[2]
    route53.change_tags_for_resource(**_ZONE, ResourceId=zone, AddTags=tag_list(wanted.all_tags))
    return zone


def _read_zone(aws: Aws, zone: str, _state: State) -> dict[str, Any] | None:
    found = aws.client("route53").get_hosted_zone(Id=zone)
    return {
        "name": found["HostedZone"]["Name"].rstrip("."),
        "comment": found["HostedZone"]["Config"].get("Comment", ""),
        "zoneId": zone,
        "arn": f"arn:{aws.partition}:route53:::hostedzone/{zone}",
        "nameServers": found.get("DelegationSet", {}).get("NameServers", []),
        "tagsAll": _zone_tags(aws, zone),
    }


def _update_zone(aws: Aws, zone: str, wanted: Wanted, changed: set[str]) -> None:
    if "comment" in changed:
        aws.client("route53").update_hosted_zone_comment(Id=zone, Comment=wanted.get("comment", ""))


def _retag_zone(aws: Aws, zone: str, _state: State, new: dict[str, str], old: list[str]) -> None:
    given = known(AddTags=tag_list(new) or None, RemoveTagKeys=old or None)
    aws.client("route53").change_tags_for_resource(**_ZONE, ResourceId=zone, **given)


ZONE = Kind(
    type="aws:route53/zone:Zone",
    inputs={"name": Field(required=True, replaces=True), "comment": Field()},
    outputs=("arn", "nameServers", "zoneId"),
    calls=Calls(_create_zone, _read_zone, _update_zone, deleting("route53", "delete_hosted_zone", "Id")),
    retag=_retag_zone,
    has_region=False,
    has_prefix=False,
)


def _whole(aws: Aws, zone: str, name: str) -> str:
    """A record's name with its zone's behind it; names in it may be given without."""
    end = aws.client("route53").get_hosted_zone(Id=zone)["HostedZone"]["Name"].rstrip(".")
    name = name.rstrip(".")
    return name if name == end or name.endswith(f".{end}") else f"{name}.{end}"


def _record_set(name: str, values: State) -> dict[str, Any]:
    aliases = values.get("aliases") or ()
    made: dict[str, Any] = {"Name": name, "Type": values["type"]}
    if aliases:
        (alias,) = aliases
        made["AliasTarget"] = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
    else:
        made |= {"TTL": values["ttl"], "ResourceRecords": [{"Value": value} for value in values["records"]]}
    return made


def _change(aws: Aws, action: str, zone: str, record_set: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record_set}]}
    aws.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def _create_record(aws: Aws, wanted: Wanted) -> str:
    zone, name = wanted["zoneId"], _whole(aws, wanted["zoneId"], wanted["name"])
    resource_id, record_set = f"{zone}_{name}_{wanted['type']}", _record_set(name, wanted.inputs)
    found = _found(aws, resource_id) or {}
    # Records have no tags: one that says the same is as much as an interrupted creation leaves behind.
    same = {**found, "Name": name} == record_set
    _change(aws, "UPSERT" if same or wanted.get("allowOverwrite") else "CREATE", zone, record_set)
    return resource_id


def _update_record(aws: Aws, resource_id: str, wanted: Wanted, changed: set[str]) -> None:
    if changed - {"allowOverwrite"}:
        zone, name, _ = _parts(resource_id)
        _change(aws, "UPSERT", zone, _record_set(name, wanted.inputs))


def _parts(resource_id: str) -> tuple[str, str, str]:
    zone, _, rest = resource_id.partition("_")
    name, _, kind = rest.rpartition("_")
    return zone, name, kind


def _found(aws: Aws, resource_id: str) -> dict[str, Any] | None:
    zone, name, kind = _parts(resource_id)
    pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    records = (one for page in pages for one in page["ResourceRecordSets"])
    return next((one for one in records if one["Name"].rstrip(".") == name and one["Type"] == kind), None)


def _read_record(aws: Aws, resource_id: str, state: State) -> dict[str, Any] | None:
    zone, name, kind = _parts(resource_id)
    found = _found(aws, resource_id)
    if found is None:
        return None
    alias = found.get("AliasTarget")
    aliases = [
        {
            "name": alias["DNSName"].rstrip("."),
            "zoneId": alias["HostedZoneId"],
            "evaluateTargetHealth": alias["EvaluateTargetHealth"],
        }
    ] if alias else []  # fmt: skip
    return {
        "zoneId": zone,
        "name": state.get("name", name),
        "type": kind,
        "aliases": aliases,
        **known(ttl=found.get("TTL")),
        "records": [one["Value"] for one in found.get("ResourceRecords", ())],
        "fqdn": name,
    }


def _delete_record(aws: Aws, resource_id: str, _state: State) -> None:
    found = _found(aws, resource_id)
    if found is not None:
        _change(aws, "DELETE", _parts(resource_id)[0], found)


RECORD = Kind(
    type="aws:route53/record:Record",
    inputs={
        **each("zoneId", "name", "type", required=True, replaces=True),
        "ttl": Field(),
        "records": Field(same=same_set, default=[]),
        "aliases": Field(
            default=[],
            inside=each("name", "zoneId", "evaluateTargetHealth", required=True),
        ),
        "allowOverwrite": Field(),
    },
    outputs=("fqdn",),
    calls=Calls(_create_record, _read_record, _update_record, _delete_record),
    has_region=False,
)

KINDS = (ZONE, RECORD)
