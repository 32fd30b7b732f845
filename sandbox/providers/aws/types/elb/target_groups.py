"""Elastic Load Balancing: target groups."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, is_ours, known, tag_list
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.elb.attributes import (
    attribute_text,
    attribute_value,
    attributes,
    read_attributes,
    retag,
    suffix,
    tags_of,
)
from sandbox.providers.common.fields import Field, each, inside

GROUP_ATTRIBUTES = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "slowStart": "slow_start.duration_seconds",
    "preserveClientIp": "preserve_client_ip.enabled",
    "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
}
"""Property -> attribute."""

HEALTH = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "timeout": "HealthCheckTimeoutSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
}


def _create_group(aws: Aws, wanted: Wanted) -> str:
    elb = aws.client("elbv2")
    try:
        arn = elb.create_target_group(
            Name=wanted["name"],
            TargetType=wanted.get("targetType", "instance"),
            **wanted.parameters("protocol", "protocolVersion", "port", "vpcId", "ipAddressType"),
            **_health(wanted),
            Tags=tag_list(wanted.all_tags),
        )["TargetGroups"][0]["TargetGroupArn"]
    except elb.exceptions.DuplicateTargetGroupNameException:
        arn = elb.describe_target_groups(Names=[wanted["name"]])["TargetGroups"][0]["TargetGroupArn"]
        if not is_ours(tags_of(elb, arn), wanted):
            raise
    _change_group(aws, arn, wanted, set(wanted.inputs) - {"healthCheck"})
    return arn


def _health(wanted: Wanted) -> dict[str, Any]:
    check = wanted.get("healthCheck", {})
    matcher = {"GrpcCode" if wanted.get("protocolVersion") == "GRPC" else "HttpCode": check.get("matcher")}
    return {
        **{theirs: check[ours] for ours, theirs in HEALTH.items() if check.get(ours) is not None},
        **known(Matcher=matcher if check.get("matcher") else None),
    }


def _change_group(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    elb = aws.client("elbv2")
    if "healthCheck" in changed:
        elb.modify_target_group(TargetGroupArn=arn, **_health(wanted))
    given = attributes(GROUP_ATTRIBUTES, wanted, changed)
    if "stickiness" in changed and wanted.get("stickiness"):
        sticky = wanted["stickiness"]
        given += [
            {"Key": "stickiness.enabled", "Value": attribute_text(sticky.get("enabled", True))},
            {"Key": "stickiness.type", "Value": sticky["type"]},
        ]
        if sticky["type"] == "lb_cookie" and sticky.get("cookieDuration"):
            duration = attribute_text(sticky["cookieDuration"])
            given.append({"Key": "stickiness.lb_cookie.duration_seconds", "Value": duration})
    if given:
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=given)


def _read_group(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    elb = aws.client("elbv2")
    group = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    listed = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    matcher = group.get("Matcher") or {}
    found = {entry["Key"]: entry["Value"] for entry in listed}
    return {
        "name": group["TargetGroupName"],
        "targetType": group.get("TargetType", "instance"),
        **known(
            port=group.get("Port"),
            protocol=group.get("Protocol"),
            protocolVersion=group.get("ProtocolVersion"),
            vpcId=group.get("VpcId"),
            ipAddressType=group.get("IpAddressType"),
        ),
        "healthCheck": known(
            **{ours: group.get(theirs) for ours, theirs in HEALTH.items()},
            matcher=matcher.get("HttpCode") or matcher.get("GrpcCode"),
        ),
        "stickiness": known(
            enabled=attribute_value(found.get("stickiness.enabled", "false")),
            type=found.get("stickiness.type"),
            cookieDuration=attribute_value(found.get("stickiness.lb_cookie.duration_seconds", "86400")),
        ),
        **read_attributes(GROUP_ATTRIBUTES, listed),
        "arn": arn,
        "arnSuffix": suffix(arn),
        "loadBalancerArns": group.get("LoadBalancerArns") or [],
        "tagsAll": tags_of(elb, arn),
    }


TARGET_GROUP = Kind(
    type="aws:lb/targetGroup:TargetGroup",
    inputs={
        **each(*GROUP_ATTRIBUTES),
        **each("name", "port", "protocol", "protocolVersion", "vpcId", "ipAddressType", replaces=True),
        "targetType": Field(replaces=True, default="instance"),
        "healthCheck": Field(inside=inside("matcher", *HEALTH)),
        "stickiness": Field(inside=inside("enabled", "cookieDuration", type=Field(required=True))),
    },
    outputs=("arn", "arnSuffix", "loadBalancerArns"),
    calls=Calls(_create_group, _read_group, _change_group, deleting("elbv2", "delete_target_group", "TargetGroupArn")),
    retag=retag,
    naming=("name", 32),
)

KINDS = (TARGET_GROUP,)
