"""No parameter is silently dropped: this walks AWS's model of each call that the controller makes.

Each member is returned by the matching Describe, or refused with AWS's error, or listed here with the reason.
"""

from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.elb_requests import (
    CONDITIONS,
    FIXED,
    OIDC,
    SAME_SECRET,
    TAGS,
    TRANSFORMS,
    Document,
    Operation,
    World,
    action_lists,
    dumped,
    plain_forward,
)

_SECRET = "a client secret is never told again"
_MODE = "it says what becomes of another member"
_SECRETS = {
    f"{where}Actions[].AuthenticateOidcConfig.{member}": why
    for where in ("Default", "")
    for member, why in (("ClientSecret", _SECRET), ("UseExistingClientSecret", _SECRET))
}
_HEALTH: list[Document] = [
    {
        "HealthCheckProtocol": "HTTPS", "HealthCheckPort": "8443", "HealthCheckPath": "/ok", "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 21, "HealthCheckTimeoutSeconds": 7, "HealthyThresholdCount": 3,
        "UnhealthyThresholdCount": 4, "Matcher": {"HttpCode": "200-204"},
    },
    {"Matcher": {"GrpcCode": "0-3"}},
]  # fmt: skip
_IN_MAPPING = {
    "SubnetMappings[].SubnetId": "AvailabilityZones[].SubnetId",
    "SubnetMappings[].SourceNatIpv6Prefix": "AvailabilityZones[].SourceNatIpv6Prefixes[]",
    **{
        f"SubnetMappings[].{name}": f"AvailabilityZones[].LoadBalancerAddresses[].{name}"
        for name in ("AllocationId", "PrivateIPv4Address", "IPv6Address")
    },
    "Subnets[]": "AvailabilityZones[].SubnetId",
}


def _mutual(w: World, **more: Any) -> Document:
    return {"Mode": "verify", "TrustStoreArn": w.trust_store, "IgnoreClientCertificateExpiry": True,
            "AdvertiseTrustStoreCaNames": "on", **more}  # fmt: skip


_DUAL = {"IpAddressType": "dualstack", "EnablePrefixForIpv6SourceNat": "on"}


def _dual(w: World) -> Document:
    return {**_DUAL,
            "SubnetMappings": [{"SubnetId": s, "AllocationId": w.allocation(), "IPv6Address": f"{w.prefix}0{n}::9",
                                "SourceNatIpv6Prefix": f"{w.prefix}0{n}:1::/80"} for n, s in enumerate(w.subnets)],
            }  # fmt: skip


def _internal(w: World) -> list[Document]:
    return [{"SubnetId": s, "PrivateIPv4Address": f"10.0.{n}.99"} for n, s in enumerate(w.subnets)]


def _one_zone_more(w: World, mappings: list[Document], **given: Any) -> Document:
    """SetSubnets of a load balancer that is in the first subnet only."""
    balancer = w.balancer("network", Subnets=[], SubnetMappings=mappings[:1], **given)
    return {"LoadBalancerArn": balancer, "SubnetMappings": mappings}


def _tls(w: World) -> Document:
    return {"Protocol": "TLS", "Port": 444, "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "Certificates": [{"CertificateArn": w.certificate}], "AlpnPolicy": ["HTTP2Preferred"],
            "DefaultActions": [plain_forward(w, Protocol="TCP")]}  # fmt: skip


def _tls_change(w: World) -> Document:
    balancer = w.balancer("network")
    tcp = {"Protocol": "TCP", "Port": 80, "Certificates": None}
    listener = w.listener(balancer, **tcp, DefaultActions=[plain_forward(w, Protocol="TCP")])
    return {"ListenerArn": listener, **_tls(w)}


def _rules(w: World) -> list[Document]:
    actions = action_lists(w)
    return [
        {"ListenerArn": w.listener(), "Priority": n + 7, "Actions": one, "Conditions": CONDITIONS[n % 3], "Tags": TAGS,
         "Transforms": TRANSFORMS}
        for n, one in enumerate(actions)
    ]  # fmt: skip


def _changed_rules(w: World) -> list[Document]:
    changes: list[Document] = [
        {"Actions": one, "Conditions": CONDITIONS[n % 3], "Transforms": TRANSFORMS}
        for n, one in enumerate(action_lists(w))
    ]
    held = {"Actions": [OIDC, FIXED], "Transforms": TRANSFORMS}
    return [
        *({"RuleArn": w.rule(), **change} for change in changes),
        {"RuleArn": w.rule(**held), "Actions": [SAME_SECRET, FIXED]},
        {"RuleArn": w.rule(**held), "ResetTransforms": True},
    ]


def _listener_changes(w: World) -> list[Document]:
    https: Document = {"Port": 8443, "Protocol": "HTTPS", "SslPolicy": "ELBSecurityPolicy-FS-1-2-Res-2020-10",
                       "Certificates": [{"CertificateArn": w.other_certificate}],
                       "MutualAuthentication": _mutual(w)}  # fmt: skip
    changes = [{**https, "DefaultActions": actions} for actions in action_lists(w)]
    return [
        *({"ListenerArn": w.listener(), **change} for change in changes),
        {"ListenerArn": w.listener(DefaultActions=[OIDC, FIXED]), "DefaultActions": [SAME_SECRET, FIXED]},
        _tls_change(w),
    ]


_IS_DEFAULT = {
    "Certificates[].IsDefault": (
        lambda w: {"ListenerArn": w.listener(), "Certificates": [{"CertificateArn": w.certificate, "IsDefault": True}]},
        "ValidationError",
    )
}
_ASSOCIATION = {"MutualAuthentication.TrustStoreAssociationStatus": "AWS sets it: active, for there is one account"}

_SPECIFIED = {f"TagSpecifications[].Tags[].{key}": f"Tags[].{key}" for key in ("Key", "Value")}


def _tried(request: Callable[[World], Document]) -> dict[str, tuple[Callable[[World], Document], str]]:
    return {"DryRun": (lambda w: {**request(w), "DryRun": True}, "DryRunOperation")}


def _balancer_told(w: World, asked: Document, _: Document) -> Document:
    return w.balancer_told(asked["LoadBalancerArn"])


def _target_group_told(w: World, asked: Document, _: Document) -> Document:
    return w.group_told(asked["TargetGroupArn"])


def _listener_told(w: World, asked: Document, _: Document) -> Document:
    return w.listener_told(asked["ListenerArn"])


def _attribute(arn: str, made: Callable[[World], str], key: str, value: str) -> Callable[[World], list[Document]]:
    """A change of one attribute; `arn` is the parameter that names what `made` makes."""
    return lambda w: [{arn: made(w), "Attributes": [{"Key": key, "Value": value}]}]


OPERATIONS: dict[str, Operation] = {
    "CreateLoadBalancer": Operation(
        "elbv2",
        lambda w: [
            {"Name": w.fresh(), "Subnets": w.subnets, "SecurityGroups": [w.security_group()], "Tags": TAGS,
             "Scheme": "internet-facing", "Type": "application", "IpAddressType": "dualstack",
             "IpamPools": {"Ipv4IpamPoolId": w.pool}},
            {"Name": w.fresh(), "Type": "network", "Scheme": "internet-facing", **_dual(w)},
            {"Name": w.fresh(), "Type": "network", "Scheme": "internal", "SubnetMappings": _internal(w)},
        ],
        lambda w, _, answer: w.balancer_told(answer["LoadBalancers"][0]["LoadBalancerArn"]),
        {"Name": "LoadBalancerName", **_IN_MAPPING},
        refused={"CustomerOwnedIpv4Pool": (
            lambda w: {"Name": w.fresh(), "Subnets": w.subnets, "CustomerOwnedIpv4Pool": "ipv4pool-coip-1"},
            "InvalidConfigurationRequest",
        )},
    ),
    "SetSubnets": Operation(
        "elbv2",
        lambda w: [
            {"LoadBalancerArn": w.balancer("network", Subnets=w.subnets[:1]), "Subnets": w.subnets},
            {**_DUAL, **_one_zone_more(w, _dual(w)["SubnetMappings"], **_DUAL)},
            _one_zone_more(w, _internal(w), Scheme="internal"),
        ],
        _balancer_told,
        _IN_MAPPING,
    ),
    "SetSecurityGroups": Operation(
        "elbv2",
        lambda w: [{"LoadBalancerArn": w.balancer("network", SecurityGroups=[w.security_group()]),
                    "SecurityGroups": [w.security_group()],
                    "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off"}],
        _balancer_told,
    ),
    "SetIpAddressType": Operation(
        "elbv2",
        lambda w: [{"LoadBalancerArn": w.balancer(), "IpAddressType": "dualstack-without-public-ipv4"}],
        _balancer_told,
    ),
    "ModifyLoadBalancerAttributes": Operation(
        "elbv2", _attribute("LoadBalancerArn", World.balancer, "idle_timeout.timeout_seconds", "61"), _balancer_told
    ),
    "ModifyCapacityReservation": Operation(
        "elbv2",
        lambda w: [
            {"LoadBalancerArn": w.balancer(), "MinimumLoadBalancerCapacity": {"CapacityUnits": 77}},
            {"LoadBalancerArn": w.balancer(), "ResetCapacityReservation": True},
        ],
        _balancer_told,
        {"MinimumLoadBalancerCapacity.CapacityUnits": "Capacity.MinimumLoadBalancerCapacity.CapacityUnits"},
        {"ResetCapacityReservation": _MODE},
    ),
    "ModifyIpPools": Operation(
        "elbv2",
        lambda w: [
            {"LoadBalancerArn": w.balancer(), "IpamPools": {"Ipv4IpamPoolId": w.pool}},
            {"LoadBalancerArn": w.balancer(IpamPools={"Ipv4IpamPoolId": w.pool}), "RemoveIpamPools": ["ipv4"]},
        ],
        _balancer_told,
        untold={"RemoveIpamPools[]": _MODE},
    ),
    "CreateTargetGroup": Operation(
        "elbv2",
        lambda w: [
            {"Name": w.fresh(), "VpcId": w.vpc, "Protocol": "HTTP", "ProtocolVersion": version, "Port": 81,
             "Tags": TAGS, "TargetType": "ip", "IpAddressType": "ipv6", "TargetControlPort": 3000, **health}
            for version, health in zip(("HTTP2", "GRPC"), _HEALTH, strict=True)
        ],
        lambda w, _, answer: w.group_told(answer["TargetGroups"][0]["TargetGroupArn"]),
        {"Name": "TargetGroupName"},
    ),
    "ModifyTargetGroup": Operation(
        "elbv2",
        lambda w: [
            {"TargetGroupArn": w.group(ProtocolVersion=version), **health}
            for version, health in zip(("HTTP1", "GRPC"), _HEALTH, strict=True)
        ],
        _target_group_told,
    ),
    "ModifyTargetGroupAttributes": Operation(
        "elbv2",
        _attribute("TargetGroupArn", World.group, "deregistration_delay.timeout_seconds", "11"),
        _target_group_told,
    ),
    "RegisterTargets": Operation(
        "elbv2",
        lambda w: [
            {"TargetGroupArn": w.group(), "Targets": [{"Id": "192.168.0.1", "Port": 90, "AvailabilityZone": "all"}]},
            {"TargetGroupArn": w.group(Protocol="QUIC"),
             "Targets": [{"Id": "10.0.0.9", "QuicServerId": "0x0123456789abcdef"}]},
        ],
        _target_group_told,
        {f"Targets[].{name}": f"Health[].Target.{name}" for name in ("Id", "Port", "AvailabilityZone", "QuicServerId")},
    ),
    "CreateListener": Operation(
        "elbv2",
        lambda w: [
            *(
                {"LoadBalancerArn": w.balancer(), "Port": 443, "Protocol": "HTTPS", "DefaultActions": actions,
                 "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "MutualAuthentication": _mutual(w), "Tags": TAGS,
                 "Certificates": [{"CertificateArn": w.certificate}]}
                for actions in action_lists(w)
            ),
            {"LoadBalancerArn": w.balancer("network"), **_tls(w)},
        ],
        lambda w, _, answer: w.listener_told(answer["Listeners"][0]["ListenerArn"]),
        untold={**_SECRETS, **_ASSOCIATION},
        refused={"Certificates[].IsDefault": (
            lambda w: {"LoadBalancerArn": w.balancer(), "Port": 443, "Protocol": "HTTPS", "DefaultActions": [FIXED],
                       "Certificates": [{"CertificateArn": w.certificate, "IsDefault": True}]},
            "ValidationError",
        )},
    ),
    "ModifyListener": Operation(
        "elbv2",
        _listener_changes,
        _listener_told,
        untold={**_SECRETS, **_ASSOCIATION},
        refused=_IS_DEFAULT,
    ),
    "ModifyListenerAttributes": Operation(
        "elbv2",
        _attribute("ListenerArn", World.listener, "routing.http.response.server.enabled", "false"),
        _listener_told,
    ),
    "AddListenerCertificates": Operation(
        "elbv2",
        lambda w: [{"ListenerArn": w.listener(), "Certificates": [{"CertificateArn": w.other_certificate}]}],
        _listener_told,
        {"Certificates[].CertificateArn": "AllCertificates[].CertificateArn"},
        refused=_IS_DEFAULT,
    ),
    "CreateRule": Operation(
        "elbv2", _rules, lambda w, _, answer: w.rule_told(answer["Rules"][0]["RuleArn"]), untold=_SECRETS
    ),
    "ModifyRule": Operation(
        "elbv2",
        _changed_rules,
        lambda w, asked, _: w.rule_told(asked["RuleArn"]),
        untold={**_SECRETS, "ResetTransforms": _MODE},
    ),
    "SetRulePriorities": Operation(
        "elbv2",
        lambda w: [{"RulePriorities": [{"RuleArn": w.rule(), "Priority": 77}]}],
        lambda w, asked, _: {"RulePriorities": [w.rule_told(asked["RulePriorities"][0]["RuleArn"])]},
    ),
    "AddTags": Operation(
        "elbv2",
        lambda w: [{"ResourceArns": [arn], "Tags": TAGS} for arn in (w.balancer(), w.group(), w.rule(), w.trust_store)],
        lambda w, asked, _: {"ResourceArns": asked["ResourceArns"], "Tags": w.tags(asked["ResourceArns"][0])},
    ),
    "CreateSecurityGroup": Operation(
        "ec2",
        lambda w: [{"GroupName": w.fresh(), "Description": "edge", "VpcId": w.vpc, "TagSpecifications": _specified(
            "security-group")}],
        lambda w, _, answer: _group_told(w, answer["GroupId"]),
        untold={"TagSpecifications[].ResourceType": _MODE},
        renamed=_SPECIFIED,
        refused=_tried(lambda w: {"GroupName": w.fresh(), "Description": "edge", "VpcId": w.vpc}),
    ),
    "CreateTags": Operation(
        "ec2",
        lambda w: [{"Resources": [w.security_group()], "Tags": TAGS}],
        lambda w, asked, _: {"Resources": asked["Resources"], **_group_told(w, asked["Resources"][0])},
        refused=_tried(lambda w: {"Resources": [w.security_group()], "Tags": TAGS}),
    ),
    "AuthorizeSecurityGroupIngress": Operation(
        "ec2",
        lambda w: [
            {"GroupId": w.security_group(), "IpPermissions": _permissions(w),
             "TagSpecifications": _specified("security-group-rule")},
            {"GroupId": w.security_group(), "IpProtocol": "tcp", "FromPort": 81, "ToPort": 82, "CidrIp": "10.0.0.0/8"},
        ],
        lambda w, asked, _: _group_told(w, asked["GroupId"]),
        {"IpProtocol": "IpPermissions[].IpProtocol", "FromPort": "IpPermissions[].FromPort",
         "ToPort": "IpPermissions[].ToPort", "CidrIp": "IpPermissions[].IpRanges[].CidrIp",
         **{key: f"Rules.{value}" for key, value in _SPECIFIED.items()}},
        {"TagSpecifications[].ResourceType": _MODE,
         **dict.fromkeys(
             ("IpPermissions[].UserIdGroupPairs[].PeeringStatus", "IpPermissions[].UserIdGroupPairs[].VpcId",
              "IpPermissions[].UserIdGroupPairs[].VpcPeeringConnectionId",
              "IpPermissions[].UserIdGroupPairs[].GroupName", "IpPermissions[].UserIdGroupPairs[].UserId",
              "GroupName", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId"),
             "the controller names groups by id, within one account and VPC",
         )},
        refused=_tried(lambda w: {"GroupId": w.security_group(), "IpPermissions": _permissions(w)}),
    ),
    "CreateTrustStore": Operation(
        "elbv2",
        lambda w: [{"Name": w.fresh(), "CaCertificatesBundleS3Bucket": w.bucket, "CaCertificatesBundleS3Key": "ca.pem",
                    "CaCertificatesBundleS3ObjectVersion": _version(w), "Tags": TAGS}],
        lambda w, _, answer: {**(made := answer["TrustStores"][0]), "Tags": w.tags(made["TrustStoreArn"]),
                              **_bundle(w, made["TrustStoreArn"])},
    ),
}  # fmt: skip


def _version(w: World) -> str:
    return w.aws.client("s3").head_object(Bucket=w.bucket, Key="ca.pem")["VersionId"]


def _bundle(w: World, arn: str) -> Document:
    """The location of a trust store's bundle in AWS's answer."""
    where = w.elb.get_trust_store_ca_certificates_bundle(TrustStoreArn=arn)["Location"]
    address, _, version = where.partition("?versionId=")
    bucket, _, key = address.removeprefix("https://").partition(".s3.amazonaws.com/")
    name = "CaCertificatesBundleS3"
    return {f"{name}Bucket": bucket, f"{name}Key": key, f"{name}ObjectVersion": version}


def _specified(kind: str) -> list[Document]:
    return [{"ResourceType": kind, "Tags": TAGS}]


def _permissions(w: World) -> list[Document]:
    """One rule with each kind of source."""
    lists = {"PrefixListName": w.fresh(), "MaxEntries": 1, "AddressFamily": "IPv4"}
    prefixes = w.ec2.create_managed_prefix_list(**lists)["PrefixList"]["PrefixListId"]
    sources = (
        {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "a"}]},
        {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32", "Description": "b"}]},
        {"PrefixListIds": [{"PrefixListId": prefixes, "Description": "c"}]},
        {"UserIdGroupPairs": [{"GroupId": w.security_group(), "Description": "d"}]},
    )
    return [{"IpProtocol": "tcp", "FromPort": n + 80, "ToPort": n + 90, **source} for n, source in enumerate(sources)]


def _group_told(w: World, group: str) -> Document:
    """Everything that AWS returns about a security group and its rules."""
    (told,) = w.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = w.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return {**told, "Rules": {"Tags": [tag for rule in rules for tag in rule.get("Tags", [])]}}


def members(shape: Any, path: str = "") -> Iterator[str]:
    """Every member of a call, down to texts and numbers."""
    match shape.type_name:
        case "structure":
            for name, member in shape.members.items():
                yield from members(member, f"{path}.{name}".lstrip("."))
        case "list":
            yield from members(shape.member, f"{path}[]")
        case _:
            yield path


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text and number of a document, with its path."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from leaves(member, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, f"{path}[]")
    else:
        yield path, str(value)


def plain(path: str) -> str:
    """A path without the keys of a map."""
    head, found, _ = path.partition("AuthenticationRequestExtraParams")
    return head + found


def call(world: World, operation: str, request: Document) -> Document:
    client = world.aws.client(OPERATIONS[operation].service)
    answer = client._make_api_call(operation, request)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_member_of_awss_model_is_sent_and_returned(world: World, operation: str) -> None:
    asked, used = OPERATIONS[operation], set[str]()
    for request in asked.asked(world):
        told = set(leaves(asked.told(world, request, call(world, operation, request))))
        wanted = {(asked.renamed.get(path, path), value) for path, value in leaves(request) if path not in asked.untold}
        assert wanted <= told, f"{sorted(wanted - told)}: {dumped(sorted(told))}"
        used |= {plain(path) for path, _ in leaves(request)}
    model: Any = botocore.session.get_session().get_service_model(asked.service)
    known = set(members(model.operation_model(operation).input_shape))
    assert known - used - set(asked.refused) - set(asked.untold) == set()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_always_refused_has_awss_error(world: World, operation: str) -> None:
    for member, (request, code) in OPERATIONS[operation].refused.items():
        with pytest.raises(ClientError) as error:
            call(world, operation, request(world))
        assert error.value.response["Error"]["Code"] == code, member
