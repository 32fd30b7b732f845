"""Load balancers of ELBv2: what CreateLoadBalancer checks, when it can be repeated, and what cannot be deleted.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
"""

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import LoadBalancerNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer
from moto.elbv2.responses import ELBV2Response
from moto.elbv2.utils import make_arn_for_load_balancer
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections import elb_interfaces
from sandbox.aws.corrections.classic_elb import host_name
from sandbox.aws.corrections.elbv2.addresses import (
    SOURCE_NAT,
    check_address_type,
    check_customer_pool,
    check_mappings,
    check_pools,
    check_source_nat,
    invalid,
)
from sandbox.aws.corrections.elbv2.attributes import load_balancer_defaults
from sandbox.aws.corrections.elbv2.limits import SECURITY_GROUPS, check_room, check_tags
from sandbox.aws.determinism import now
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal
from sandbox.aws.target_health import reports
from sandbox.run.latency import Latency

_NAME = re.compile("[A-Za-z0-9-]+")
_LONGEST_NAME = 32
_ZONES = {"application": 2, "network": 1, "gateway": 1}
"""How many zones a load balancer needs."""
_KINDS = {"application": "app", "network": "net", "gateway": "gwy"}
_ENFORCE = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"


def install() -> None:
    """Install the corrections."""
    replace(ELBV2Response, "create_load_balancer", create_load_balancer)
    replace(ELBv2Backend, "describe_load_balancers", describe_load_balancers)
    replace(ELBv2Backend, "delete_load_balancer", delete_load_balancer)
    replace(ELBV2Response, "set_security_groups", set_security_groups)
    replace(ELBV2Response, "set_subnets", set_subnets)
    replace(ELBV2Response, "set_ip_address_type", set_ip_address_type)
    replace(FakeLoadBalancer, "availability_zones", property(availability_zones))


def description_of(balancer: FakeLoadBalancer) -> str:
    """The description of its interfaces: `ELB app/NAME/ID`."""
    return f"ELB {balancer.arn.partition(':loadbalancer/')[2]}"


def mappings_of(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The subnets of a request, each with its mapping."""
    if params.get("Subnets") and params.get("SubnetMappings"):
        raise Refusal("ValidationError", "You must specify either subnets or subnet mappings, but not both")
    plain = [{"SubnetId": subnet_id} for subnet_id in params.get("Subnets") or []]
    return {one["SubnetId"]: one for one in params.get("SubnetMappings") or plain}


def create_load_balancer(self: ELBV2Response) -> ActionResult:
    """CreateLoadBalancer; the same request again returns the same load balancer."""
    backend, params = self.elbv2_backend, self._get_params()
    name, kind, scheme = params["Name"], params.get("Type", "application"), params.get("Scheme", "internet-facing")
    addresses, groups = params.get("IpAddressType", "ipv4"), params.get("SecurityGroups") or []
    if kind == "gateway" and "Scheme" in params:
        raise Refusal("ValidationError", "Scheme is not supported for Gateway Load Balancers.")
    mappings = mappings_of(params)
    subnets = check_subnets(backend, kind, list(mappings))
    vpc_id = subnets[0].vpc_id
    if not groups and kind == "application":
        default: Any = backend.ec2_backend.get_default_security_group(vpc_id)
        groups = [default.id]
    check_name(name)
    settings = {
        "type": kind,
        "scheme": scheme,
        "ip_address_type": addresses,
        "mappings": mappings,
        "security_groups": groups,
        "IpamPools": params.get("IpamPools"),
        "CustomerOwnedIpv4Pool": params.get("CustomerOwnedIpv4Pool"),
        SOURCE_NAT: check_source_nat(kind, addresses, params.get(SOURCE_NAT)),
        _ENFORCE: "on" if groups and kind == "network" else None,
    }
    existing: Any = next((b for b in backend.load_balancers.values() if b.name == name), None)
    if existing:
        if comparable(existing.__dict__) == comparable(settings):
            return ActionResult({"LoadBalancers": [existing]})
        raise Refusal(
            "DuplicateLoadBalancerName",
            f"A load balancer with the same name '{name}' exists, but with different settings",
        )
    check_groups(backend, kind, groups, vpc_id)
    check_address_type(kind, scheme, addresses, subnets)
    check_mappings(backend, settings, mappings)
    check_pools(backend, kind, scheme, params.get("IpamPools"))
    check_customer_pool(params.get("CustomerOwnedIpv4Pool"))
    check_tags(params.get("Tags"))
    if scheme == "internet-facing":
        check_gateway(backend, vpc_id)
    count = sum(b.type == kind for b in backend.load_balancers.values()) + 1
    check_room("TooManyLoadBalancers", f"load balancers with type '{kind}'", count, f"{kind}-load-balancers")
    number = mock_random.get_random_hex(16)
    arn = make_arn_for_load_balancer(backend.account_id, number, name, backend.region_name)
    arn = arn.replace(":loadbalancer/app/", f":loadbalancer/{_KINDS[kind]}/")
    host = (
        f"{name}-{number}.elb.{backend.region_name}.amazonaws.com"
        if kind == "network"
        else host_name(name, backend.region_name, scheme)
    )
    made: Any = FakeLoadBalancer(name, groups, subnets, vpc_id, arn, host, "provisioning", scheme, kind, addresses)
    made.__dict__ |= settings
    made.attrs, made.began = load_balancer_defaults(kind), now()
    backend.load_balancers[arn] = made
    elb_interfaces.follow(backend, description_of(made), list(mappings), groups, mappings)
    backend.tagging_service.tag_resource(arn, params.get("Tags"))
    return ActionResult({"LoadBalancers": [made]})


def comparable(settings: dict[str, Any]) -> tuple[Any, ...]:
    """The settings that must be equal in a repeated CreateLoadBalancer."""
    single = ("type", "scheme", "ip_address_type", "IpamPools", SOURCE_NAT)
    mappings = sorted(sorted(one.items()) for one in settings["mappings"].values())
    return (*(settings[key] for key in single), mappings, sorted(settings["security_groups"]))


def check_name(name: str) -> None:
    """Raise unless `name` is valid for a load balancer."""
    for wrong, what in (
        (len(name) > _LONGEST_NAME, f"cannot be longer than '{_LONGEST_NAME}' characters"),
        (name.startswith("internal-"), "cannot begin with 'internal-'"),
        (name.startswith("-"), "cannot begin with a hyphen(-)"),
        (name.endswith("-"), "cannot end with a hyphen(-)"),
        (not _NAME.fullmatch(name), "can only contain characters that are alphanumeric characters and hyphens(-)"),
    ):
        if wrong:
            raise Refusal("ValidationError", f"The load balancer name '{name}' {what}")


def check_subnets(self: ELBv2Backend, kind: str, ids: list[str]) -> list[Any]:
    """The subnets, if there is at most one per zone, and enough of them."""
    known = {s.id: s for s in self.ec2_backend.describe_subnets()}
    missing = [i for i in ids if i not in known]
    if missing:
        raise Refusal("SubnetNotFound", f"The subnet ID '{', '.join(missing)}' does not exist")
    if not ids:
        raise Refusal("ValidationError", "You must specify either subnets or subnet mappings")
    subnets = [known[i] for i in ids]
    if len({s.vpc_id for s in subnets}) > 1:
        raise invalid(f"The subnets '{', '.join(ids)}' are not in the same VPC")
    zones = [s.availability_zone for s in subnets]
    if len(set(zones)) < _ZONES[kind]:
        raise Refusal("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    if len(set(zones)) < len(zones):
        raise Refusal(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    return subnets


def check_groups(self: ELBv2Backend, kind: str, ids: list[str], vpc_id: str) -> None:
    """Raise unless all groups exist in the VPC, and this kind of load balancer can have that many."""
    if ids and kind == "gateway":
        raise invalid("Security Groups are not supported for Gateway Load Balancers.")
    check_room("InvalidConfigurationRequest", "security groups of a load balancer", len(set(ids)), SECURITY_GROUPS)
    for group_id in ids:
        group = self.ec2_backend.get_security_group_from_id(group_id)
        if group is None or group.vpc_id != vpc_id:
            raise Refusal("InvalidSecurityGroup", f"One or more security groups are invalid: {group_id}")


def check_gateway(self: ELBv2Backend, vpc_id: str) -> None:
    """Raise unless the VPC has an internet gateway."""
    if not any(g.vpc and g.vpc.id == vpc_id for g in self.ec2_backend.internet_gateways.values()):
        raise Refusal("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")


def find(self: ELBv2Backend, arn: str) -> FakeLoadBalancer:
    """The load balancer with this ARN."""
    if arn not in self.load_balancers:
        raise LoadBalancerNotFoundError
    return self.load_balancers[arn]


def describe_load_balancers(self: ELBv2Backend, arns: list[str] | None, names: list[str] | None) -> list[Any]:
    """DescribeLoadBalancers; named ones must exist."""
    everything: Any = self.load_balancers.values()
    for balancer in everything:
        if reports.listens(balancer.arn) and now() >= balancer.began + _latency[0].ready(balancer.type, balancer.name):
            balancer.activate()
    if arns and names:
        text = "Load balancer names and load balancer ARNs cannot be specified at the same time"
        raise Refusal("ValidationError", text)
    by_name = {b.name: b for b in self.load_balancers.values()}
    if any(name not in by_name for name in names or []):
        raise Refusal("LoadBalancerNotFound", f"Load balancers '[{', '.join(names or [])}]' not found")
    if not arns and not names:
        return list(self.load_balancers.values())
    return [find(self, arn) for arn in arns or []] + [by_name[name] for name in names or []]


def slow_down(latency: Latency) -> None:
    """Let load balancers take their time from now on."""
    _latency[:] = [latency]


_latency = [Latency()]


def delete_load_balancer(self: ELBv2Backend, arn: str) -> None:
    """DeleteLoadBalancer, with its listeners, rules, interfaces and their tags; a missing one is no error."""
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


def set_security_groups(self: ELBV2Response) -> ActionResult:
    """SetSecurityGroups; a network load balancer that was created without groups never gets any."""
    backend, params = self.elbv2_backend, self._get_params()
    balancer: Any = find(backend, params["LoadBalancerArn"])
    groups, enforce = params["SecurityGroups"], params.get(_ENFORCE)
    if balancer.type == "network" and not balancer.security_groups and groups:
        raise invalid(f"Security groups cannot be set on load balancer '{balancer.arn}': it was created without any")
    if not groups:
        raise invalid("At least one security group must be specified")
    if enforce and balancer.type != "network":
        raise invalid(f"{_ENFORCE} is not supported on load balancers with type '{balancer.type}'")
    check_groups(backend, balancer.type, groups, str(balancer.vpc_id))
    balancer.security_groups = groups
    balancer.__dict__[_ENFORCE] = enforce or balancer.__dict__[_ENFORCE]
    subnets = [s.id for s in balancer.subnets]
    elb_interfaces.follow(backend, description_of(balancer), subnets, groups)
    return ActionResult({"SecurityGroupIds": groups, _ENFORCE: balancer.__dict__[_ENFORCE]})


def set_subnets(self: ELBV2Response) -> ActionResult:
    """SetSubnets; a subnet's addresses never change."""
    backend, params = self.elbv2_backend, self._get_params()
    balancer: Any = find(backend, params["LoadBalancerArn"])
    wanted, addresses = mappings_of(params), params.get("IpAddressType", balancer.ip_address_type)
    source_nat = check_source_nat(balancer.type, addresses, params.get(SOURCE_NAT) or balancer.__dict__[SOURCE_NAT])
    subnets = check_subnets(backend, balancer.type, list(wanted))
    check_address_type(balancer.type, balancer.scheme, addresses, subnets)
    for subnet_id, mapping in wanted.items():
        held = balancer.mappings.get(subnet_id, mapping)
        for key in ("AllocationId", "PrivateIPv4Address"):
            if key in mapping and mapping[key] != held.get(key):
                raise invalid(f"{key} of subnet '{subnet_id}' cannot be changed")
    fixed = {"AllocationId", "PrivateIPv4Address"}
    fresh = {
        subnet_id: {k: v for k, v in one.items() if subnet_id not in balancer.mappings or k not in fixed}
        for subnet_id, one in wanted.items()
    }
    check_mappings(backend, {**balancer.__dict__, "ip_address_type": addresses, SOURCE_NAT: source_nat}, fresh)
    balancer.mappings = {
        subnet_id: {**{k: v for k, v in balancer.mappings.get(subnet_id, {}).items() if k in fixed}, **one}
        for subnet_id, one in wanted.items()
    }
    balancer.subnets, balancer.ip_address_type = subnets, addresses
    balancer.__dict__[SOURCE_NAT] = source_nat
    groups = balancer.security_groups
    elb_interfaces.follow(backend, description_of(balancer), list(wanted), groups, wanted)
    told = {"AvailabilityZones": balancer.availability_zones, "IpAddressType": addresses, SOURCE_NAT: source_nat}
    return ActionResult(told)


def set_ip_address_type(self: ELBV2Response) -> ActionResult:
    """SetIpAddressType."""
    balancer: Any = find(self.elbv2_backend, self._get_param("LoadBalancerArn"))
    wanted = self._get_param("IpAddressType")
    check_address_type(balancer.type, balancer.scheme, wanted, balancer.subnets)
    check_source_nat(balancer.type, wanted, balancer.__dict__[SOURCE_NAT])
    balancer.ip_address_type = wanted
    return ActionResult({"IpAddressType": wanted})


def availability_zones(balancer: Any) -> list[AvailabilityZone]:
    """The zones, with their fixed addresses and the prefixes for source NAT."""
    zones = [AvailabilityZone(subnet) for subnet in balancer.subnets]
    _, _, _, region, account, _ = balancer.arn.split(":", 5)
    for zone in zones:
        told: Any = zone
        mapping = balancer.mappings.get(zone.subnet_id, {})
        elastic = (
            elb_interfaces.elastic(account, region, description_of(balancer), zone.subnet_id)
            if "AllocationId" in mapping
            else {}
        )
        chosen = {key: mapping[key] for key in ("PrivateIPv4Address", "IPv6Address") if key in mapping}
        told.load_balancer_addresses = [{**elastic, **chosen}] if elastic or chosen else []
        told.SourceNatIpv6Prefixes = [mapping["SourceNatIpv6Prefix"]] if "SourceNatIpv6Prefix" in mapping else []
    return zones
