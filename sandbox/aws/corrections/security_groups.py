"""Security groups: what a group and its rules can be, all rules of a request or none. Prefix lists in rules.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PrefixListId.html
"""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.vpcs import VPCs

from sandbox.aws.corrections.security_group_rules import TEXT, Permission, faults, keys, listed, unfit, words
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal


def install() -> None:
    """Install the corrections."""
    make, flatten = SecurityGroupRule.__init__, SecurityGroup._flattened_rules

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        given = more.get("prefix_list_id") or (arguments[7] if len(arguments) > 7 else None) or {}  # noqa: PLR2004 - its place
        self.prefix_list_description = given.get("Description")

    def flattened_rules(self: SecurityGroup, rules: list[Any]) -> list[Any]:
        views = flatten(self, rules)
        said = {
            (rule.ip_protocol, rule.from_port, rule.to_port, rule.prefix_list_id): rule.prefix_list_description
            for rule in rules
            if rule.prefix_list_id and rule.prefix_list_description
        }
        for view in views:
            for prefixes in view.prefix_list_ids:
                key = (view.ip_protocol, view.from_port, view.to_port, prefixes["PrefixListId"])
                if key in said:
                    prefixes["Description"] = said[key]
        return views

    replace(SecurityGroupRule, "__init__", init)
    replace(SecurityGroup, "_flattened_rules", flattened_rules)
    replace(SecurityGroups, "create_security_group", creating(SecurityGroups.create_security_group))
    for way in ("ingress", "egress"):
        for name, wrapped in (("authorize", authorizing), ("revoke", revoking)):
            method = f"{name}_security_group_{way}"
            replace(SecurityGroups, method, wrapped(getattr(SecurityGroups, method), f"{way}_rules"))
    describe = VPCs.describe_managed_prefix_lists

    def describe_managed_prefix_lists(self: VPCs) -> Any:
        _check_prefix_lists(self.ec2_backend, self._get_param("PrefixListIds") or [])
        return describe(self)

    replace(VPCs, "describe_managed_prefix_lists", describe_managed_prefix_lists)


def creating(create: Callable[..., Any]) -> Callable[..., Any]:
    """CreateSecurityGroup: in a VPC that exists, with a valid name and description."""

    def create_security_group(self: SecurityGroups) -> Any:
        name, vpc_id = self._get_param("GroupName"), self._get_param("VpcId")
        specs = self._get_param("TagSpecifications") or []
        wrong = next((one["ResourceType"] for one in specs if one["ResourceType"] != "security-group"), None)
        for bad, text in (
            (name == "default", f"Cannot use reserved security group name: {name}"),
            (
                name.lower().startswith("sg-"),
                f"Invalid value '{name}' for groupName. Group names may not be in the format sg-*.",
            ),
            (not TEXT.fullmatch(name), f"Invalid value '{name}' for groupName."),
            (not TEXT.fullmatch(self._get_param("Description") or ""), unfit("security group")),
            (wrong, f"'{wrong}' is not a valid taggable resource type for this operation."),
        ):
            if bad:
                raise Refusal("InvalidParameterValue", text)
        if vpc_id and vpc_id not in self.ec2_backend.vpcs:
            raise Refusal("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
        return create(self)

    return create_security_group


def authorizing(authorize: Callable[..., Any], rules: str) -> Callable[..., Any]:
    """AuthorizeSecurityGroupIngress and -Egress: all rules or none, in AWS's form; the answer has all of them."""

    def action(self: SecurityGroups) -> ActionResult:
        group, wanted = _asked(self)
        held = list(getattr(group, rules))
        for fault in faults(wanted):
            raise Refusal(*fault)
        _check_sources(self.ec2_backend, group, wanted)
        known = {_key(rule) for rule in held}
        for key in (key for permission in wanted for key in keys(permission)):
            if key in known:
                raise Refusal("InvalidPermission.Duplicate", f'the specified rule "{words(key)}" already exists')
        try:
            authorize(self)
        except Exception:
            setattr(group, rules, held)
            raise
        new = [rule for rule in getattr(group, rules) if rule not in held]
        return ActionResult({"Return": True, "SecurityGroupRules": new})

    return action


def revoking(revoke: Callable[..., Any], rules: str) -> Callable[..., Any]:
    """RevokeSecurityGroupIngress and -Egress: all rules or none."""

    def action(self: SecurityGroups) -> Any:
        group, _ = _asked(self)
        held = list(getattr(group, rules))
        for rule_id in self._get_param("SecurityGroupRuleIds") or []:
            if rule_id not in {rule.id for rule in held}:
                text = f"The security group rule ID '{rule_id}' does not exist"
                raise Refusal("InvalidSecurityGroupRuleId.NotFound", text)
        try:
            return revoke(self)
        except Exception:
            setattr(group, rules, held)
            raise

    return action


def _asked(self: SecurityGroups) -> tuple[Any, list[Permission]]:
    """The group of a request, and its permissions, which moto finds in AWS's form then."""
    params = self._get_params()
    name = params.get("GroupId") or params.get("GroupName")
    group = self.ec2_backend.get_security_group_by_name_or_id(name)
    if group is None:
        raise Refusal("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
    wanted = listed(params)
    for key in ("IpProtocol", "FromPort", "ToPort", "CidrIp"):
        params.pop(key, None)
    if wanted:
        params["IpPermissions"] = wanted
    return group, wanted


def _check_sources(ec2: Any, group: Any, wanted: list[Permission]) -> None:
    """Raise unless the groups and prefix lists that rules refer to exist, in the group's VPC."""
    for permission in wanted:
        for pair in permission.get("UserIdGroupPairs") or []:
            other = ec2.get_security_group_by_name_or_id(pair.get("GroupId") or pair.get("GroupName"))
            if other is not None and other.vpc_id != group.vpc_id:
                text = "You have specified two resources that belong to different networks."
                raise Refusal("InvalidGroup.NotFound", text)
        _check_prefix_lists(ec2, [one["PrefixListId"] for one in permission.get("PrefixListIds") or []])


def _check_prefix_lists(ec2: Any, ids: list[str]) -> None:
    """Raise unless the prefix lists exist."""
    for one in ids:
        if one not in ec2.managed_prefix_lists:
            raise Refusal("InvalidPrefixListID.NotFound", f"The prefix list ID '{one}' does not exist")


def _key(rule: Any) -> tuple[str, Any, Any, str]:
    """What identifies a rule that exists, as in a request."""
    peers = (
        rule.ip_range.get("CidrIp"),
        rule.ip_range.get("CidrIpv6"),
        rule.prefix_list_id,
        rule.source_group.get("GroupId"),
    )
    return rule.ip_protocol, rule.from_port, rule.to_port, str(next((peer for peer in peers if peer), ""))
