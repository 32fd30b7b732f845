"""Elastic Load Balancing: load balancers."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, is_ours, known, tag_list
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.elb.attributes import attributes, read_attributes, retag, suffix, tags_of
from sandbox.providers.common.fields import Field, each, inside, same_set
from sandbox.providers.common.server import ProviderError

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
"""Property -> attribute."""


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
            **wanted.parameters("subnets", "securityGroups", "ipAddressType"),
            **known(SubnetMappings=mappings or None),
            Tags=tag_list(wanted.all_tags),
        )["LoadBalancers"][0]["LoadBalancerArn"]
    except elb.exceptions.DuplicateLoadBalancerNameException:
        arn = elb.describe_load_balancers(Names=[wanted["name"]])["LoadBalancers"][0]["LoadBalancerArn"]
        if not is_ours(tags_of(elb, arn), wanted):
            raise
    _change_attributes(elb, arn, wanted, set(wanted.inputs))
    return arn


def _change_attributes(elb: Any, arn: str, wanted: Wanted, changed: set[str]) -> None:
    given = attributes(BALANCER_ATTRIBUTES, wanted, changed)
    if given:
        elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=given)


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
    listed = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {
        "name": balancer["LoadBalancerName"],
        "internal": balancer["Scheme"] == "internal",
        "loadBalancerType": balancer["Type"],
        "securityGroups": balancer.get("SecurityGroups") or [],
        "subnets": [zone["SubnetId"] for zone in balancer["AvailabilityZones"]],
        "ipAddressType": balancer.get("IpAddressType", "ipv4"),
        **read_attributes(BALANCER_ATTRIBUTES, listed),
        "arn": arn,
        "arnSuffix": suffix(arn),
        "dnsName": balancer["DNSName"],
        "vpcId": balancer["VpcId"],
        "zoneId": balancer.get("CanonicalHostedZoneId") or "",
        "tagsAll": tags_of(elb, arn),
    }


def _balancer_is_active(aws: Aws, arn: str) -> bool:
    found = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    state = found.get("State") or {}
    if state.get("Code") == "failed":
        raise ProviderError(f"the load balancer {arn} failed: {state.get('Reason', 'AWS gives no details')}")
    return state.get("Code") == "active"


LOAD_BALANCER = Kind(
    type="aws:lb/loadBalancer:LoadBalancer",
    inputs={
        **each(*BALANCER_ATTRIBUTES),
        "name": Field(replaces=True),
        "internal": Field(replaces=True, default=False),
        "loadBalancerType": Field(replaces=True, default="application"),
        **each("securityGroups", "subnets", same=same_set),
        "subnetMappings": Field(
            replaces=True,
            same=same_set,
            inside=inside("allocationId", "privateIpv4Address", subnetId=Field(required=True)),
        ),
        "ipAddressType": Field(),
    },
    outputs=("arn", "arnSuffix", "dnsName", "vpcId", "zoneId"),
    calls=Calls(
        _create_balancer, _read_balancer, _change_balancer, deleting("elbv2", "delete_load_balancer", "LoadBalancerArn")
    ),
    retag=retag,
    ready=_balancer_is_active,
    naming=("name", 32),
)

KINDS = (LOAD_BALANCER,)
