"""What cannot be deleted while something uses it: security groups, subnets, VPCs.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
"""

from collections.abc import Callable
from typing import Any

from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.security_groups import SecurityGroups

from sandbox.aws.corrections.errors import depends
from sandbox.aws.corrections.interfaces import groups
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal


def install() -> None:
    """Install the corrections."""
    replace(SecurityGroups, "delete_security_group", deleting_group(SecurityGroups.delete_security_group))
    replace(SubnetBackend, "delete_subnet", deleting_subnet(SubnetBackend.delete_subnet))
    replace(VPCBackend, "delete_vpc", deleting_vpc(VPCBackend.delete_vpc))
    make = SecurityGroup.__init__

    def init(self: Any, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        if self.is_default and self.vpc_id:
            admit_members(self)

    replace(SecurityGroup, "__init__", init)


def deleting_group(delete: Callable[..., Any]) -> Callable[..., Any]:
    """DeleteSecurityGroup: only if nothing uses it."""

    def delete_security_group(self: SecurityGroups) -> Any:
        name, group_id = self._get_param("GroupName"), self._get_param("GroupId")
        group = self.ec2_backend.get_security_group_by_name_or_id(group_id or name)
        if group:
            check_unused(self.ec2_backend, group)
        return delete(self)

    return delete_security_group


def deleting_subnet(delete: Callable[..., Any]) -> Callable[..., Any]:
    """DeleteSubnet: only without interfaces. Its associations are deleted too; moto keeps them for ever."""

    def delete_subnet(self: Any, subnet_id: str) -> Any:
        if any(i.subnet.id == subnet_id for i in self.enis.values()):
            raise depends(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        for table in self.route_tables.values():
            table._associations = {k: s for k, s in table._associations.items() if s != subnet_id}
        for acl in self.network_acls.values():
            kept = {k: a for k, a in acl._associations.items() if a.subnet_id != subnet_id}
            acl._associations = kept
        return delete(self, subnet_id)

    return delete_subnet


def deleting_vpc(delete: Callable[..., Any]) -> Callable[..., Any]:
    """DeleteVpc: only if it contains nothing but its default resources, which are deleted with it."""

    def delete_vpc(self: Any, vpc_id: str) -> Any:
        used = (
            any(g.vpc and g.vpc.id == vpc_id for g in self.internet_gateways.values())
            or any(i.subnet.vpc_id == vpc_id for i in self.enis.values())
            or any(not g.is_default for g in self.groups[vpc_id].values())
            or any(e.vpc_id == vpc_id and e.state != "deleted" for e in self.vpc_end_points.values())
        )
        if used:
            raise depends(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        gone = delete(self, vpc_id)
        self.network_acls = {k: acl for k, acl in self.network_acls.items() if acl.vpc_id != vpc_id}
        return gone

    return delete_vpc


def admit_members(group: Any) -> None:
    """A VPC's default group allows traffic from its own members.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    rules = group.ec2_backend._iterate_security_rules(
        "-1", group.id, None, None, [], [{"GroupId": group.id, "UserId": group.owner_id}], []
    )
    for rule in rules:
        group.add_ingress_rule(rule)


def check_unused(ec2: Any, group: Any) -> None:
    """Raise if an interface has `group`, if another group's rules refer to it, or if it is a VPC's default group."""
    if group.is_default:
        raise Refusal(
            "CannotDelete", f'the specified group: "{group.id}" name: "{group.name}" cannot be deleted by a user'
        )
    carried = any(group in groups(i) for i in ec2.enis.values())
    others = (g for vpc in ec2.groups.values() for g in vpc.values() if g.id != group.id)
    referenced = any(
        rule.source_group.get("GroupId") == group.id for g in others for rule in (*g.ingress_rules, *g.egress_rules)
    )
    if carried or referenced:
        raise depends(f"resource {group.id} has a dependent object")
