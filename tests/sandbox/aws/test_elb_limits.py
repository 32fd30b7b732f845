"""What ELBv2 refuses: counts, lengths, ranges and states, each with AWS's code and text."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.elb_requests import FIXED, JWT, REDIRECT, TRANSFORMS, Document, World, host
from tests.sandbox.aws.harness import refusal


def refused(call: Callable[..., Any], **request: Any) -> str:
    """A refusal as `Code: message`."""
    return ": ".join(refusal(call, **request))


def test_a_value_out_of_awss_model_is_refused_in_awss_words(world: World) -> None:
    group = world.group()
    assert refused(world.elb.modify_target_group, TargetGroupArn=group, HealthCheckIntervalSeconds=400) == (
        "ValidationError: 1 validation error detected: Value '400' at 'healthCheckIntervalSeconds' failed to satisfy"
        " constraint: Member must have value less than or equal to 300"
    )
    several = refused(
        world.elb.modify_target_group, TargetGroupArn=group, HealthyThresholdCount=11, HealthCheckProtocol="FTP"
    )
    assert several.startswith("ValidationError: 2 validation errors detected: Value ")
    redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_307"}}
    text = refused(world.rule, Actions=[redirect])
    assert "Value 'HTTP_307' at 'actions.1.member.redirectConfig.statusCode'" in text
    assert "Member must satisfy enum value set: [HTTP_301, HTTP_302]" in text


def condition(field: str, key: str, *values: Any, **more: Any) -> Document:
    return {"Field": field, key: {"Values": list(values), **more}}


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([condition("source-ip", "SourceIpConfig", "300.0.0.0/8")], "300.0.0.0/8"),
        ([condition("source-ip", "SourceIpConfig", "10.0.0.1")], "CIDR"),
        ([condition("host-header", "HostHeaderConfig", *(f"{n}.example" for n in range(6)))], "can only have '5'"),
        ([condition("host-header", "HostHeaderConfig", "a" * 129)], "cannot contain more than 128 characters"),
        ([condition("path-pattern", "PathPatternConfig", "/*?*?*?*")], "can only have '6' condition wildcards"),
        ([host("a.example"), host("b.example")], "one 'host-header' condition"),
        ([condition("http-header", "HttpHeaderConfig", "x", HttpHeaderName="Host")], "cannot specify 'host'"),
        ([condition("http-request-method", "HttpRequestMethodConfig", "get")], "'get' contains a character"),
        ([{"Field": "cookie", "Values": ["a"]}], "must be one of"),
        ([], "A condition must be specified"),
        ([{"Field": "host-header"}], "'Values or RegexValues or HostHeaderConfig'"),
        ([condition("host-header", "HostHeaderConfig", "localhost")], "'localhost' contains a character"),
        ([{"Field": "path-pattern", "RegexValues": ["("]}], "'(' is not valid"),
        ([{"Field": "query-string", "RegexValues": ["a"]}], "'RegexValues' is not supported"),
        ([condition("path-pattern", "PathPatternConfig", "/", RegexValues=["a"])], "exactly one of the following"),
    ],
)
def test_a_condition_that_cannot_be_is_refused(world: World, conditions: list[Document], said: str) -> None:
    text = refused(world.rule, Conditions=conditions)
    assert text.startswith("ValidationError: ")
    assert said in text


def test_a_listeners_settings_must_exist(world: World) -> None:
    text = refused(world.listener, SslPolicy="ELBSecurityPolicy-2030-01")
    assert text == "SSLPolicyNotFound: SSL policy 'ELBSecurityPolicy-2030-01' not found"
    store = "arn:aws:elasticloadbalancing:us-west-2:123456789012:truststore/none/0123456789abcdef"
    verify = {"Mode": "verify", "TrustStoreArn": store}
    assert refused(world.listener, MutualAuthentication=verify).startswith("TrustStoreNotFound")
    certificates = [{"CertificateArn": world.certificate.replace("certificate/", "certificate/0")}]
    assert refused(world.listener, Certificates=certificates).startswith("CertificateNotFound")


def test_the_modes_of_mutual_authentication_are_returned(world: World) -> None:
    listener = world.listener()
    assert world.listener_told(listener)["MutualAuthentication"] == {"Mode": "off"}
    change = {"ListenerArn": listener, "MutualAuthentication": {"Mode": "passthrough"}}
    assert world.elb.modify_listener(**change)["Listeners"][0]["MutualAuthentication"] == {"Mode": "passthrough"}
    plain = world.listener(Port=80, Protocol="HTTP", Certificates=None)
    assert "MutualAuthentication" not in world.listener_told(plain)


def test_a_trust_store_in_use_stays_and_one_without_certificates_is_invalid(world: World) -> None:
    listener = world.listener(MutualAuthentication={"Mode": "verify", "TrustStoreArn": world.trust_store})
    assert refused(world.elb.delete_trust_store, TrustStoreArn=world.trust_store).startswith("TrustStoreInUse")
    users = world.elb.describe_trust_store_associations(TrustStoreArn=world.trust_store)["TrustStoreAssociations"]
    assert users == [{"ResourceArn": listener}]
    world.elb.delete_listener(ListenerArn=listener)
    world.elb.delete_trust_store(TrustStoreArn=world.trust_store)
    for key, code in (("text", "InvalidCaCertificatesBundle"), ("nothing", "CaCertificatesBundleNotFound")):
        request = {
            "Name": world.fresh(),
            "CaCertificatesBundleS3Bucket": world.bucket,
            "CaCertificatesBundleS3Key": key,
        }
        assert refused(world.elb.create_trust_store, **request).startswith(code)


def test_describe_listeners_names_the_default_certificate_only(world: World) -> None:
    listener = world.listener()
    other = [{"CertificateArn": world.other_certificate}]
    for _ in range(2):
        world.elb.add_listener_certificates(ListenerArn=listener, Certificates=other)
    told = world.listener_told(listener)
    assert told["Certificates"] == [{"CertificateArn": world.certificate}]
    assert told["AllCertificates"] == [
        {"CertificateArn": world.certificate, "IsDefault": True},
        {"CertificateArn": world.other_certificate, "IsDefault": False},
    ]
    default = [{"CertificateArn": world.certificate}]
    text = refused(world.elb.remove_listener_certificates, ListenerArn=listener, Certificates=default)
    assert text.startswith("OperationNotPermitted")
    acm = world.aws.client("acm")
    assert refused(acm.delete_certificate, CertificateArn=world.other_certificate).startswith("ResourceInUse")
    world.elb.remove_listener_certificates(ListenerArn=listener, Certificates=other)
    acm.delete_certificate(CertificateArn=world.other_certificate)


def test_a_load_balancer_without_target_groups_has_an_empty_list(world: World) -> None:
    assert world.elb.describe_target_groups(LoadBalancerArn=world.balancer())["TargetGroups"] == []


def test_dualstack_wants_subnets_with_ipv6(world: World) -> None:
    bare = [
        world.ec2.create_subnet(VpcId=world.vpc, CidrBlock=f"10.0.9{n}.0/24", AvailabilityZone=f"us-west-2{zone}")
        for n, zone in enumerate("ab")
    ]
    subnets = [one["Subnet"]["SubnetId"] for one in bare]
    text = refused(world.balancer, Subnets=subnets, IpAddressType="dualstack")
    assert text == "ValidationError: You must specify subnets with an associated IPv6 CIDR block"
    arn = world.balancer(Subnets=subnets)
    call = world.elb.set_ip_address_type
    assert refused(call, LoadBalancerArn=arn, IpAddressType="dualstack").startswith("ValidationError")


def test_pools_that_do_not_exist_are_refused(world: World) -> None:
    for wish in ({"IpamPools": {"Ipv4IpamPoolId": "ipam-pool-0"}}, {"CustomerOwnedIpv4Pool": "ipv4pool-coip-0"}):
        assert refused(world.balancer, **wish).startswith("InvalidConfigurationRequest")
    arn = world.balancer()
    pools = {"Ipv4IpamPoolId": "ipam-pool-0"}
    text = refused(world.elb.modify_ip_pools, LoadBalancerArn=arn, IpamPools=pools)
    assert text.startswith("InvalidConfigurationRequest")


def test_a_network_load_balancer_tells_its_fixed_private_addresses_and_its_switches(world: World) -> None:
    mappings = [{"SubnetId": s, "PrivateIPv4Address": f"10.0.{n}.77"} for n, s in enumerate(world.subnets)]
    group = world.security_group()
    arn = world.balancer("network", Scheme="internal", Subnets=[], SubnetMappings=mappings, SecurityGroups=[group])
    told = world.balancer_told(arn)
    addresses = [zone["LoadBalancerAddresses"] for zone in told["AvailabilityZones"]]
    assert addresses == [[{"PrivateIPv4Address": f"10.0.{n}.77"}] for n in range(2)]
    assert told["EnablePrefixForIpv6SourceNat"] == "off"
    assert told["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "on"
    assert "EnablePrefixForIpv6SourceNat" not in world.balancer_told(world.balancer())


@pytest.mark.parametrize("protocol", ["QUIC", "TCP_QUIC"])
def test_quic_is_balanced(world: World, protocol: str) -> None:
    group = world.group(Protocol=protocol)
    balancer = world.balancer("network")
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    told = world.listener_told(
        world.listener(balancer, Protocol=protocol, Port=443, Certificates=None, DefaultActions=forward)
    )
    assert told["Protocol"] == protocol
    text = refused(world.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": "10.0.0.9"}])
    assert text.startswith("ValidationError: QuicServerId")


def test_jwt_validation_is_for_https_listeners(world: World) -> None:
    assert world.listener(DefaultActions=[JWT, FIXED])
    text = refused(world.listener, Port=80, Protocol="HTTP", Certificates=None, DefaultActions=[JWT, FIXED])
    assert text.startswith("InvalidLoadBalancerAction")


def test_a_rule_has_one_transform_of_a_kind(world: World) -> None:
    text = refused(world.rule, Transforms=[TRANSFORMS[0], TRANSFORMS[0]])
    assert text.startswith("ValidationError: A rule can only have one transform")
    wrong = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "(", "Replace": "/"}]}}
    assert refused(world.rule, Transforms=[wrong]).startswith("ValidationError: The regular expression '('")


def test_a_client_secret_stays_secret(world: World) -> None:
    oidc = {name: f"https://i.example/{name}" for name in ("Issuer", "AuthorizationEndpoint", "TokenEndpoint",
                                                          "UserInfoEndpoint")}  # fmt: skip
    action: Document = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**oidc, "ClientId": "i"}}
    assert refused(world.rule, Actions=[action, FIXED]).startswith("InvalidLoadBalancerAction: A client secret")
    secret = {**action, "AuthenticateOidcConfig": {**action["AuthenticateOidcConfig"], "ClientSecret": "hidden"}}
    assert "hidden" not in str(world.rule_told(world.rule(Actions=[secret, FIXED])))


def test_quotas_are_returned_and_enforced(world: World) -> None:
    limits = {one["Name"]: int(one["Max"]) for one in world.elb.describe_account_limits()["Limits"]}
    listener = world.listener()
    given = {"ListenerArn": listener, "Conditions": [host("a.example")], "Actions": [REDIRECT]}
    for priority in range(1, limits["rules-per-application-load-balancer"] + 1):
        world.elb.create_rule(**given, Priority=priority)
    assert refused(world.elb.create_rule, **given, Priority=900).startswith("TooManyRules")
    groups = [{"TargetGroupArn": world.group(), "Weight": 1} for _ in range(6)]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    assert refused(world.listener, DefaultActions=[forward]).startswith("TooManyTargetGroups")
    groups = [world.security_group() for _ in range(6)]
    assert refused(world.balancer, SecurityGroups=groups).startswith("InvalidConfigurationRequest")
    targets = [{"Id": f"10.0.{n // 250}.{n % 250 + 4}"} for n in range(1001)]
    assert refused(world.elb.register_targets, TargetGroupArn=world.group(), Targets=targets).startswith(
        "TooManyTargets"
    )
    balancer = world.balancer("network")
    arn = world.group(Protocol="TCP")
    for port in range(1, limits["listeners-per-network-load-balancer"] + 1):
        forward = [{"Type": "forward", "TargetGroupArn": arn}]
        world.listener(balancer, Port=port, Protocol="TCP", Certificates=None, DefaultActions=forward)
    text = refused(
        world.listener, balancer=balancer, Port=999, Protocol="TCP", Certificates=None, DefaultActions=forward
    )
    assert text.startswith("TooManyListeners")


def test_the_default_vpc_reaches_the_internet(world: World) -> None:
    (vpc,) = world.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    (gateway,) = world.ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    tables = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "association.main", "Values": ["true"]}]
    (table,) = world.ec2.describe_route_tables(Filters=tables)["RouteTables"]
    routes = {route.get("DestinationCidrBlock"): route["GatewayId"] for route in table["Routes"]}
    assert routes["0.0.0.0/0"] == gateway["InternetGatewayId"]


def test_the_ipv6_block_of_a_subnet_is_associated(world: World) -> None:
    (subnet, _) = world.ec2.describe_subnets(SubnetIds=world.subnets)["Subnets"]
    assert subnet["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlockState"] == {"State": "associated"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("idle_timeout.timeout_seconds", "4001", "between '1-4000'"),
        ("routing.http2.enabled", "yes", "must be 'true' or 'false', but was 'yes'"),
        ("routing.http.desync_mitigation_mode", "lax", "'lax' must be one of [defensive, monitor, strictest]"),
    ],
)
def test_an_attribute_has_a_value_that_it_can_have(world: World, key: str, value: str, said: str) -> None:
    wish = [{"Key": key, "Value": value}]
    text = refused(world.elb.modify_load_balancer_attributes, LoadBalancerArn=world.balancer(), Attributes=wish)
    assert text.startswith("ValidationError: ")
    assert said in text


def test_only_an_application_load_balancers_stickiness_to_a_target_group_needs_a_duration(world: World) -> None:
    def forward(**group: str) -> list[dict[str, Any]]:
        sticky = {"TargetGroups": [{"TargetGroupArn": world.group(**group)}]}
        return [{"Type": "forward", "ForwardConfig": {**sticky, "TargetGroupStickinessConfig": {"Enabled": True}}}]

    plain: dict[str, Any] = {"Port": 80, "Certificates": []}
    text = refused(world.listener, Protocol="HTTP", DefaultActions=forward(), **plain)
    assert text == "ValidationError: You must provide a duration when enabling target group stickiness"
    world.listener(
        world.balancer("network"), Protocol="TCP", DefaultActions=forward(Protocol="TCP", TargetType="ip"), **plain
    )
