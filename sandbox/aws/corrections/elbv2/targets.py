"""Target groups: address *and* port identify a target, and a group knows which load balancers forward to it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
"""

import ipaddress
import re
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeTargetGroup, elbv2_backends

from sandbox.aws.corrections.elbv2.addresses import ipv6_networks
from sandbox.aws.corrections.elbv2.health import comes, goes, key_of
from sandbox.aws.corrections.elbv2.limits import TARGETS, check_room
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_PRIVATE = [ipaddress.ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
"""Addresses outside the VPC that may be targets: RFC 1918 and RFC 6598."""
_SERVER = re.compile("0x[0-9a-f]{16}")


def install() -> None:
    """Install the corrections."""
    # moto appends to a list and never removes anything from it, so compute it again and drop what moto appends.
    FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, lambda self, value: None)  # noqa: ARG005  # pyright: ignore[reportAttributeAccessIssue] - a plain attribute of moto's
    replace(FakeTargetGroup, "register", register)
    replace(FakeTargetGroup, "deregister", deregister)
    replace(FakeTargetGroup, "deregister_terminated_instances", forget_instances)
    delete = ELBv2Backend.delete_target_group

    def delete_target_group(self: ELBv2Backend, target_group_arn: str) -> Any:
        # Deleting a missing one is no error:
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html
        if target_group_arn not in self.target_groups:
            return None
        gone = delete(self, target_group_arn)
        self.tagging_service.delete_all_tags_for_resource(target_group_arn)
        return gone

    replace(ELBv2Backend, "delete_target_group", delete_target_group)


def load_balancer_arns(group: Any) -> list[str]:
    """The load balancers with a rule that forwards to `group`."""
    backend = elbv2_backends[group.account_id][group.region_name]
    if backend not in _users:
        _users[backend] = users_of_groups(backend)
    return _users[backend].get(group.arn, [])


# DescribeTargetGroups asks for every group, so compute it once between two writes.
_users: dict[Any, dict[str, list[str]]] = {}


def forget_users() -> None:
    """A call may have changed which load balancers forward to which groups."""
    _users.clear()


def users_of_groups(backend: ELBv2Backend) -> dict[str, list[str]]:
    """The load balancers that forward to each target group."""
    users: dict[str, list[str]] = {}
    for balancer in backend.load_balancers.values():
        rules = (
            rule
            for listener in balancer.listeners.values()
            for rule in (*listener._non_default_rules.values(), *listener._default_rule.values())
        )
        actions = (action for rule in rules for action in rule.actions)
        for arn in dict.fromkeys(a for action in actions for a in backend._get_target_group_arns_from(action.data)):
            users.setdefault(arn, []).append(balancer.arn)
    return users


def register(group: Any, targets: list[dict[str, Any]]) -> None:
    """RegisterTargets: all of them, or none if one is invalid."""
    servers = {target["QuicServerId"]: key for key, target in group.targets.items() if target.get("QuicServerId")}
    for target in targets:
        check_target(group, target)
        check_server(group, target, servers)
    given = {target["Id"]: target["AvailabilityZone"] for target in targets if target.get("AvailabilityZone")}
    zones = {**zone_by_target(group, [target["Id"] for target in targets]), **given}
    new = {key_of(group, target): target for target in targets}
    most = 1 if group.target_type in {"lambda", "alb"} else TARGETS
    check_room("TooManyTargets", f"targets in target group '{group.arn}'", len({*group.targets, *new}), most)
    for (name, port), target in new.items():
        held = {"Id": name, "Port": port, "AvailabilityZone": zones[name], "QuicServerId": target.get("QuicServerId")}
        group.targets[name, port] = held
        comes(group, (name, port))


def check_target(group: Any, target: dict[str, Any]) -> None:
    """Raise unless the target has the group's type and is reachable."""
    name = target["Id"]
    if target.get("AvailabilityZone") and group.target_type in {"instance", "alb"}:
        raise Refusal(
            "ValidationError",
            f"You cannot specify an Availability Zone for targets of a target group with type '{group.target_type}'",
        )
    match group.target_type:
        case "instance":
            check_instance(group, name)
        case "ip":
            check_address(group, name, target.get("AvailabilityZone"))
        case "alb":
            check_balancer(group, name, target.get("Port", group.port))
        case _:
            if not name.startswith("arn:") or ":lambda:" not in name or ":function:" not in name:
                raise Refusal("InvalidTarget", f"The target '{name}' is not the ARN of a Lambda function")


def check_instance(group: Any, name: str) -> None:
    """Raise unless an instance is in the group's VPC."""
    found = group.ec2_backend.get_instance_by_id(name)
    if found is None or found.vpc_id != group.vpc_id:
        raise Refusal(
            "InvalidTarget", f"The following targets are not in the target group VPC '{group.vpc_id}': '{name}'"
        )
    if found.state != "running":
        raise Refusal(
            "InvalidTarget", f"The following targets are not in a running state and cannot be registered: '{name}'"
        )


def check_address(group: Any, name: str, zone: str | None) -> None:
    """Raise unless an address has the group's IP version and is in its VPC, or is private with a given zone."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    if address is None or f"ipv{address.version}" != group.IpAddressType:
        words = {"ipv4": "IPv4", "ipv6": "IPv6"}[group.IpAddressType]
        raise Refusal("ValidationError", f"The IP address '{name}' is not a valid {words} address")
    if zone_by_target(group, [name])[name] is not None:
        return
    if not any(address in network for network in _PRIVATE if network.version == address.version):
        raise Refusal(
            "InvalidTarget",
            f"The IP address '{name}' is not allowed, as it must be an address from a VPC subnet, RFC1918, or RFC6598",
        )
    vpc = group.ec2_backend.get_vpc(group.vpc_id)
    inside = any(address in ipaddress.ip_network(one["cidr_block"]) for one in vpc.get_cidr_block_association_set())
    if zone is None and not inside:
        raise Refusal(
            "ValidationError",
            f"You must specify an Availability Zone for the IP address '{name}': it is outside the VPC"
            f" '{group.vpc_id}'",
        )


def check_balancer(group: Any, arn: str, port: int) -> None:
    """Raise unless an Application Load Balancer in the group's VPC listens on the target's port."""
    balancer: Any = elbv2_backends[group.account_id][group.region_name].load_balancers.get(arn)
    if balancer is None or balancer.type != "application" or balancer.vpc_id != group.vpc_id:
        raise Refusal("InvalidTarget", f"The target '{arn}' is not an Application Load Balancer in '{group.vpc_id}'")
    if not any(listener.port == port for listener in balancer.listeners.values()):
        raise Refusal("InvalidTarget", f"The target '{arn}' must have a listener on the target's port '{port}'")


def check_server(group: Any, target: dict[str, Any], servers: dict[str, Any]) -> None:
    """Raise unless each target of a QUIC group, and no other, has a unique server id that never changes."""
    server, key = target.get("QuicServerId"), key_of(group, target)
    if group.protocol not in {"QUIC", "TCP_QUIC"}:
        if server:
            raise Refusal("ValidationError", f"QuicServerId is not supported with protocol '{group.protocol}'")
        return
    if not server or not _SERVER.fullmatch(server):
        raise Refusal(
            "ValidationError", f"QuicServerId '{server}' must be '0x' and 16 lowercase hexadecimal characters"
        )
    if servers.setdefault(server, key) != key:
        raise Refusal("ValidationError", f"QuicServerId '{server}' is in use by another target")
    held = group.targets.get(key)
    if held and held.get("QuicServerId") != server:
        raise Refusal("ValidationError", f"The QuicServerId of registered target '{target['Id']}' cannot be changed")


def zone_by_target(group: Any, names: list[str]) -> dict[str, str | None]:
    """The zones of instances, or of the subnets that contain addresses; None for an address outside all subnets."""
    if group.target_type == "instance":
        found = {name: group.ec2_backend.get_instance_by_id(name) for name in names}
        return {name: machine.placement.zone if machine else None for name, machine in found.items()}
    if group.target_type != "ip" or not names:
        return dict.fromkeys(names)
    subnets = group.ec2_backend.describe_subnets(filters={"vpc-id": [group.vpc_id]})
    placed = {name: ipaddress.ip_address(name) for name in names}
    return {
        name: next(
            (s.availability_zone for s in subnets if any(address in n for n in [s.cidr, *ipv6_networks(s)])), None
        )
        for name, address in placed.items()
    }


def deregister(group: Any, targets: list[dict[str, Any]]) -> None:
    """DeregisterTargets: by address and port, or by address alone on all ports; missing targets are no error."""
    for target in targets:
        gone = [key for key in group.targets if key[0] == target["Id"] and target.get("Port") in {None, key[1]}]
        for key in gone:
            goes(group, key)
            del group.targets[key]


def forget_instances(group: Any, instance_ids: list[str]) -> None:
    """Terminated instances are no longer targets."""
    deregister(group, [{"Id": instance_id} for instance_id in instance_ids])
