import json

import pytest

from sandbox.controller.annotations import AnnotationError
from sandbox.controller.model.lookup import Existing
from sandbox.controller.model.stack import BACKEND, Json, ModelError, Ref, Stack
from sandbox.controller.settings import Settings
from tests.sandbox.controller.fakes import (
    SETTINGS,
    FakeAws,
    a_path,
    a_service,
    alb_stack,
    an_ingress,
    class_with,
)


def rules(stack: Stack) -> list[tuple[dict[str, list[str]], str]]:
    """Each rule of the first listener as its conditions and its last action's type."""
    listener = stack.listeners[0]
    return [
        (
            {c["Field"]: next(v for k, v in c.items() if k.endswith("Config"))["Values"] for c in rule.conditions},
            rule.actions[-1]["Type"],
        )
        for rule in listener.rules
    ]


def test_an_ingress_becomes_one_internal_load_balancer_in_the_private_subnets() -> None:
    stack = alb_stack(an_ingress(), a_service())
    balancer = stack.load_balancer
    assert balancer
    assert (balancer.type, balancer.scheme, balancer.ip_address_type) == ("application", "internal", "ipv4")
    assert [s["SubnetId"] for s in balancer.subnets] == ["subnet-private-a", "subnet-private-b"]
    assert balancer.name == "k8s-shop-web-" + balancer.name[-10:]
    assert balancer.security_groups == (
        Ref("security-group", "ManagedLBSecurityGroup"),
        Ref("security-group", BACKEND),
    )


def test_names_depend_on_cluster_group_and_scheme_only() -> None:
    one = alb_stack(an_ingress(), a_service()).load_balancer
    again = alb_stack(an_ingress(tags="a=b"), a_service()).load_balancer
    other = alb_stack(an_ingress(scheme="internet-facing"), a_service()).load_balancer
    assert one
    assert again
    assert other
    assert one.name == again.name != other.name


def test_paths_come_exact_first_then_the_longest_prefix_then_as_written() -> None:
    paths = [a_path("/*", "ImplementationSpecific"), a_path("/a"), a_path("/a/b"), a_path("/z", "Exact")]
    found = [c["path-pattern"] for c, _ in rules(alb_stack(an_ingress("web", *paths), a_service()))]
    assert found == [["/z"], ["/a/b", "/a/b/*"], ["/a", "/a/*"], ["/*"]]


def test_a_prefix_with_a_closing_slash_is_the_prefix_without() -> None:
    found = rules(alb_stack(an_ingress("web", a_path("/a/")), a_service()))
    assert found[0][0]["path-pattern"] == ["/a", "/a/*"]


@pytest.mark.parametrize(("path", "kind"), [("/a*", "Exact"), ("/a?", "Prefix")])
def test_wildcards_belong_to_implementation_specific_paths(path: str, kind: str) -> None:
    with pytest.raises(ModelError, match="shouldn't contain wildcards"):
        alb_stack(an_ingress("web", a_path(path, kind)), a_service())


def test_a_regular_expression_is_matched_without_its_leading_slash() -> None:
    path = a_path("/^/api/v[0-9]+", "ImplementationSpecific")
    stack = alb_stack(an_ingress("web", path, use_regex_path_match="true"), a_service())
    assert stack.listeners[0].rules[0].conditions == [
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/api/v[0-9]+"]}}
    ]


def test_host_and_conditions_annotation_join_in_one_rule() -> None:
    more = json.dumps(
        [
            {"field": "host-header", "hostHeaderConfig": {"values": ["b.example.com"]}},
            {"field": "query-string", "queryStringConfig": {"values": [{"key": "v", "value": "2"}, {"value": "x"}]}},
            {"field": "source-ip", "sourceIPConfig": {"values": ["10.0.0.0/8"]}},
            {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X", "values": ["y"]}},
            {"field": "http-request-method", "httpRequestMethodConfig": {"values": ["GET"]}},
        ]
    )
    one = an_ingress("web", a_path("/a"), host="a.example.com", conditions__web=more)
    conditions = alb_stack(one, a_service()).listeners[0].rules[0].conditions
    assert conditions[-2:] == [
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com", "b.example.com"]}},
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/a/*"]}},
    ]
    assert {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "x"}]}} in (
        conditions
    )
    assert len(conditions) == 6


def test_a_condition_without_values_is_refused() -> None:
    broken = json.dumps([{"field": "source-ip", "sourceIPConfig": {"values": []}}])
    with pytest.raises(ModelError, match="sourceIPConfig: values cannot be empty"):
        alb_stack(an_ingress(conditions__web=broken), a_service())


def test_a_condition_on_a_field_that_nobody_knows_is_passed_over() -> None:
    odd = json.dumps([{"field": "moon-phase"}, {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}])
    (rule,) = alb_stack(an_ingress(conditions__web=odd), a_service()).listeners[0].rules
    assert [condition["Field"] for condition in rule.conditions] == ["source-ip", "path-pattern"]


@pytest.mark.parametrize(
    "wrong",
    [{"auth_type": "magic"}, {"auth_session_timeout": "long"}, {"auth_idp_oidc": "{"}, {"auth_idp_cognito": "1"}],
)
def test_a_login_that_cannot_be_read_is_refused_on_http_too(wrong: dict[str, str]) -> None:
    with pytest.raises(ModelError, match=r"ingress: shop/web: .*(magic|long|\{|1)"):
        alb_stack(an_ingress(**wrong), a_service())


def test_a_session_may_last_longer_than_32_bits_count() -> None:
    long = an_ingress(auth_session_timeout=str(2**40))
    assert alb_stack(long, a_service()).listeners


def test_listen_ports_and_a_redirect_leave_the_rules_to_https() -> None:
    one = an_ingress(
        listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]', certificate_arn="arn:one,arn:two", ssl_redirect="443"
    )
    plain, secure = alb_stack(one, a_service()).listeners
    assert plain.rules == ()
    assert plain.actions[0]["RedirectConfig"] == {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}
    assert len(secure.rules) == 1
    assert secure.certificates == ("arn:one", "arn:two")
    assert secure.ssl_policy == "ELBSecurityPolicy-2016-08"


def test_a_certificate_alone_means_https_on_443() -> None:
    listeners = alb_stack(an_ingress(certificate_arn="arn:one"), a_service()).listeners
    assert [(listener.port, listener.protocol) for listener in listeners] == [(443, "HTTPS")]


def test_without_a_certificate_it_is_found_by_the_hosts() -> None:
    aws = FakeAws(certificate_hosts={"a.example.com": ["arn:a"]})
    one = an_ingress("web", a_path("/"), host="a.example.com", listen_ports='[{"HTTPS": 443}]')
    assert alb_stack(one, a_service(), aws=aws).listeners[0].certificates == ("arn:a",)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("[]", "empty listen-ports"),
        ("80", "failed to parse listen-ports"),
        ('[{"HTTP": 0}]', "within"),
        ('[{"TCP": 80}]', "listen protocol"),
    ],
)
def test_listen_ports_that_are_none_are_refused(value: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        alb_stack(an_ingress(listen_ports=value), a_service())


def test_inbound_cidrs_and_prefix_lists_become_rules_of_the_made_group() -> None:
    one = an_ingress(inbound_cidrs="10.0.0.0/8, 2001:db8::/32", security_group_prefix_lists="pl-1")
    sources = [p.source for p in alb_stack(one, a_service()).security_groups[0].ingress]
    assert sources == ["10.0.0.0/8", "pl-1"]  # the IPv6 one is for dual-stack load balancers


def test_given_security_groups_get_no_rules_at_the_targets_unless_asked_for() -> None:
    stack = alb_stack(an_ingress(security_groups="sg-1,named"), a_service(), aws=FakeAws(groups={"named": "sg-2"}))
    assert stack.load_balancer
    assert stack.load_balancer.security_groups == ("sg-1", "sg-2")
    assert stack.security_groups == ()
    assert not stack.backend_group
    assert "networking" not in stack.bindings[0].spec
    managed = alb_stack(an_ingress(security_groups="sg-1", manage_backend_security_group_rules="true"), a_service())
    assert managed.backend_group
    assert managed.bindings[0].spec["networking"]


def test_a_service_annotation_goes_before_the_ingress_annotation() -> None:
    key = "alb.ingress.kubernetes.io/healthcheck-path"
    stack = alb_stack(an_ingress(healthcheck_path="/ingress"), a_service(annotations={key: "/service"}))
    assert stack.target_groups[0].health.path == "/service"


def test_the_class_goes_before_annotations() -> None:
    classes = class_with(
        scheme="internet-facing",
        ipAddressType="ipv4",
        tags=[{"key": "team", "value": "platform"}],
        loadBalancerAttributes=[{"key": "idle_timeout.timeout_seconds", "value": "30"}],
        targetType="ip",
        loadBalancerName="by-class",
        inboundCIDRs=["192.0.2.0/24"],
        sslPolicy="by-class",
        certificateArn=["arn:class"],
    )
    one = an_ingress(
        scheme="internal",
        tags="team=shop,env=dev",
        load_balancer_attributes="idle_timeout.timeout_seconds=60",
        target_type="instance",
        load_balancer_name="by-annotation",
        inbound_cidrs="0.0.0.0/0",
        certificate_arn="arn:annotation",
    )
    stack = alb_stack(one, a_service(), classes=classes)
    balancer = stack.load_balancer
    assert balancer
    assert (balancer.scheme, balancer.name) == ("internet-facing", "by-class")
    assert balancer.attributes == {"idle_timeout.timeout_seconds": "30"}
    assert balancer.tags == {"team": "platform", "env": "dev"}
    assert stack.target_groups[0].target_type == "ip"
    assert [p.source for p in stack.security_groups[0].ingress] == ["192.0.2.0/24"]
    assert stack.listeners[0].certificates == ("arn:class",)


def test_default_tags_win_unless_the_gate_says_otherwise() -> None:
    flags: Json = {"cluster_name": "demo", "aws_vpc_id": "vpc-1", "default_tags": {"team": "default"}}
    winning = alb_stack(an_ingress(tags="team=shop"), a_service(), settings=Settings(**flags))
    losing = Settings(**flags, feature_gates={"EnableDefaultTagsLowPriority": True})
    assert winning.load_balancer
    assert winning.load_balancer.tags == {"team": "default"}
    behind = alb_stack(an_ingress(tags="team=shop"), a_service(), settings=losing).load_balancer
    assert behind
    assert behind.tags == {"team": "shop"}


def test_tags_that_others_keep_are_refused() -> None:
    settings = Settings(cluster_name="demo", aws_vpc_id="vpc-1", external_managed_tags=("owner",))
    with pytest.raises(ModelError, match="external managed tag key owner"):
        alb_stack(an_ingress(tags="owner=me"), a_service(), settings=settings)


def test_a_group_is_ordered_by_order_and_then_by_name() -> None:
    late = an_ingress("a", a_path("/a"), group__name="g", group__order="10")
    early = an_ingress("z", a_path("/z"), group__name="g", group__order="-5")
    middle = an_ingress("m", a_path("/m"), group__name="g")
    found = rules(alb_stack(late, early, middle, a_service(), group="g"))
    assert [c["path-pattern"][0] for c, _ in found] == ["/z", "/m", "/a"]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({"scheme": "internal"}, {"scheme": "internet-facing"}, "conflicting scheme"),
        ({"tags": "a=1"}, {"tags": "a=2"}, "conflicting tag a"),
        ({"load_balancer_name": "x"}, {"load_balancer_name": "y"}, "conflicting load-balancer-name"),
        ({"inbound_cidrs": "10.0.0.0/8"}, {"inbound_cidrs": "11.0.0.0/8"}, "conflicting inbound-cidrs"),
        ({"listen_ports": '[{"HTTP":80}]'}, {"listen_ports": '[{"HTTPS":80}]', "certificate_arn": "c"}, "protocol"),
        ({"security_groups": "sg-1"}, {"security_groups": "sg-2"}, "conflicting securityGroups"),
        ({"subnets": "private-a"}, {"subnets": "private-b"}, "conflicting subnets"),
        ({"load_balancer_attributes": "a=1"}, {"load_balancer_attributes": "a=2"}, "conflicting load balancer attr"),
    ],
)
def test_members_that_contradict_each_other_are_refused(
    first: dict[str, str], second: dict[str, str], why: str
) -> None:
    one, two = an_ingress("one", group__name="g", **first), an_ingress("two", group__name="g", **second)
    with pytest.raises(ModelError, match=why):
        alb_stack(one, two, a_service(), group="g")


def test_two_default_backends_are_refused() -> None:
    both = [an_ingress(name, group__name="g") for name in ("one", "two")]
    for one in both:
        one["spec"]["defaultBackend"] = {"service": {"name": "web", "port": {"number": 80}}}
    with pytest.raises(ModelError, match="multiple ingress defined default backend"):
        alb_stack(*both, a_service(), group="g")


def test_members_that_listen_elsewhere_have_their_own_rules() -> None:
    one = an_ingress("one", a_path("/one"), group__name="g", listen_ports='[{"HTTP": 80}]')
    two = an_ingress("two", a_path("/two"), group__name="g", listen_ports='[{"HTTP": 8080}]')
    listeners = alb_stack(one, two, a_service(), group="g").listeners
    assert [(ls.port, len(ls.rules)) for ls in listeners] == [(80, 1), (8080, 1)]


@pytest.mark.parametrize("order", ["1001", "-1001", "first"])
def test_an_order_that_is_none_is_refused(order: str) -> None:
    with pytest.raises((ModelError, AnnotationError)):
        alb_stack(an_ingress("web", group__name="g", group__order=order), a_service(), group="g")


def test_a_backend_that_is_not_there_answers_503() -> None:
    stack = alb_stack(an_ingress("web", a_path("/", service_name="gone")))
    action = stack.listeners[0].rules[0].actions[0]
    assert action["FixedResponseConfig"]["StatusCode"] == "503"
    assert stack.target_groups == ()


def test_a_backend_that_is_not_there_is_an_error_where_it_is_not_tolerated() -> None:
    strict = Settings(cluster_name="demo", aws_vpc_id="vpc-1", tolerate_non_existent_backend_service=False)
    with pytest.raises(ModelError, match='Service "gone" not found'):
        alb_stack(an_ingress("web", a_path("/", service_name="gone")), settings=strict)


def test_weighted_forwarding_names_every_target_group() -> None:
    split = json.dumps(
        {
            "type": "forward",
            "forwardConfig": {
                "targetGroups": [
                    {"serviceName": "web", "servicePort": "80", "weight": 1},
                    {"targetGroupARN": "arn:other", "weight": 2},
                    {"targetGroupName": "old", "weight": 3},
                ],
                "targetGroupStickinessConfig": {"enabled": True, "durationSeconds": 60},
            },
        }
    )
    path = a_path("/", service_name="split", port="use-annotation")
    stack = alb_stack(an_ingress("web", path, actions__split=split), a_service())
    config = stack.listeners[0].rules[0].actions[0]["ForwardConfig"]
    assert config["TargetGroups"] == [
        {"TargetGroupArn": Ref("target-group", "shop/web-web:80"), "Weight": 1},
        {"TargetGroupArn": "arn:other", "Weight": 2},
        {"TargetGroupArn": "arn:named:old", "Weight": 3},
    ]
    assert config["TargetGroupStickinessConfig"] == {"Enabled": True, "DurationSeconds": 60}


@pytest.mark.parametrize(
    "action",
    [
        {"type": "forward"},
        {"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "web"}]}},
        {"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "web", "servicePort": 80}] * 2}},
        {"type": "fixed-response", "fixedResponseConfig": {}},
        {"type": "redirect"},
        {"type": "dance"},
        [],
    ],
)
def test_actions_that_are_none_are_refused(action: object) -> None:
    path = a_path("/", service_name="x", port="use-annotation")
    with pytest.raises((ModelError, AnnotationError)):
        alb_stack(an_ingress("web", path, actions__x=json.dumps(action)), a_service())


def test_a_redirect_to_itself_and_what_a_redirect_hides_are_left_out() -> None:
    redirect = json.dumps(
        {"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    )
    paths = [a_path("/", service_name="ssl", port="use-annotation"), a_path("/a", "ImplementationSpecific")]
    one = an_ingress(
        "web", *paths, actions__ssl=redirect, listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]', certificate_arn="arn:c"
    )
    plain, secure = alb_stack(one, a_service()).listeners
    assert [r.actions[-1]["Type"] for r in plain.rules] == ["redirect"]
    assert [r.actions[-1]["Type"] for r in secure.rules] == ["forward"]


def test_oidc_takes_its_client_from_the_secret_and_goes_before_the_forwarding_on_https_only() -> None:
    provider = {
        "issuer": "https://i",
        "authorizationEndpoint": "https://a",
        "tokenEndpoint": "https://t",
        "userInfoEndpoint": "https://u",
        "secretName": "oidc",
    }
    aws = FakeAws(secrets={("shop", "oidc"): {"clientID": b"id\n", "clientSecret": b"secret\n"}})
    one = an_ingress(
        auth_type="oidc",
        auth_idp_oidc=json.dumps(provider),
        listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]',
        certificate_arn="arn:c",
    )
    stack = alb_stack(one, a_service(), aws=aws)
    plain, secure = stack.listeners
    assert [a["Type"] for a in plain.rules[0].actions] == ["forward"]
    assert [(a["Type"], a["Order"]) for a in secure.rules[0].actions] == [("authenticate-oidc", 1), ("forward", 2)]
    login = secure.rules[0].actions[0]["AuthenticateOidcConfig"]
    assert (login["ClientId"], login["ClientSecret"], login["SessionTimeout"]) == ("id", "secret", 604800)
    assert stack.secrets == {("shop", "oidc")}


def test_instance_targets_use_the_node_port_and_the_node_labels() -> None:
    stack = alb_stack(an_ingress(target_node_labels="role=web"), a_service())
    assert stack.target_groups[0].port == 31080
    assert stack.bindings[0].spec["nodeSelector"] == {"matchLabels": {"role": "web"}}
    assert stack.bindings[0].spec["networking"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 31080}]


def test_instance_targets_of_a_service_without_node_ports_are_refused() -> None:
    clusterip = a_service(type="ClusterIP", ports=[{"port": 80, "targetPort": 8080}])
    with pytest.raises(ModelError, match="TargetGroup port is empty"):
        alb_stack(an_ingress(), clusterip)


def test_pods_with_a_named_port_make_a_target_group_of_port_one() -> None:
    stack = alb_stack(an_ingress(target_type="ip"), a_service(target="http"))
    assert stack.target_groups[0].port == 1
    assert stack.bindings[0].spec["networking"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": "http"}]


def test_grpc_has_its_own_health_check() -> None:
    group = alb_stack(an_ingress(backend_protocol_version="GRPC"), a_service()).target_groups[0]
    assert (group.protocol_version, group.health.path) == ("GRPC", "/AWS.ALB/healthcheck")
    assert group.health.matcher == {"GrpcCode": "12"}


def test_a_health_check_port_can_be_a_service_port_name() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "health", "port": 81, "targetPort": 9090}]
    stack = alb_stack(an_ingress(target_type="ip", healthcheck_port="health"), a_service(ports=ports))
    assert stack.target_groups[0].health.port == "9090"
    assert [r["ports"][0]["port"] for r in stack.bindings[0].spec["networking"]["ingress"]] == [8080, 9090]


def test_subnets_of_an_existing_load_balancer_stay_while_its_scheme_does() -> None:
    kept = Existing("internal", ("subnet-old-1", "subnet-old-2"), has_security_groups=True)
    stay = alb_stack(an_ingress(), a_service(), existing=kept).load_balancer
    move = alb_stack(an_ingress(scheme="internet-facing"), a_service(), existing=kept).load_balancer
    assert stay
    assert move
    assert [s["SubnetId"] for s in stay.subnets] == ["subnet-old-1", "subnet-old-2"]
    assert [s["SubnetId"] for s in move.subnets] == ["subnet-public-a", "subnet-public-b"]


def test_a_protected_ingress_is_not_deleted() -> None:
    one = an_ingress(load_balancer_attributes="deletion_protection.enabled=true")
    one["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["ingress.k8s.aws/resources"]}
    with pytest.raises(ModelError, match="deletion_protection is enabled"):
        alb_stack(one)


def test_a_deleted_ingress_leaves_an_empty_stack() -> None:
    one = an_ingress()
    one["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["ingress.k8s.aws/resources"]}
    stack = alb_stack(one)
    assert stack.load_balancer is None
    assert stack.target_groups == ()


def test_mutual_authentication_is_by_port() -> None:
    mtls = json.dumps([{"port": 443, "mode": "verify", "trustStore": "clients"}, {"port": 8443, "mode": "passthrough"}])
    one = an_ingress(listen_ports='[{"HTTPS":443},{"HTTPS":8443}]', certificate_arn="c", mutual_authentication=mtls)
    first, second = alb_stack(one, a_service()).listeners
    assert first.mutual_authentication
    assert first.mutual_authentication["TrustStoreArn"] == "arn:store:clients"
    assert second.mutual_authentication == {"Mode": "passthrough"}


def test_a_name_longer_than_32_characters_is_refused() -> None:
    with pytest.raises(ModelError, match="longer than 32"):
        alb_stack(an_ingress(load_balancer_name="x" * 33), a_service())


def test_the_settings_of_these_tests_are_the_real_defaults() -> None:
    assert SETTINGS.default_target_type == "instance"
    assert SETTINGS.enable_backend_security_group
