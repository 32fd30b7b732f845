"""Target groups: targets are known by address *and* port, and a group knows which load balancers forward to it.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from moto.elbv2.exceptions import DuplicateTargetGroupName
from moto.elbv2.models import ELBv2Backend, FakeTargetGroup, elbv2_backends

from sandbox.aws.corrections.elb_attributes import target_group_defaults
from sandbox.aws.corrections.elb_health import comes, goes, key_of
from sandbox.aws.corrections.errors import Refusal
from sandbox.aws.patching import replace


def install() -> None:
    """Put it right."""
    init = FakeTargetGroup.__init__

    def make(self: Any, *arguments: Any, **more: Any) -> None:
        init(self, *arguments, **more)
        self.attributes = target_group_defaults(self.protocol, self.target_type)

    replace(FakeTargetGroup, "__init__", make)
    # moto appends to a list and never takes anything out again: it is worked out anew, what moto appends is lost.
    FakeTargetGroup.load_balancer_arns = property(load_balancer_arns, lambda self, value: None)  # noqa: ARG005  # pyright: ignore[reportAttributeAccessIssue] - a plain attribute of moto's
    replace(FakeTargetGroup, "register", register)
    replace(FakeTargetGroup, "deregister", deregister)
    replace(FakeTargetGroup, "deregister_terminated_instances", forget_instances)
    replace(ELBv2Backend, "create_target_group", creating(ELBv2Backend.create_target_group))
    replace(ELBv2Backend, "modify_target_group", modifying(ELBv2Backend.modify_target_group))
    delete = ELBv2Backend.delete_target_group

    def delete_target_group(self: ELBv2Backend, target_group_arn: str) -> Any:
        # One that is gone already is no error:
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


# Asked of every group in a DescribeTargetGroups: worked out once between two writes.
_users: dict[Any, dict[str, list[str]]] = {}


def forget_users() -> None:
    """A call may have changed who forwards to whom."""
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


def creating(create: Callable[..., Any]) -> Callable[..., Any]:
    """CreateTargetGroup: the same wish again gives the same group."""

    def create_target_group(self: ELBv2Backend, name: str, **wanted: Any) -> FakeTargetGroup:
        wish = {key: str(value) for key, value in wanted.items() if key != "tags" and value is not None}
        try:
            made = create(self, name, **wanted)
        except DuplicateTargetGroupName:
            existing: Any = next(g for g in self.target_groups.values() if g.name == name)
            if existing.wish == wish:
                return existing
            raise Refusal(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            ) from None
        made.wish = wish
        return made

    return create_target_group


def modifying(modify: Callable[..., Any]) -> Callable[..., Any]:
    """ModifyTargetGroup: a matcher also for HTTP checks of a TCP group, which moto passes over."""

    def modify_target_group(self: ELBv2Backend, arn: str, *arguments: Any, **more: Any) -> FakeTargetGroup:
        changed = modify(self, arn, *arguments, **more)
        codes = more.get("http_codes") or (arguments[7] if len(arguments) > 7 else None)  # noqa: PLR2004 - its place
        if codes:
            changed.matcher = {"HttpCode": codes}
        changed.wish = None
        return changed

    return modify_target_group


def register(group: Any, targets: list[dict[str, Any]]) -> None:
    """RegisterTargets: all of them, or none if one cannot be."""
    for target in targets:
        check_target(group, target)
    given = {target["Id"]: target["AvailabilityZone"] for target in targets if target.get("AvailabilityZone")}
    zones = {**zone_by_target(group, [target["Id"] for target in targets]), **given}
    for target in targets:
        name, port = key_of(group, target)
        group.targets[name, port] = {"Id": name, "Port": port, "AvailabilityZone": zones[name]}
        comes(group, (name, port))


def check_target(group: Any, target: dict[str, Any]) -> None:
    """Raise unless it is of the group's type and within reach."""
    name = target["Id"]
    if group.target_type == "instance":
        found = group.ec2_backend.get_instance_by_id(name)
        if found is None or found.vpc_id != group.vpc_id:
            raise Refusal(
                "InvalidTarget", f"The following targets are not in the target group VPC '{group.vpc_id}': '{name}'"
            )
        if found.state != "running":
            raise Refusal(
                "InvalidTarget", f"The following targets are not in a running state and cannot be registered: '{name}'"
            )
    elif group.target_type == "ip":
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            raise Refusal("ValidationError", f"The IP address '{name}' is not a valid IPv4 address") from None
        if not address.is_private and zone_by_target(group, [name])[name] is None:
            raise Refusal(
                "InvalidTarget", f"The IP address '{name}' is neither in the VPC of the target group nor a private one"
            )


def zone_by_target(group: Any, names: list[str]) -> dict[str, str | None]:
    """The zones of instances, or of the subnets that addresses lie in; None for what lies in no subnet."""
    if group.target_type == "instance":
        found = {name: group.ec2_backend.get_instance_by_id(name) for name in names}
        return {name: machine.placement.zone if machine else None for name, machine in found.items()}
    if group.target_type != "ip" or not names:
        return dict.fromkeys(names)
    subnets = group.ec2_backend.describe_subnets(filters={"vpc-id": [group.vpc_id]})
    placed = {name: ipaddress.ip_address(name) for name in names}
    return {
        name: next((s.availability_zone for s in subnets if address in s.cidr), None)
        for name, address in placed.items()
    }


def deregister(group: Any, targets: list[dict[str, Any]]) -> None:
    """DeregisterTargets: by address and port, by address alone on all ports; what is not there is no error."""
    for target in targets:
        gone = [key for key in group.targets if key[0] == target["Id"] and target.get("Port") in {None, key[1]}]
        for key in gone:
            goes(group, key)
            del group.targets[key]


def forget_instances(group: Any, instance_ids: list[str]) -> None:
    """Instances that were terminated are targets no more."""
    deregister(group, [{"Id": instance_id} for instance_id in instance_ids])
