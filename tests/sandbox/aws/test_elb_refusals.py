"""What ELBv2 refuses, in AWS's words.

The texts are from reports of failed deployments, most of them collected by
https://github.com/badmintoncryer/cdk-preflight
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.aws.elb_requests import COGNITO, FIXED, OIDC, Document, World, forward, host
from tests.sandbox.aws.harness import ACCOUNT, REGION, refusal

_FRAMES = "routing.http.response.x_frame_options.header_value"
_PLAIN: Document = {"Protocol": "HTTP", "Port": 80, "Certificates": None}


def attributes(pairs: dict[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def redirect(**config: str) -> Document:
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}


def oidc(**config: Any) -> Document:
    return {**OIDC, "AuthenticateOidcConfig": {**OIDC["AuthenticateOidcConfig"], **config}}


def weighted(w: World, *weights: int | None, **more: Any) -> Document:
    groups = [{"TargetGroupArn": w.group(), **({} if n is None else {"Weight": n})} for n in weights]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **more}}


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        (lambda w: [weighted(w, 1, 1000)], "The weight for each target group must be between 0 and 999, inclusive"),
        (lambda w: [weighted(w, 1, None)], "The weight for each target group must be between 0 and 999, inclusive"),
        (
            lambda w: [weighted(w, 1, TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 604801})],
            "ValidationError: Target group stickiness duration must be between 1 and 604800 seconds",
        ),
        (
            lambda w: [{**weighted(w, 1), "TargetGroupArn": w.group()}],
            "only if the ARNs match",
        ),
        (
            lambda w: [{"Type": "forward", "TargetGroupArn": w.group(Protocol="TCP")}],
            "have incompatible protocols: arn",
        ),
        (
            lambda w: [{"Type": "forward", "TargetGroupArn": w.group(IpAddressType="ipv6")}],
            "You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type",
        ),
        (lambda _: [redirect(Protocol="HTTP", Port="80")], "You cannot redirect HTTPS to HTTP."),
        (lambda _: [redirect(Protocol="HTTPS", Port="443")], "is not valid because it creates a loop."),
        (lambda _: [redirect(Port="0")], "must be either an integer between 1 and 65535 or '#{port}'."),
        (lambda _: [redirect(Path="/#{query}")], "The Path parameter must be a valid path"),
        (lambda _: [{"Type": "redirect"}], "you must specify the following fields: 'RedirectConfig'"),
        (lambda _: [oidc(TokenEndpoint="i.example/t"), FIXED], "The 'i.example/t' URL is not valid"),
        (
            lambda _: [oidc(SessionTimeout=0), FIXED],
            "'Session timeout' value '0' must be between 1 and 604800 inclusive",
        ),
        (
            lambda _: [oidc(AuthenticationRequestExtraParams={f"k{n}": "v" for n in range(11)}), FIXED],
            "You can specify up to 10 extra authentication request parameters",
        ),
        (lambda _: [{**OIDC, "Order": 10}, FIXED], "'fixed-response' must have a higher order than all other actions"),
        (
            lambda _: [{**redirect(Port="80"), "Order": 1}, FIXED],
            "'redirect,fixed-response' cannot be specified together",
        ),
        (
            lambda _: [json.loads(json.dumps(COGNITO).replace("idp:us-west-2", "idp:eu-west-1")), FIXED],
            "is not a valid user pool ARN",
        ),
    ],
)
def test_an_action_that_cannot_be_is_refused(
    world: World, actions: Callable[[World], list[Document]], said: str
) -> None:
    assert said in ": ".join(refusal(world.listener, DefaultActions=actions(world)))


def test_a_rule_has_an_action(world: World) -> None:
    assert refusal(world.rule, Actions=[]) == ("ValidationError", "An action must be specified")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"Protocol": "TCP", "Certificates": None}, "Listener protocol 'TCP' must be one of 'HTTPS, HTTP'"),
        ({**_PLAIN, "SslPolicy": "ELBSecurityPolicy-2016-08"}, "An SSL policy cannot be specified for HTTP listeners"),
        ({"Protocol": "HTTP"}, "A certificate cannot be specified for HTTP listeners"),
        ({**_PLAIN, "MutualAuthentication": {"Mode": "passthrough"}}, "cannot be set for non secure listeners"),
        ({"MutualAuthentication": {"Mode": "verify"}}, "Mutual Authentication mode verify requires a trust store arn"),
        ({"AlpnPolicy": ["None"]}, "You cannot set ALPN policy on load balancers of type 'application'"),
        (
            {"Certificates": [{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}]},
            "Certificate ARN 'arn:aws:acm:eu-west-1:123456789012:certificate/1' is not valid",
        ),
        ({"Certificates": [{"CertificateArn": "a"}, {"CertificateArn": "b"}]}, "but '2' were specified"),
    ],
)
def test_a_listener_that_cannot_be_is_refused(world: World, wish: Document, said: str) -> None:
    assert said in ": ".join(refusal(world.listener, **wish))


def test_two_listeners_at_most_verify_client_certificates(world: World) -> None:
    verify = {"MutualAuthentication": {"Mode": "verify", "TrustStoreArn": world.trust_store}}
    balancer = world.balancer()
    for port in (443, 8443):
        world.listener(balancer, Port=port, **verify)
    code, text = refusal(world.listener, balancer=balancer, Port=9443, **verify)
    assert (code, text.endswith(": [2]")) == ("InvalidConfigurationRequest", True)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"HealthCheckPath": "health"}, "Health check path 'health' must begin with a '/' character"),
        ({"ProtocolVersion": "GRPC", "Matcher": {"HttpCode": "200"}}, "matcher GRPC code cannot be empty"),
        ({"Matcher": {"GrpcCode": "0"}}, "Health check matcher HTTP code cannot be empty"),
        ({"Matcher": {"HttpCode": "599"}}, "Health check matcher HTTP code '599' must be within '200-499' inclusive"),
        ({"HealthCheckProtocol": "TCP"}, "Health check protocol 'TCP' must be one of 'HTTP, HTTPS'"),
        ({"HealthCheckPort": "65536"}, "Health check port '65536' must be within '1-65535' or 'traffic-port'"),
        ({"HealthCheckTimeoutSeconds": 30}, "Health check timeout '30' must be smaller than the interval '30'"),
        ({"HealthCheckEnabled": False}, "must be true for target groups with target type 'ip'"),
        ({"Protocol": "TCP", "HealthCheckPath": "/"}, "Health check paths are not supported for TCP health checks"),
        ({"Protocol": "TCP", "ProtocolVersion": "HTTP1"}, "for a target group with the 'TCP' protocol"),
        ({"ProtocolVersion": "HTTP/2"}, "version 'HTTP/2' must be one of '[HTTP2, HTTP1, GRPC]'"),
        ({"Protocol": "TCP", "TargetControlPort": 90}, "Target control port is not supported"),
        ({"Protocol": "GENEVE"}, "Port must be 6081 for GENEVE target groups."),
        ({"TargetType": "alb"}, "Target type 'alb' is not supported for target groups with HTTP protocol"),
        ({"Protocol": "QUIC", "IpAddressType": "ipv6"}, "Protocol 'QUIC' is not supported with an IPv6 target group"),
    ],
)
def test_a_target_group_that_cannot_be_is_refused(world: World, wish: Document, said: str) -> None:
    assert said in refusal(world.group, **wish)[1]


_THRESHOLD = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
_UNHEALTHY = "target_health_state.unhealthy."


@pytest.mark.parametrize(
    ("protocol", "given", "said"),
    [
        ("HTTP", {"preserve_client_ip.enabled": "true"}, "A target group with HTTP protocol does not support the"),
        ("TCP", {"slow_start.duration_seconds": "30"}, "does not support the attribute slow_start.duration_seconds"),
        ("HTTP", {"slow_start.duration_seconds": "29"}, "'29' must be between '30-900' inclusive"),
        ("HTTP", {"nonsense": "1"}, "ValidationError: Target group attribute key 'nonsense' is not recognized"),
        ("HTTP", {"stickiness.type": "source_ip"}, "Stickiness type 'source_ip' is not supported for target groups"),
        (
            "HTTP",
            {"stickiness.type": "app_cookie", "stickiness.enabled": "true"},
            "You must set an application cookie name to enable stickiness of type 'app_cookie'",
        ),
        ("HTTP", {"stickiness.app_cookie.cookie_name": "AWSALBX"}, "are reserved"),
        (
            "HTTP",
            {"load_balancing.algorithm.anomaly_mitigation": "on"},
            "You cannot enable both anomaly mitigation and round robin algorithm on a target group",
        ),
        (
            "HTTP",
            {"load_balancing.algorithm.type": "weighted_random", "slow_start.duration_seconds": "30"},
            "You cannot enable both slow start and weighted random algorithm on a target group",
        ),
        ("HTTP", {"load_balancing.cross_zone.enabled": "on"}, "use_load_balancer_configuration,true,false"),
        ("HTTP", {f"{_THRESHOLD}count": "off"}, "must be a positive integer"),
        ("HTTP", {f"{_THRESHOLD}percentage": "101"}, "must be 'off' or an integer from 1 to 100 inclusive"),
        ("HTTP", {f"{_THRESHOLD}count": "2"}, "DNS failover threshold must be greater than or equal to unhealthy"),
        ("UDP", {"preserve_client_ip.enabled": "false"}, "if the target group protocol is UDP or TCP_UDP."),
        ("TCP", {f"{_UNHEALTHY}draining_interval_seconds": "9"}, "You cannot have both 'target_health_state."),
    ],
)
def test_an_attribute_that_a_target_group_cannot_have_is_refused(
    world: World, protocol: str, given: dict[str, str], said: str
) -> None:
    call, group = world.elb.modify_target_group_attributes, world.group(Protocol=protocol)
    assert said in ": ".join(refusal(call, TargetGroupArn=group, Attributes=attributes(given)))


def test_an_attribute_is_given_once(world: World) -> None:
    twice = attributes({"idle_timeout.timeout_seconds": "5"}) * 2
    text = refusal(world.elb.modify_load_balancer_attributes, LoadBalancerArn=world.balancer(), Attributes=twice)[1]
    assert text == "Attribute key 'idle_timeout.timeout_seconds' has been specified more than once"


def test_an_application_load_balancer_always_crosses_zones(world: World) -> None:
    off = attributes({"load_balancing.cross_zone.enabled": "false"})
    call = world.elb.modify_load_balancer_attributes
    assert refusal(call, LoadBalancerArn=world.balancer(), Attributes=off)[0] == "InvalidConfigurationRequest"
    call(LoadBalancerArn=world.balancer("network"), Attributes=off)


def test_a_listener_has_the_attributes_of_its_protocol(world: World) -> None:
    call, plain = world.elb.modify_listener_attributes, world.listener(**_PLAIN)
    header = "routing.http.request.x_amzn_tls_version.header_name"
    for wish, said in (
        (attributes({"nonsense": "1"}), "Listener attribute key 'nonsense' is not recognized"),
        (attributes({"tcp.idle_timeout.seconds": "60"}), "The provided listener attribute is not supported"),
        (attributes({header: "X-Version"}), "The provided listener attribute is not supported"),
        (
            attributes({_FRAMES: "ALLOW"}),
            f"The value of '{_FRAMES}' must be from the following: [DENY, SAMEORIGIN], but was 'ALLOW'",
        ),
    ):
        assert refusal(call, ListenerArn=plain, Attributes=wish)[1] == said
    secure = world.listener()
    assert "contains invalid characters" in refusal(call, ListenerArn=secure, Attributes=attributes({header: "a b"}))[1]
    call(ListenerArn=secure, Attributes=attributes({header: "X-Version"}))


def bucket_policy(bucket: str, principal: Document, prefix: str = "") -> str:
    place = f"arn:aws:s3:::{bucket}/{prefix}AWSLogs/{ACCOUNT}/*"
    allow = {"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": place}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


@pytest.mark.parametrize(
    ("kind", "writer", "works"),
    [
        ("application", {"AWS": "arn:aws:iam::797873946194:root"}, True),
        ("application", {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}, True),
        ("application", {"Service": "delivery.logs.amazonaws.com"}, False),
        ("network", {"Service": "delivery.logs.amazonaws.com"}, True),
        ("network", {"AWS": "arn:aws:iam::797873946194:root"}, False),
    ],
)
def test_logs_go_to_a_bucket_whose_policy_lets_the_load_balancer_write(
    world: World, kind: str, writer: Document, *, works: bool
) -> None:
    s3, bucket, arn = world.aws.client("s3"), f"logs-{world.fresh()}", world.balancer(kind)
    call = world.elb.modify_load_balancer_attributes
    wish = attributes(
        {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": bucket, "access_logs.s3.prefix": "of"}
    )
    denied = f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
    assert refusal(call, LoadBalancerArn=arn, Attributes=wish) == ("InvalidConfigurationRequest", denied)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    assert refusal(call, LoadBalancerArn=arn, Attributes=wish)[1] == denied
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, writer))
    assert refusal(call, LoadBalancerArn=arn, Attributes=wish)[1] == denied
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, writer, "of/"))
    if works:
        call(LoadBalancerArn=arn, Attributes=wish)
    else:
        assert refusal(call, LoadBalancerArn=arn, Attributes=wish)[1] == denied


def test_logs_need_a_bucket(world: World) -> None:
    wish = attributes({"access_logs.s3.enabled": "true"})
    text = refusal(world.elb.modify_load_balancer_attributes, LoadBalancerArn=world.balancer(), Attributes=wish)[1]
    assert text == "The key 'access_logs.s3.bucket' must set in order to enable access logs"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"Subnets": []}, "ValidationError: You must specify either subnets or subnet mappings"),
        ({"Name": "internal-web"}, "The load balancer name 'internal-web' cannot begin with 'internal-'"),
        ({"Name": "w" * 33}, "cannot be longer than '32' characters"),
        ({"Name": "web-"}, "The load balancer name 'web-' cannot end with a hyphen(-)"),
        ({"Type": "gateway", "Scheme": "internal"}, "Scheme is not supported for Gateway Load Balancers."),
        ({"Type": "network", "IpAddressType": "dualstack-without-public-ipv4"}, "with type 'network'."),
    ],
)
def test_a_load_balancer_that_cannot_be_is_refused(world: World, wish: Document, said: str) -> None:
    given = {"Name": world.fresh(), "Subnets": world.subnets, **wish}
    assert said in ": ".join(refusal(world.elb.create_load_balancer, **given))


def test_a_load_balancer_is_in_one_vpc(world: World) -> None:
    subnets = [world.subnets[0], World(world.aws).subnets[1]]
    assert refusal(world.balancer, Subnets=subnets)[0] == "InvalidConfigurationRequest"


@pytest.mark.parametrize(
    ("call", "wish", "said"),
    [
        ("describe_load_balancers", {"LoadBalancerArns": ["web"]}, "'web' is not a valid load balancer ARN"),
        ("describe_target_groups", {"TargetGroupArns": ["web"]}, "'web' is not a valid target group ARN"),
        ("describe_listeners", {"LoadBalancerArn": "web"}, "'web' is not a valid load balancer ARN"),
        ("describe_load_balancers", {"Marker": "here"}, "The marker 'here' is not valid"),
        ("describe_tags", {"ResourceArns": []}, "ResourceArns must not be empty"),
    ],
)
def test_a_question_that_cannot_be_is_refused(world: World, call: str, wish: Document, said: str) -> None:
    assert refusal(getattr(world.elb, call), **wish) == ("ValidationError", said)


def test_an_arn_of_another_region_is_not_valid(world: World) -> None:
    arn = world.balancer().replace(REGION, "eu-west-1")
    code, text = refusal(world.elb.describe_load_balancers, LoadBalancerArns=[arn])
    assert (code, text) == ("ValidationError", f"'{arn}' is not a valid load balancer ARN")


def test_every_list_has_pages(world: World) -> None:
    listener = world.listener()
    for priority in (1, 2):
        world.rule(ListenerArn=listener, Priority=priority, Conditions=[host(f"{priority}.example")])
    paginator = world.elb.get_paginator("describe_rules")
    pages = list(paginator.paginate(ListenerArn=listener, PaginationConfig={"PageSize": 2}))
    assert [[rule["Priority"] for rule in page["Rules"]] for page in pages] == [["1", "2"], ["default"]]
    groups = {world.group() for _ in range(3)}
    pages = world.elb.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 1})
    assert groups <= {group["TargetGroupArn"] for page in pages for group in page["TargetGroups"]}


def test_a_forward_with_weights_and_a_duration_is_fine(world: World) -> None:
    assert world.listener(DefaultActions=[forward(world)])
