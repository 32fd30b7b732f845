"""Security groups and their rules."""

from collections.abc import Mapping
from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, known, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.ec2.common import created_before, described_one, retag, tag_specification
from sandbox.providers.common.fields import Field, each, same_by

IN_LINE = {
    **each("fromPort", "toPort", "protocol", required=True),
    **each("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups", "self", "description"),
}
"""An in-line rule of a security group."""

Atom = tuple[str, int, int, str, str, str]
"""Protocol, first port, last port, kind of peer (AWS's name of its list), peer, description: AWS's key of a rule."""

PEERS = {
    "cidrBlocks": ("IpRanges", "CidrIp"),
    "ipv6CidrBlocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefixListIds": ("PrefixListIds", "PrefixListId"),
    "securityGroups": ("UserIdGroupPairs", "GroupId"),
}


def atoms(rules: Any, group_id: str) -> set[Atom]:
    """In-line rules split up, one for each peer."""
    found: set[Atom] = set()
    for rule in rules or ():
        protocol, said = str(rule["protocol"]), rule.get("description") or ""
        first, last = (-1, -1) if protocol == "-1" else (rule["fromPort"], rule["toPort"])
        for name, (peers, _) in PEERS.items():
            found |= {(protocol, first, last, peers, peer, said) for peer in rule.get(name) or ()}
        if rule.get("self"):
            found.add((protocol, first, last, "UserIdGroupPairs", group_id, said))
    return found


def permission(atom: Atom) -> dict[str, Any]:
    """One split rule as AWS's IpPermission."""
    protocol, first, last, peers, peer, said = atom
    key = next(key for name, key in PEERS.values() if name == peers)
    ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
    return {"IpProtocol": protocol, **ports, peers: [{key: peer, **known(Description=said or None)}]}


def rules_of(permissions: Any, group_id: str) -> list[dict[str, Any]]:
    """AWS's IpPermissions as in-line rules, one for each peer."""
    rules: list[dict[str, Any]] = []
    for one in permissions:
        protocol = one["IpProtocol"]
        ports = {"fromPort": one.get("FromPort", 0), "toPort": one.get("ToPort", 0)}
        ports = {"fromPort": 0, "toPort": 0} if protocol == "-1" else ports
        for name, (peers, key) in PEERS.items():
            for peer in one.get(peers, ()):
                to = {"self": True} if peer[key] == group_id else {name: [peer[key]]}
                rules.append({"protocol": protocol, **ports, **to, **known(description=peer.get("Description"))})
    return rules


def _create_group(aws: Aws, wanted: Wanted) -> str:
    ec2 = aws.client("ec2")
    made = created_before(aws, "describe_security_groups", wanted) or ec2.create_security_group(
        GroupName=wanted["name"],
        Description=wanted.get("description", "Managed by Pulumi"),
        **wanted.parameters("vpcId"),
        TagSpecifications=tag_specification("security-group", wanted),
    )
    _set_rules(aws, made["GroupId"], wanted, {"ingress", "egress"} & set(wanted.inputs))
    if "egress" not in wanted.inputs:
        _revoke_default(aws, made["GroupId"])
    return made["GroupId"]


def _revoke_default(aws: Aws, group_id: str) -> None:
    """Removes AWS's default "allow all egress", as the real provider does: a program states what it allows."""
    group = described_one(aws, "describe_security_groups", GroupIds=[group_id]) or {}
    default = atoms([{"protocol": "-1", "cidrBlocks": ["0.0.0.0/0"]}], group_id)
    if default <= atoms(rules_of(group["IpPermissionsEgress"], group_id), group_id):
        permissions = [permission(atom) for atom in default]
        aws.client("ec2").revoke_security_group_egress(GroupId=group_id, IpPermissions=permissions)


def _set_rules(aws: Aws, group_id: str, wanted: Wanted, changed: set[str]) -> None:
    ec2 = aws.client("ec2")
    group = described_one(aws, "describe_security_groups", GroupIds=[group_id]) or {}
    for name, listed in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        if name not in changed:
            continue
        has = atoms(rules_of(group.get(listed, ()), group_id), group_id)
        wants = atoms(wanted.get(name), group_id)
        if has - wants:
            revoke = getattr(ec2, f"revoke_security_group_{name}")
            revoke(GroupId=group_id, IpPermissions=[permission(atom) for atom in sorted(has - wants)])
        if wants - has:
            authorize = getattr(ec2, f"authorize_security_group_{name}")
            authorize(GroupId=group_id, IpPermissions=[permission(atom) for atom in sorted(wants - has)])


def _read_group(aws: Aws, group_id: str, state: State) -> dict[str, Any] | None:
    group = described_one(aws, "describe_security_groups", GroupIds=[group_id])
    if group is None:
        return None
    # If a program has no in-line rules, rules of other resources and of the load balancer controller are not its own.
    rules = {"ingress": group["IpPermissions"], "egress": group["IpPermissionsEgress"]}
    return {
        "name": group["GroupName"],
        "description": group["Description"],
        "vpcId": group.get("VpcId"),
        **{name: rules_of(found, group_id) for name, found in rules.items() if name in state},
        "arn": group.get("SecurityGroupArn") or aws.arn("ec2", f"security-group/{group_id}"),
        "ownerId": group.get("OwnerId") or aws.account,
        "tagsAll": tag_map(group.get("Tags")),
    }


SECURITY_GROUP = Kind(
    type="aws:ec2/securityGroup:SecurityGroup",
    inputs={
        "name": Field(replaces=True),
        "description": Field(replaces=True, default="Managed by Pulumi"),
        "vpcId": Field(replaces=True),
        **each("ingress", "egress", same=same_by(lambda rules: atoms(rules, "self")), inside=IN_LINE, default=[]),
        "revokeRulesOnDelete": Field(default=False),
    },
    outputs=("arn", "ownerId"),
    calls=Calls(_create_group, _read_group, _set_rules, deleting("ec2", "delete_security_group", "GroupId")),
    retag=retag,
    naming=("name", 255),
)


def _rule(inputs: Any) -> dict[str, Any]:
    """A rule as ModifySecurityGroupRules takes it."""
    everything = inputs["ipProtocol"] == "-1"
    return known(
        IpProtocol=inputs["ipProtocol"],
        FromPort=-1 if everything else inputs.get("fromPort"),
        ToPort=-1 if everything else inputs.get("toPort"),
        CidrIpv4=inputs.get("cidrIpv4"),
        CidrIpv6=inputs.get("cidrIpv6"),
        PrefixListId=inputs.get("prefixListId"),
        ReferencedGroupId=inputs.get("referencedSecurityGroupId"),
        Description=inputs.get("description"),
    )


def _rule_kind(name: str, *, egress: bool) -> Kind:
    direction = "egress" if egress else "ingress"

    def create(aws: Aws, wanted: Wanted) -> str:
        if made := created_before(aws, "describe_security_group_rules", wanted, group_id=wanted["securityGroupId"]):
            return made["SecurityGroupRuleId"]
        rule = _rule(wanted)
        peers = {
            "IpRanges": ("CidrIpv4", "CidrIp"),
            "Ipv6Ranges": ("CidrIpv6", "CidrIpv6"),
            "PrefixListIds": ("PrefixListId", "PrefixListId"),
            "UserIdGroupPairs": ("ReferencedGroupId", "GroupId"),
        }
        said = known(Description=rule.get("Description"))
        to = {ours: [{key: rule[theirs], **said}] for ours, (theirs, key) in peers.items() if theirs in rule}
        ports = {key: rule[key] for key in ("FromPort", "ToPort") if key in rule}
        authorize = getattr(aws.client("ec2"), f"authorize_security_group_{direction}")
        answer = authorize(
            GroupId=wanted["securityGroupId"],
            IpPermissions=[{"IpProtocol": rule["IpProtocol"], **ports, **to}],
            TagSpecifications=tag_specification("security-group-rule", wanted),
        )
        return answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]

    def read(aws: Aws, rule_id: str, _state: State) -> dict[str, Any] | None:
        rule = described_one(aws, "describe_security_group_rules", SecurityGroupRuleIds=[rule_id])
        return rule and _read_rule(aws, rule)

    def update(aws: Aws, rule_id: str, wanted: Wanted, changed: set[str]) -> None:
        if changed:
            aws.client("ec2").modify_security_group_rules(
                GroupId=wanted["securityGroupId"],
                SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": _rule(wanted)}],
            )

    def delete(aws: Aws, rule_id: str, state: State) -> None:
        revoke = getattr(aws.client("ec2"), f"revoke_security_group_{direction}")
        revoke(GroupId=state["securityGroupId"], SecurityGroupRuleIds=[rule_id])

    return Kind(
        type=f"aws:vpc/{name[0].lower()}{name[1:]}:{name}",
        inputs={
            "securityGroupId": Field(required=True, replaces=True),
            "ipProtocol": Field(required=True),
            **each("fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"),
            "description": Field(),
        },
        outputs=("arn", "securityGroupRuleId"),
        calls=Calls(create, read, update, delete),
        retag=retag,
    )


def _read_rule(aws: Aws, rule: Mapping[str, Any]) -> dict[str, Any]:
    everything = rule["IpProtocol"] == "-1"
    rule_id = rule["SecurityGroupRuleId"]
    return {
        "securityGroupId": rule["GroupId"],
        "ipProtocol": rule["IpProtocol"],
        "fromPort": None if everything else rule.get("FromPort"),
        "toPort": None if everything else rule.get("ToPort"),
        "cidrIpv4": rule.get("CidrIpv4"),
        "cidrIpv6": rule.get("CidrIpv6"),
        "prefixListId": rule.get("PrefixListId"),
        "referencedSecurityGroupId": (rule.get("ReferencedGroupInfo") or {}).get("GroupId"),
        **known(description=rule.get("Description")),
        "arn": rule.get("SecurityGroupRuleArn") or aws.arn("ec2", f"security-group-rule/{rule_id}"),
        "securityGroupRuleId": rule_id,
        "tagsAll": tag_map(rule.get("Tags")),
    }


KINDS = (
    SECURITY_GROUP,
    _rule_kind("SecurityGroupIngressRule", egress=False),
    _rule_kind("SecurityGroupEgressRule", egress=True),
)
