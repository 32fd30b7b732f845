"""Elastic Load Balancing: target groups and load balancers. All ids are ARNs."""

from collections.abc import Mapping
from typing import Any

from sandbox.providers.aws.kind import Kind, State, Wanted, is_ours, known, retagging, tag_list, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.eks.clusters import inside
from sandbox.providers.common.fields import Field, same_set
from sandbox.providers.common.server import ProviderError

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

BALANCER_ATTRIBUTES = {
    "idleTimeout": "idle_timeout.timeout_seconds",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableHttp2": "routing.http2.enabled",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
}

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


def attribute_text(value: Any) -> str:
    """A property's value as ELB writes attributes.

    Example:
        >>> attribute_text(True)
        'true'
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute_value(text: str) -> Any:
    """The inverse of `attribute_text`."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def _attributes(names: Mapping[str, str], wanted: Wanted, changed: set[str]) -> list[dict[str, str]]:
    given = {name: wanted.get(name) for name in names if name in changed and wanted.get(name) is not None}
    return [{"Key": names[name], "Value": attribute_text(value)} for name, value in given.items()]


def _read_attributes(names: Mapping[str, str], attributes: Any) -> dict[str, Any]:
    found = {each["Key"]: each["Value"] for each in attributes}
    return {name: attribute_value(found[key]) for name, key in names.items() if key in found}


def tags_of(elb: Any, arn: str) -> dict[str, str]:
    """The tags of anything in ELB."""
    return tag_map(elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0].get("Tags"))


retag = retagging(
    "elbv2",
    lambda elb, arn, keys: elb.remove_tags(ResourceArns=[arn], TagKeys=keys),
    lambda elb, arn, tags: elb.add_tags(ResourceArns=[arn], Tags=tag_list(tags)),
)
"""Sets and removes tags of anything in ELB."""


def _suffix(arn: str) -> str:
    """The part of an ARN that CloudWatch knows a load balancer or target group by."""
    return arn.split(":", 5)[5].removeprefix("loadbalancer/")


# Target groups


def _create_group(aws: Aws, wanted: Wanted) -> str:
    elb = aws.client("elbv2")
    try:
        arn = elb.create_target_group(
            Name=wanted["name"],
            TargetType=wanted.get("targetType", "instance"),
            **known(
                Protocol=wanted.get("protocol"),
                ProtocolVersion=wanted.get("protocolVersion"),
                Port=wanted.get("port"),
                VpcId=wanted.get("vpcId"),
                IpAddressType=wanted.get("ipAddressType"),
            ),
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
    attributes = _attributes(GROUP_ATTRIBUTES, wanted, changed)
    if "stickiness" in changed and wanted.get("stickiness"):
        sticky = wanted["stickiness"]
        attributes += [
            {"Key": "stickiness.enabled", "Value": attribute_text(sticky.get("enabled", True))},
            {"Key": "stickiness.type", "Value": sticky["type"]},
        ]
        if sticky["type"] == "lb_cookie" and sticky.get("cookieDuration"):
            duration = attribute_text(sticky["cookieDuration"])
            attributes.append({"Key": "stickiness.lb_cookie.duration_seconds", "Value": duration})
    if attributes:
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=attributes)


def _read_group(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    elb = aws.client("elbv2")
    group = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    matcher = group.get("Matcher") or {}
    found = {each["Key"]: each["Value"] for each in attributes}
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
        **_read_attributes(GROUP_ATTRIBUTES, attributes),
        "arn": arn,
        "arnSuffix": _suffix(arn),
        "loadBalancerArns": group.get("LoadBalancerArns") or [],
        "tagsAll": tags_of(elb, arn),
    }


TARGET_GROUP = Kind(
    type="aws:lb/targetGroup:TargetGroup",
    inputs={
        **{name: Field() for name in GROUP_ATTRIBUTES},
        "name": Field(replaces=True),
        "port": Field(replaces=True),
        "protocol": Field(replaces=True),
        "protocolVersion": Field(replaces=True),
        "vpcId": Field(replaces=True),
        "ipAddressType": Field(replaces=True),
        "targetType": Field(replaces=True, default="instance"),
        "healthCheck": Field(inside=inside("matcher", *HEALTH)),
        "stickiness": Field(inside=inside("enabled", "cookieDuration", type=Field(required=True))),
    },
    outputs=("arn", "arnSuffix", "loadBalancerArns"),
    create=_create_group,
    read=_read_group,
    update=_change_group,
    delete=lambda aws, arn, _: aws.client("elbv2").delete_target_group(TargetGroupArn=arn),
    retag=retag,
    naming=("name", 32),
)


# Load balancers


def _create_balancer(aws: Aws, wanted: Wanted) -> str:
    elb = aws.client("elbv2")
    mappings = [
        known(
            SubnetId=each["subnetId"],
            AllocationId=each.get("allocationId"),
            PrivateIPv4Address=each.get("privateIpv4Address"),
        )
        for each in wanted.get("subnetMappings", ())
    ]
    try:
        arn = elb.create_load_balancer(
            Name=wanted["name"],
            Type=wanted.get("loadBalancerType", "application"),
            Scheme="internal" if wanted.get("internal") else "internet-facing",
            **known(
                Subnets=wanted.get("subnets"),
                SubnetMappings=mappings or None,
                SecurityGroups=wanted.get("securityGroups"),
                IpAddressType=wanted.get("ipAddressType"),
            ),
            Tags=tag_list(wanted.all_tags),
        )["LoadBalancers"][0]["LoadBalancerArn"]
    except elb.exceptions.DuplicateLoadBalancerNameException:
        arn = elb.describe_load_balancers(Names=[wanted["name"]])["LoadBalancers"][0]["LoadBalancerArn"]
        if not is_ours(tags_of(elb, arn), wanted):
            raise
    _change_attributes(elb, arn, wanted, set(wanted.inputs))
    return arn


def _change_attributes(elb: Any, arn: str, wanted: Wanted, changed: set[str]) -> None:
    attributes = _attributes(BALANCER_ATTRIBUTES, wanted, changed)
    if attributes:
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)


def _change_balancer(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    elb = aws.client("elbv2")
    _change_attributes(elb, arn, wanted, changed)
    if "securityGroups" in changed:
        elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=wanted.get("securityGroups", []))
    if "subnets" in changed:
        elb.set_subnets(LoadBalancerArn=arn, Subnets=wanted.get("subnets", []))
    if "ipAddressType" in changed:
        elb.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=wanted.get("ipAddressType", "ipv4"))


def _read_balancer(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    elb = aws.client("elbv2")
    balancer = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {
        "name": balancer["LoadBalancerName"],
        "internal": balancer["Scheme"] == "internal",
        "loadBalancerType": balancer["Type"],
        "securityGroups": balancer.get("SecurityGroups") or [],
        "subnets": [zone["SubnetId"] for zone in balancer["AvailabilityZones"]],
        "ipAddressType": balancer.get("IpAddressType", "ipv4"),
        **_read_attributes(BALANCER_ATTRIBUTES, attributes),
        "arn": arn,
        "arnSuffix": _suffix(arn),
        "dnsName": balancer["DNSName"],
        "vpcId": balancer["VpcId"],
        "zoneId": balancer.get("CanonicalHostedZoneId") or "",
        "tagsAll": tags_of(elb, arn),
    }


def _balancer_is_active(aws: Aws, arn: str) -> bool:
    found = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    state = found.get("State") or {}
    if state.get("Code") == "failed":
        raise ProviderError(f"the load balancer {arn} failed: {state.get('Reason', 'AWS says no more')}")
    return state.get("Code") == "active"


LOAD_BALANCER = Kind(
    type="aws:lb/loadBalancer:LoadBalancer",
    inputs={
        **{name: Field() for name in BALANCER_ATTRIBUTES},
        "name": Field(replaces=True),
        "internal": Field(replaces=True, default=False),
        "loadBalancerType": Field(replaces=True, default="application"),
        "securityGroups": Field(same=same_set),
        "subnets": Field(same=same_set),
        "subnetMappings": Field(
            replaces=True,
            same=same_set,
            inside=inside("allocationId", "privateIpv4Address", subnetId=Field(required=True)),
        ),
        "ipAddressType": Field(),
    },
    outputs=("arn", "arnSuffix", "dnsName", "vpcId", "zoneId"),
    create=_create_balancer,
    read=_read_balancer,
    update=_change_balancer,
    delete=lambda aws, arn, _: aws.client("elbv2").delete_load_balancer(LoadBalancerArn=arn),
    retag=retag,
    ready=_balancer_is_active,
    naming=("name", 32),
)

KINDS = (TARGET_GROUP, LOAD_BALANCER)
