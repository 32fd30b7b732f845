"""Load balancers of ELBv2: what CreateLoadBalancer checks, when it may be repeated, and what may not be deleted.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
"""

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import LoadBalancerNotFoundError, TooManyTagsError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response
from moto.elbv2.utils import make_arn_for_load_balancer
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections import elb_interfaces
from sandbox.aws.corrections.classic_elb import MAX_TAGS, host_name
from sandbox.aws.corrections.elb_attributes import load_balancer_defaults
from sandbox.aws.corrections.errors import Refusal
from sandbox.aws.patching import replace

_NAME = re.compile(r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_ADDRESS_TYPES = ("ipv4", "dualstack", "dualstack-without-public-ipv4")
_ZONES = {"application": 2, "network": 1, "gateway": 1}
"""How many zones a load balancer needs."""


def install() -> None:
    """Put it right."""
    replace(ELBv2Backend, "create_load_balancer", create_load_balancer)
    replace(ELBv2Backend, "describe_load_balancers", describe_load_balancers)
    replace(ELBv2Backend, "delete_load_balancer", delete_load_balancer)
    replace(ELBv2Backend, "set_security_groups", set_security_groups)
    replace(ELBv2Backend, "set_subnets", set_subnets)
    replace(ELBv2Backend, "set_ip_address_type", set_ip_address_type)
    replace(ELBv2Backend, "add_tags", add_tags)
    replace(ELBv2Backend, "describe_tags", describe_tags)
    replace(FakeLoadBalancer, "availability_zones", property(availability_zones))
    # Actions that moto's server does not know.
    for action in (modify_capacity_reservation, modify_ip_pools):
        setattr(ELBV2Response, action.__name__, action)
    replace(ELBV2Response, "describe_capacity_reservation", describe_capacity_reservation)


def description_of(balancer: FakeLoadBalancer) -> str:
    """What its interfaces are called: `ELB app/NAME/ID`."""
    return f"ELB {balancer.arn.partition(':loadbalancer/')[2]}"


def create_load_balancer(
    self: ELBv2Backend,
    *,
    name: str,
    security_groups: list[str],
    subnet_ids: list[str],
    subnet_mappings: list[dict[str, str]] | None = None,
    scheme: str | None = None,
    loadbalancer_type: str | None = None,
    ip_address_type: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> FakeLoadBalancer:
    """CreateLoadBalancer; the same wish again gives the same load balancer."""
    kind, scheme, addresses = loadbalancer_type or "application", scheme or "internet-facing", ip_address_type or "ipv4"
    mappings = {m["SubnetId"]: m for m in subnet_mappings or []}
    subnets = check_subnets(self, kind, [*subnet_ids, *mappings])
    vpc_id = subnets[0].vpc_id
    if not security_groups and kind == "application":
        default: Any = self.ec2_backend.get_default_security_group(vpc_id)
        security_groups = [default.id]
    check_name(name)
    check_groups(self, security_groups, vpc_id)
    check_address_type(addresses)
    if scheme == "internet-facing":
        check_gateway(self, vpc_id)
    existing = next((b for b in self.load_balancers.values() if b.name == name), None)
    wish = (kind, scheme, addresses, sorted(s.id for s in subnets), sorted(security_groups))
    if existing:
        if wish_of(existing) == wish:
            return existing
        raise Refusal(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{name}' exists, but with different settings",
        )
    number = mock_random.get_random_hex(16)
    arn = make_arn_for_load_balancer(self.account_id, number, name, self.region_name)
    arn = arn.replace(":loadbalancer/app/", f":loadbalancer/{_KINDS[kind]}/")
    host = (
        f"{name}-{number}.elb.{self.region_name}.amazonaws.com"
        if kind == "network"
        else host_name(name, self.region_name, scheme)
    )
    made: Any = FakeLoadBalancer(
        name=name, security_groups=security_groups, subnets=subnets, vpc_id=vpc_id, arn=arn, dns_name=host,
        state="provisioning", scheme=scheme, loadbalancer_type=kind, ip_address_type=addresses,
    )  # fmt: skip
    made.attrs = load_balancer_defaults(kind)
    self.load_balancers[arn] = made
    elb_interfaces.follow(self, description_of(made), [s.id for s in subnets], security_groups, mappings)
    self.tagging_service.tag_resource(arn, tags)
    return made


_KINDS = {"application": "app", "network": "net", "gateway": "gwy"}


def wish_of(balancer: FakeLoadBalancer) -> tuple[Any, ...]:
    """The settings that a repeated CreateLoadBalancer is compared by."""
    subnets = sorted(s.id for s in balancer.subnets)
    return (balancer.type, balancer.scheme, balancer.ip_address_type, subnets, sorted(balancer.security_groups))


def check_name(name: str) -> None:
    """Raise unless `name` can be a load balancer's."""
    if not _NAME.fullmatch(name):
        raise Refusal(
            "ValidationError",
            f"The load balancer name '{name}' can only contain characters that are alphanumeric characters or"
            " hyphens(-), at most 32 of them, cannot begin or end with '-' and cannot begin with 'internal-'",
        )


def check_subnets(self: ELBv2Backend, kind: str, ids: list[str]) -> list[Any]:
    """The subnets, if there is one at most in every zone, and enough of them."""
    known = {s.id: s for s in self.ec2_backend.describe_subnets()}
    missing = [i for i in ids if i not in known]
    if missing or not ids:
        raise Refusal("SubnetNotFound", f"The subnet ID '{', '.join(missing)}' does not exist")
    subnets = [known[i] for i in ids]
    zones = [s.availability_zone for s in subnets]
    if len(set(zones)) < _ZONES[kind]:
        raise Refusal("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if len(set(zones)) < len(zones):
        raise Refusal(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    return subnets


def check_groups(self: ELBv2Backend, ids: list[str], vpc_id: str) -> None:
    """Raise unless all groups exist, in the VPC."""
    for group_id in ids:
        group = self.ec2_backend.get_security_group_from_id(group_id)
        if group is None or group.vpc_id != vpc_id:
            raise Refusal("InvalidSecurityGroup", f"One or more security groups are invalid: {group_id}")


def check_address_type(wanted: str) -> None:
    """Raise unless it is one of the enumeration."""
    if wanted not in _ADDRESS_TYPES:
        raise Refusal("ValidationError", f"The IP address type '{wanted}' must be one of {list(_ADDRESS_TYPES)}")


def check_gateway(self: ELBv2Backend, vpc_id: str) -> None:
    """Raise unless the VPC has a way to the internet."""
    if not any(g.vpc and g.vpc.id == vpc_id for g in self.ec2_backend.internet_gateways.values()):
        raise Refusal("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def find(self: ELBv2Backend, arn: str) -> FakeLoadBalancer:
    """The load balancer of that ARN."""
    if arn not in self.load_balancers:
        raise LoadBalancerNotFoundError
    return self.load_balancers[arn]


def describe_load_balancers(self: ELBv2Backend, arns: list[str] | None, names: list[str] | None) -> list[Any]:
    """DescribeLoadBalancers; one that is named must exist."""
    for balancer in self.load_balancers.values():
        balancer.activate()
    by_name = {b.name: b for b in self.load_balancers.values()}
    if any(name not in by_name for name in names or []):
        raise Refusal("LoadBalancerNotFound", f"Load balancers '[{', '.join(names or [])}]' not found")
    if not arns and not names:
        return list(self.load_balancers.values())
    return [find(self, arn) for arn in arns or []] + [by_name[name] for name in names or []]


def delete_load_balancer(self: ELBv2Backend, arn: str) -> None:
    """DeleteLoadBalancer, with its listeners, rules, interfaces and their tags; one that is gone is no error."""
    balancer = self.load_balancers.get(arn)
    if balancer is None:
        return
    if balancer.attrs.get("deletion_protection.enabled") == "true":
        raise Refusal(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    elb_interfaces.follow(self, description_of(balancer), [], [])
    for listener in balancer.listeners.values():
        for tagged in (listener.arn, *(rule.arn for rule in listener.rules.values())):
            self.tagging_service.delete_all_tags_for_resource(tagged)
    self.tagging_service.delete_all_tags_for_resource(arn)
    del self.load_balancers[arn]


def set_security_groups(self: ELBv2Backend, arn: str, sec_groups: list[str]) -> None:
    """SetSecurityGroups; a network load balancer made without any never gets one."""
    balancer = find(self, arn)
    if balancer.type == "network" and not balancer.security_groups and sec_groups:
        raise Refusal(
            "InvalidConfigurationRequest",
            f"Security groups cannot be set on load balancer '{arn}': it was created without any",
        )
    if not sec_groups:
        raise Refusal("InvalidConfigurationRequest", "At least one security group must be specified")
    check_groups(self, sec_groups, str(balancer.vpc_id))
    balancer.security_groups = sec_groups
    subnets = [s.id for s in balancer.subnets]
    elb_interfaces.follow(self, description_of(balancer), subnets, sec_groups)


def set_subnets(
    self: ELBv2Backend, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]
) -> list[AvailabilityZone]:
    """SetSubnets."""
    balancer = find(self, arn)
    mappings = {m["SubnetId"]: m for m in subnet_mappings}
    balancer.subnets = check_subnets(self, balancer.type, [*subnets, *mappings])
    ids = [s.id for s in balancer.subnets]
    elb_interfaces.follow(self, description_of(balancer), ids, balancer.security_groups, mappings)
    return balancer.availability_zones


def set_ip_address_type(self: ELBv2Backend, arn: str, ip_type: str) -> None:
    """SetIpAddressType."""
    check_address_type(ip_type)
    find(self, arn).ip_address_type = ip_type


def availability_zones(balancer: FakeLoadBalancer) -> list[AvailabilityZone]:
    """The zones, with the elastic addresses in them."""
    zones = [AvailabilityZone(subnet) for subnet in balancer.subnets]
    _, _, _, region, account, _ = balancer.arn.split(":", 5)
    for zone in zones:
        told: Any = zone
        told.load_balancer_addresses = elb_interfaces.addresses(
            account, region, description_of(balancer), zone.subnet_id
        )
    return zones


def add_tags(self: ELBv2Backend, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
    """AddTags; AWS allows 50, moto 10."""
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
        keys = self.tagging_service.get_tag_dict_for_resource(arn).keys() | {t["Key"] for t in tags}
        if len(keys) > MAX_TAGS:
            raise TooManyTagsError
        self.tagging_service.tag_resource(arn, tags)


def describe_tags(self: ELBv2Backend, resource_arns: list[str]) -> dict[str, dict[str, str]]:
    """DescribeTags of things that exist."""
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
    return {arn: self.tagging_service.get_tag_dict_for_resource(arn) for arn in resource_arns}


def modify_capacity_reservation(self: ELBV2Response) -> ActionResult:
    """ModifyCapacityReservation: remembered, provisioned at once."""
    balancer: Any = find(self.elbv2_backend, self._get_param("LoadBalancerArn"))
    wanted = self._get_param("MinimumLoadBalancerCapacity")
    balancer.capacity = None if self._get_param("ResetCapacityReservation") else wanted
    return describe_capacity_reservation(self)


def describe_capacity_reservation(self: ELBV2Response) -> ActionResult:
    """DescribeCapacityReservation: empty unless one was made."""
    balancer: Any = find(self.elbv2_backend, self._get_param("LoadBalancerArn"))
    capacity = getattr(balancer, "capacity", None)
    if not capacity:
        return ActionResult({"DecreaseRequestsRemaining": 2, "CapacityReservationState": []})
    zones = [{"State": {"Code": "provisioned"}, "AvailabilityZone": z.zone_name} for z in balancer.availability_zones]
    return ActionResult(
        {"DecreaseRequestsRemaining": 2, "MinimumLoadBalancerCapacity": capacity, "CapacityReservationState": zones}
    )


def modify_ip_pools(self: ELBV2Response) -> ActionResult:
    """ModifyIpPools: remembered; the sandbox has no pools to draw from."""
    balancer: Any = find(self.elbv2_backend, self._get_param("LoadBalancerArn"))
    removed = "ipv4" in (self._get_param("RemoveIpamPools") or [])
    balancer.ipam_pools = None if removed else self._get_param("IpamPools")
    return ActionResult({"IpamPools": balancer.ipam_pools})
