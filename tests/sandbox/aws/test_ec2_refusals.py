"""What EC2 refuses in the calls that matter to load balancing: security groups, ids, filters, tags.

The codes are AWS's; the texts are those that its users report, where we know one.
"""

from typing import Any

import pytest

from tests.sandbox.aws.elb_requests import Document, World
from tests.sandbox.aws.harness import refusal


def permission(
    first: int | None = 80, last: int | None = 80, protocol: str = "tcp", cidr: str = "10.0.0.0/8", **more: Any
) -> Document:
    ports = {} if first is None else {"FromPort": first, "ToPort": last}
    ranges = [{"CidrIp": cidr}] if cidr else []
    return {"IpProtocol": protocol, **ports, "IpRanges": ranges, **more}


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"GroupName": "sg-web"}, "InvalidParameterValue: Invalid value 'sg-web' for groupName."),
        ({"GroupName": "default"}, "InvalidParameterValue: Cannot use reserved security group name: default"),
        ({"Description": "<web>"}, "InvalidParameterValue: Invalid security group description."),
        ({"Description": "w" * 256}, "InvalidParameterValue: Invalid security group description."),
        ({"VpcId": "vpc-12345678"}, "InvalidVpcID.NotFound: The vpc ID 'vpc-12345678' does not exist"),
        (
            {"TagSpecifications": [{"ResourceType": "subnet", "Tags": [{"Key": "a", "Value": "b"}]}]},
            "InvalidParameterValue: 'subnet' is not a valid taggable resource type for this operation.",
        ),
    ],
)
def test_a_group_that_cannot_be_is_refused(world: World, wish: Document, said: str) -> None:
    given = {"GroupName": world.fresh(), "Description": "of a test", "VpcId": world.vpc, **wish}
    assert ": ".join(refusal(world.ec2.create_security_group, **given)).startswith(said)


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ([], "MissingParameter: "),
        ([permission(cidr="")], "MissingParameter: "),
        ([permission(), permission()], "InvalidParameterValue: The same permission must not appear multiple times"),
        ([permission(cidr="300.0.0.0/8")], "InvalidParameterValue: CIDR block 300.0.0.0/8 is malformed"),
        ([permission(cidr="10.0.0.1")], "InvalidParameterValue: CIDR block 10.0.0.1 is malformed"),
        ([permission(cidr="::/0")], "InvalidParameterValue: CIDR block ::/0 is malformed"),
        ([permission(90, 80)], "InvalidParameterValue: Invalid TCP port range (90-80)"),
        ([permission(1, 70000, "udp")], "InvalidParameterValue: Invalid UDP port range (1-70000)"),
        (
            [permission(None)],
            "InvalidParameterValue: Invalid value 'Must specify both from and to ports with TCP/UDP.'",
        ),
        ([permission(protocol="http")], "InvalidParameterValue: Invalid value 'http' for IP protocol."),
        (
            [permission(cidr="", IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "a|b"}])],
            "InvalidParameterValue: Invalid rule description.",
        ),
        ([permission(cidr="", UserIdGroupPairs=[{"GroupId": "sg-12345678"}])], "InvalidGroup.NotFound: "),
        ([permission(cidr="", PrefixListIds=[{"PrefixListId": "pl-12345678"}])], "InvalidPrefixListID.NotFound: "),
    ],
)
def test_a_rule_that_cannot_be_is_refused(world: World, permissions: list[Document], said: str) -> None:
    given = {"GroupId": world.security_group(), "IpPermissions": permissions}
    assert ": ".join(refusal(world.ec2.authorize_security_group_ingress, **given)).startswith(said)


def test_rules_are_added_and_removed_together_or_not_at_all(world: World) -> None:
    group = world.security_group()

    def ports() -> list[int]:
        (told,) = world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [one["FromPort"] for one in told["IpPermissions"]]

    add, remove = world.ec2.authorize_security_group_ingress, world.ec2.revoke_security_group_ingress
    both = [permission(port, port) for port in (80, 443)]
    assert len(add(GroupId=group, IpPermissions=both)["SecurityGroupRules"]) == 2
    more = [permission(8080, 8080), permission()]
    assert refusal(add, GroupId=group, IpPermissions=more) == (
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" already exists',
    )
    assert refusal(remove, GroupId=group, IpPermissions=[*both, *more[:1]])[0] == "InvalidPermission.NotFound"
    unknown = {"GroupId": group, "SecurityGroupRuleIds": ["sgr-12345678901234567"]}
    assert refusal(remove, **unknown)[0] == "InvalidSecurityGroupRuleId.NotFound"
    assert ports() == [80, 443]
    assert refusal(add, GroupId=group, IpPermissions=[permission(n, n) for n in range(1, 60)])[0] == (
        "RulesPerSecurityGroupLimitExceeded"
    )
    assert ports() == [80, 443]
    remove(GroupId=group, IpPermissions=both)
    assert ports() == []


def test_a_rule_is_returned_in_awss_form(world: World) -> None:
    group = world.security_group()
    asked = [permission(protocol="6", cidr="10.1.2.3/8")]
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=asked)
    (told,) = world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    (rule,) = told["IpPermissions"]
    assert (rule["IpProtocol"], rule["IpRanges"]) == ("tcp", [{"CidrIp": "10.0.0.0/8"}])
    world.ec2.revoke_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.9.9.9/8"
    )
    assert world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []


def test_a_rule_names_a_group_of_the_same_vpc(world: World) -> None:
    pair = {"GroupId": World(world.aws).security_group()}
    given = {"GroupId": world.security_group(), "IpPermissions": [permission(cidr="", UserIdGroupPairs=[pair])]}
    assert refusal(world.ec2.authorize_security_group_ingress, **given) == (
        "InvalidGroup.NotFound",
        "You have specified two resources that belong to different networks.",
    )


@pytest.mark.parametrize(
    ("call", "wish", "said"),
    [
        ("describe_security_groups", {"GroupIds": ["web"]}, 'InvalidGroupId.Malformed: Invalid id: "web"'),
        (
            "describe_security_groups",
            {"GroupIds": ["sg-12345678"]},
            "InvalidGroup.NotFound: The security group 'sg-12345678' does not exist",
        ),
        ("describe_instances", {"InstanceIds": ["web"]}, 'InvalidInstanceID.Malformed: Invalid id: "web"'),
        (
            "describe_managed_prefix_lists",
            {"PrefixListIds": ["pl-12345678"]},
            "InvalidPrefixListID.NotFound: The prefix list ID 'pl-12345678' does not exist",
        ),
        (
            "describe_volumes",
            {"VolumeIds": ["vol-12345678"]},
            "InvalidVolume.NotFound: The volume 'vol-12345678' does not exist.",
        ),
        (
            "describe_subnets",
            {"Filters": [{"Name": "color", "Values": ["red"]}]},
            "InvalidParameterValue: The filter 'color' is invalid",
        ),
    ],
)
def test_a_question_that_cannot_be_is_refused(world: World, call: str, wish: Document, said: str) -> None:
    assert ": ".join(refusal(getattr(world.ec2, call), **wish)).startswith(said)


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ([], "MissingParameter"),
        ([("aws:team", "edge")], "Tag keys starting with 'aws:' are reserved for internal use"),
        ([("team", "a"), ("team", "b")], "Duplicate tag key 'team' specified."),
        ([("t" * 129, "")], "Tag key exceeds the maximum length of 128 characters"),
        ([("team", "e" * 257)], "Tag value exceeds the maximum length of 256 characters"),
    ],
)
def test_a_tag_that_cannot_be_is_refused(world: World, tags: list[tuple[str, str]], said: str) -> None:
    wish = [{"Key": key, "Value": value} for key, value in tags]
    assert said in ": ".join(refusal(world.ec2.create_tags, Resources=[world.security_group()], Tags=wish))
