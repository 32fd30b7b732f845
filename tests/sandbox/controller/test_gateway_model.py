"""A Gateway and what hangs on it, as a stack."""

from dataclasses import replace
from typing import Any

import pytest

from sandbox.controller.gateway import hostnames
from sandbox.controller.gateway.rules import split
from sandbox.controller.model.stack import BACKEND, Json, ModelError, Ref
from tests.sandbox.controller.fakes import SETTINGS, FakeAws, a_service
from tests.sandbox.controller.gateways import (
    CONFIGURED,
    a_class,
    a_gateway,
    a_listener,
    a_route,
    an_object,
    balancer_configuration,
    gateway_stack,
    to,
)

WEB = a_service("web")


def path(value: str, kind: str = "PathPrefix") -> Json:
    return {"path": {"type": kind, "value": value}}


def rules_of(*objects: Json, **more: Any) -> list[tuple[list[Json], list[Json]]]:
    (listener,) = gateway_stack(*objects, **more).listeners
    return [(rule.conditions, rule.actions) for rule in listener.rules]


def paths_of(*objects: Json) -> list[list[str]]:
    conditions = [conditions for conditions, _ in rules_of(*objects)]
    found = [next(c["PathPatternConfig"] for c in several if c["Field"] == "path-pattern") for several in conditions]
    return [config.get("Values") or config["RegexValues"] for config in found]


def test_a_gateway_becomes_an_application_load_balancer_with_a_rule_a_match() -> None:
    stack = gateway_stack(a_gateway(), a_route(), WEB)
    assert stack.load_balancer
    assert (stack.load_balancer.type, stack.load_balancer.scheme) == ("application", "internal")
    assert stack.id.tags("demo") == {"elbv2.k8s.aws/cluster": "demo", "gateway.k8s.aws.alb/stack": "shop/edge"}
    (listener,), (group,), (binding,) = stack.listeners, stack.target_groups, stack.bindings
    assert (listener.port, listener.protocol, listener.actions[0]["FixedResponseConfig"]["StatusCode"]) == (
        80,
        "HTTP",
        "404",
    )
    target = {"TargetGroupArn": Ref("target-group", group.id), "Weight": 1}
    assert listener.rules[0].actions == [{"Type": "forward", "ForwardConfig": {"TargetGroups": [target]}, "Order": 1}]
    assert group.id == "shop/edge:shop-shop:HTTPRoute-shop-web:8080"
    assert (group.protocol, group.protocol_version, group.target_type, group.port) == (
        "HTTP",
        "HTTP1",
        "instance",
        31080,
    )
    assert (binding.spec["serviceRef"], binding.namespace) == ({"name": "web", "port": 80}, "shop")
    assert stack.backend_group


def test_a_gateway_that_goes_leaves_nothing() -> None:
    stack = gateway_stack(a_gateway(meta={"deletionTimestamp": "now"}), a_route(), WEB)
    assert stack.load_balancer is None
    assert stack.target_groups == ()


def test_a_protected_load_balancer_keeps_its_gateway() -> None:
    protected = [{"key": "deletion_protection.enabled", "value": "true"}]
    gone = a_gateway(meta={"deletionTimestamp": "now"}, infrastructure=CONFIGURED)
    with pytest.raises(ModelError, match=r"deletion_protection.enabled is true"):
        gateway_stack(gone, balancer_configuration(loadBalancerAttributes=protected))


def test_the_closest_match_comes_first_whatever_route_it_is_of() -> None:
    one = a_route({"matches": [path("/"), path("/a"), path("/a/b", "Exact")]}, name="one")
    other = a_route({"matches": [path("/long"), path("/r.*", "RegularExpression")]}, name="other")
    assert paths_of(a_gateway(), one, other, WEB) == [
        ["/a/b"],
        ["/long", "/long/*"],
        ["/a", "/a/*"],
        ["/*"],
        ["/r.*"],
    ]


def test_of_equal_matches_the_older_route_wins() -> None:
    young = a_route(
        {"matches": [path("/x")], "backendRefs": [to("web")]}, name="a", meta={"creationTimestamp": "2026-02"}
    )
    old = a_route({"matches": [path("/x")]}, name="b", meta={"creationTimestamp": "2026-01"})
    first, second = rules_of(a_gateway(), young, old, WEB)
    assert (first[1][0]["Type"], second[1][0]["Type"]) == ("fixed-response", "forward")


def test_each_hostname_has_rules_of_its_own_and_whole_names_go_before_wildcards() -> None:
    route = a_route(hostnames=["*.example.com", "a.example.com"])
    hosts = [c[0]["HostHeaderConfig"]["Values"] for c, _ in rules_of(a_gateway(), route, WEB)]
    assert hosts == [["a.example.com"], ["*.example.com"]]


def test_headers_queries_and_methods_all_have_to_match() -> None:
    match = path("/") | {
        "headers": [
            {"name": "x", "value": "a,b\\,c"},
            {"name": "y", "type": "RegularExpression", "value": "v[0-9]"},
        ],
        "queryParams": [{"name": "user", "value": "john"}],
        "method": "GET",
    }
    ((conditions, _),) = rules_of(a_gateway(), a_route({"matches": [match]}), WEB)
    assert conditions[1:] == [
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x", "Values": ["a", "b,c"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "y", "RegexValues": ["v[0-9]"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "user", "Value": "john"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
    ]


def test_a_prefix_with_wildcards_is_refused() -> None:
    with pytest.raises(ModelError, match="wildcards"):
        gateway_stack(a_gateway(), a_route({"matches": [path("/a*")]}), WEB)


@pytest.mark.parametrize(
    ("method", "pattern"),
    [
        (None, "/*"),
        ({"service": "shop.Cart"}, "/shop.Cart/*"),
        ({"method": "Add"}, "/*/Add"),
        ({"service": "shop.Cart", "method": "Add"}, "/shop.Cart/Add"),
    ],
)
def test_a_grpc_method_is_a_path(method: Json | None, pattern: str) -> None:
    match = {"method": method} if method else {}
    listener = a_listener(443, "HTTPS", hostname="shop.example.com")
    route = a_route({"matches": [match], "backendRefs": [to("web")]}, kind="GRPCRoute")
    aws = FakeAws(certificate_hosts={"shop.example.com": ["arn:cert"]})
    stack = gateway_stack(a_gateway(listener), route, WEB, aws=aws)
    (rule,) = stack.listeners[0].rules
    assert rule.conditions[1] == {"Field": "path-pattern", "PathPatternConfig": {"Values": [pattern]}}
    assert (stack.target_groups[0].protocol_version, stack.target_groups[0].health.matcher) == (
        "GRPC",
        {"GrpcCode": "12"},
    )


def test_weights_are_shared_and_nobody_gets_500_while_one_backend_has_weight() -> None:
    backends = [to("web", weight=3), to("canary", weight=0)]
    ((_, actions),) = rules_of(a_gateway(), a_route({"backendRefs": backends}), WEB, a_service("canary"))
    assert [g["Weight"] for g in actions[0]["ForwardConfig"]["TargetGroups"]] == [3, 0]
    ((_, nothing),) = rules_of(a_gateway(), a_route({"backendRefs": backends[1:]}), a_service("canary"))
    assert nothing[0]["FixedResponseConfig"]["StatusCode"] == "500"


def test_a_target_group_can_be_named_instead_of_a_service() -> None:
    named = {"kind": "TargetGroupName", "name": "old"}
    ((_, actions),) = rules_of(a_gateway(), a_route({"backendRefs": [named]}))
    assert actions[0]["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": "arn:named:old", "Weight": 1}]


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        ({"scheme": "https"}, {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}),
        (
            {"scheme": "https", "port": 8443, "statusCode": 301},
            {"Protocol": "HTTPS", "Port": "8443", "StatusCode": "HTTP_301"},
        ),
        ({"hostname": "b.example.com"}, {"Host": "b.example.com", "StatusCode": "HTTP_302"}),
        (
            {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/new"}},
            {"Path": "/new", "StatusCode": "HTTP_302"},
        ),
    ],
)
def test_a_redirect_is_an_action(redirect: Json, expected: Json) -> None:
    filters = [{"type": "RequestRedirect", "requestRedirect": redirect}]
    ((_, actions),) = rules_of(a_gateway(), a_route({"filters": filters}))
    assert actions == [{"Type": "redirect", "RedirectConfig": expected, "Order": 1}]


@pytest.mark.parametrize(
    ("replacement", "expected"),
    [("/new", ("(^/old(/)?)", "/new$2")), ("/new/", ("(^/old(/)?)", "/new/")), ("", ("(^/old(/)?)", "/"))],
)
def test_a_prefix_is_replaced_without_a_slash_too_many_or_too_few(replacement: str, expected: tuple[str, str]) -> None:
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": replacement}, "hostname": "in.example.com"}
    rule = {
        "matches": [path("/old")],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        "backendRefs": [to("web")],
    }
    (listener,) = gateway_stack(a_gateway(), a_route(rule), WEB).listeners
    url, host = listener.rules[0].transforms
    assert url["UrlRewriteConfig"]["Rewrites"] == [dict(zip(("Regex", "Replace"), expected, strict=True))]
    assert host["HostHeaderRewriteConfig"]["Rewrites"] == [{"Regex": ".*", "Replace": "in.example.com"}]


@pytest.mark.parametrize("kind", ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "CORS"])
def test_a_filter_that_no_load_balancer_can_do_is_refused(kind: str) -> None:
    with pytest.raises(ModelError, match=kind):
        gateway_stack(a_gateway(), a_route({"filters": [{"type": kind}], "backendRefs": [to("web")]}), WEB)


def extension(name: str = "rule") -> Json:
    reference = {"group": "gateway.k8s.aws", "kind": "ListenerRuleConfiguration", "name": name}
    return {"type": "ExtensionRef", "extensionRef": reference}


def rule_configuration(**spec: Any) -> Json:
    return an_object("ListenerRuleConfiguration", "rule", spec) | {"status": {"accepted": True}}


def test_a_listener_rule_configuration_answers_itself_and_limits_addresses() -> None:
    fixed = {"type": "fixed-response", "fixedResponseConfig": {"contentType": "text/plain", "statusCode": 403}}
    sources = [{"field": "source-ip", "matchIndexes": [1], "sourceIPConfig": {"values": ["10.0.0.0/8"]}}]
    configuration = rule_configuration(actions=[fixed], conditions=sources, tags={"team": "web"})
    route = a_route({"matches": [path("/a"), path("/bb")], "filters": [extension()]})
    (listener,) = gateway_stack(a_gateway(), route, configuration).listeners
    second, first = listener.rules
    assert [c["Field"] for c in first.conditions] == ["path-pattern"]
    assert second.conditions[1] == {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}}
    assert first.actions[0]["FixedResponseConfig"] == {"ContentType": "text/plain", "StatusCode": "403"}
    assert first.tags == {"team": "web"}


def test_a_login_stands_before_the_targets_and_on_https_only() -> None:
    oidc = {"issuer": "https://id", "secret": {"name": "client"}, "sessionTimeout": 60}
    configuration = rule_configuration(actions=[{"type": "authenticate-oidc", "authenticateOIDCConfig": oidc}])
    route = a_route({"filters": [extension()], "backendRefs": [to("web")]})
    listeners = a_listener(80, "HTTP"), a_listener(443, "HTTPS", hostname="a.example.com")
    aws = FakeAws(
        certificate_hosts={"a.example.com": ["arn:cert"]},
        secrets={("shop", "client"): {"clientID": b"me\n", "clientSecret": b"word"}},
    )
    stack = gateway_stack(a_gateway(*listeners), route, configuration, WEB, aws=aws)
    plain, secure = stack.listeners
    assert [a["Type"] for a in plain.rules[0].actions] == ["forward"]
    login, forward = secure.rules[0].actions
    assert (login["Type"], forward["Type"]) == ("authenticate-oidc", "forward")
    assert login["AuthenticateOidcConfig"]["ClientId"] == "me"
    assert login["AuthenticateOidcConfig"]["SessionTimeout"] == 60
    assert stack.secrets == {("shop", "client")}


def test_certificates_are_the_named_ones_else_those_of_the_hostnames() -> None:
    listener = a_listener(443, "HTTPS")
    named = [
        {"protocolPort": "HTTPS:443", "defaultCertificate": "arn:one", "certificates": ["arn:two"], "sslPolicy": "P"}
    ]
    gateway = a_gateway(listener, infrastructure=CONFIGURED)
    configuration = balancer_configuration(listenerConfigurations=named)
    (explicit,) = gateway_stack(gateway, configuration, a_route(), WEB).listeners
    assert (explicit.certificates, explicit.ssl_policy) == (("arn:one", "arn:two"), "P")
    aws = FakeAws(certificate_hosts={"a.example.com": ["arn:found"]})
    (found,) = gateway_stack(a_gateway(listener), a_route(hostnames=["a.example.com"]), WEB, aws=aws).listeners
    assert found.certificates == ("arn:found",)
    with pytest.raises(ModelError, match="no certificate"):
        gateway_stack(a_gateway(listener), a_route(), WEB)


def test_a_configuration_says_what_the_load_balancer_is_like() -> None:
    configuration = balancer_configuration(
        loadBalancerName="mine",
        scheme="internet-facing",
        sourceRanges=["203.0.113.0/24", "2001:db8::/32"],
        securityGroupPrefixes=["pl-1"],
        tags={"team": "web"},
        loadBalancerAttributes=[{"key": "idle_timeout.timeout_seconds", "value": "30"}],
        loadBalancerSubnets=[{"identifier": "subnet-public-b"}, {"identifier": "public-a"}],
    )
    stack = gateway_stack(a_gateway(infrastructure=CONFIGURED), configuration, a_route(), WEB)
    balancer, (group,) = stack.load_balancer, stack.security_groups
    assert balancer
    assert (balancer.name, balancer.scheme, balancer.tags) == ("mine", "internet-facing", {"team": "web"})
    assert balancer.subnets == [{"SubnetId": "subnet-public-b"}, {"SubnetId": "subnet-public-a"}]
    assert balancer.attributes == {"idle_timeout.timeout_seconds": "30"}
    assert [(p.from_port, p.source) for p in group.ingress] == [(80, "203.0.113.0/24"), (80, "pl-1")]
    assert stack.listeners[0].tags == {"team": "web"}


def test_given_security_groups_stand_alone_unless_rules_at_the_targets_are_wanted() -> None:
    gateway = a_gateway(infrastructure=CONFIGURED)
    alone = gateway_stack(gateway, balancer_configuration(securityGroups=["sg-1"]), a_route(), WEB)
    assert alone.load_balancer
    assert alone.load_balancer.security_groups == ("sg-1",)
    assert "networking" not in alone.bindings[0].spec
    managed = balancer_configuration(securityGroups=["sg-1"], manageBackendSecurityGroupRules=True)
    both = gateway_stack(gateway, managed, a_route(), WEB)
    assert both.load_balancer
    assert both.load_balancer.security_groups == ("sg-1", Ref("security-group", BACKEND))


@pytest.mark.parametrize(("mode", "scheme"), [("prefer-gateway", "internal"), (None, "internet-facing")])
def test_the_class_decides_unless_its_configuration_prefers_the_gateway(mode: str | None, scheme: str) -> None:
    by_class: Json = {"scheme": "internet-facing", "tags": {"a": "class", "b": "class"}} | (
        {"mergingMode": mode} if mode else {}
    )
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "all", "namespace": "infra"}
    stack = gateway_stack(
        a_class(parametersRef=reference),
        an_object("LoadBalancerConfiguration", "all", by_class, "infra"),
        a_gateway(infrastructure=CONFIGURED),
        balancer_configuration(scheme="internal", tags={"a": "gateway"}),
        a_route(),
        WEB,
    )
    assert stack.load_balancer
    assert stack.load_balancer.scheme == scheme
    assert stack.load_balancer.tags == {"a": "gateway" if mode else "class", "b": "class"}


def target_groups(name: str = "web", **spec: Any) -> Json:
    return an_object("TargetGroupConfiguration", name, {"targetReference": {"name": "web"}} | spec)


def test_target_groups_are_as_the_services_configuration_says_and_closest_for_its_route() -> None:
    check = {"healthCheckPath": "/ready", "healthCheckInterval": 5}
    configuration = target_groups(
        defaultConfiguration={"targetType": "ip", "healthCheckConfig": check, "tags": {"a": "1"}},
        routeConfigurations=[
            {"routeIdentifier": {"kind": "HTTPRoute"}, "targetGroupProps": {"tags": {"a": "kind"}}},
            {
                "routeIdentifier": {"kind": "HTTPRoute", "namespace": "shop", "name": "shop"},
                "targetGroupProps": {"tags": {"a": "name"}, "targetGroupName": "mine"},
            },
        ],
    )
    (group,) = gateway_stack(a_gateway(), a_route(), WEB, configuration).target_groups
    assert (group.name, group.target_type, group.port, group.tags) == ("mine", "ip", 8080, {"a": "name"})
    assert (group.health.path, group.health.interval, group.health.healthy) == ("/ready", 5, 3)


def test_a_gateways_default_target_groups_fill_what_the_service_leaves_open() -> None:
    default = an_object(
        "TargetGroupConfiguration", "all", {"defaultConfiguration": {"targetType": "ip", "protocol": "HTTPS"}}
    )
    (group,) = gateway_stack(
        a_gateway(infrastructure=CONFIGURED),
        balancer_configuration(defaultTargetGroupConfiguration={"name": "all"}),
        default,
        target_groups(defaultConfiguration={"protocol": "HTTP"}),
        a_route(),
        WEB,
    ).target_groups
    assert (group.target_type, group.protocol) == ("ip", "HTTP")


def test_tcp_and_udp_on_one_port_are_one_listener_and_of_two_routes_the_oldest_serves() -> None:
    listeners = a_listener(53, "TCP"), a_listener(53, "UDP")
    young = a_route({"backendRefs": [to("web")]}, kind="UDPRoute", name="young", meta={"creationTimestamp": "2026-02"})
    old = a_route({"backendRefs": [to("old")]}, kind="TCPRoute", name="old", meta={"creationTimestamp": "2026-01"})
    stack = gateway_stack(a_gateway(*listeners, of="nlb"), young, old, WEB, a_service("old"))
    (listener,), (group,) = stack.listeners, stack.target_groups
    assert (listener.protocol, group.protocol, group.id) == (
        "TCP_UDP",
        "TCP_UDP",
        "shop/edge:shop-old:TCPRoute-shop-old:8080",
    )
    assert stack.bindings[0].spec["networking"]["ingress"][0]["ports"] == [{"protocol": "UDP", "port": 31080}]
    assert stack.bindings[0].spec["networking"]["ingress"][1]["ports"] == [{"protocol": "TCP", "port": 31080}]


def test_a_network_listener_without_traffic_for_anybody_is_not_made() -> None:
    assert gateway_stack(a_gateway(of="nlb")).listeners == ()
    idle = a_route({"backendRefs": [to("web", weight=0)]}, kind="TCPRoute")
    assert gateway_stack(a_gateway(of="nlb"), idle, WEB).listeners == ()


@pytest.mark.parametrize(("mode", "protocol", "alpn"), [("Terminate", "TLS", "None"), ("Passthrough", "TCP", None)])
def test_tls_ends_at_the_load_balancer_unless_it_is_passed_through(mode: str, protocol: str, alpn: str | None) -> None:
    listener = a_listener(443, "TLS", tls={"mode": mode}, hostname="a.example.com")
    aws = FakeAws(certificate_hosts={"a.example.com": ["arn:cert"]})
    route = a_route(kind="TLSRoute", hostnames=["a.example.com"])
    stack = gateway_stack(a_gateway(listener, of="nlb"), route, WEB, aws=aws)
    assert (stack.listeners[0].protocol, stack.listeners[0].alpn) == (protocol, alpn)
    assert stack.target_groups[0].protocol == "TLS"


def test_a_load_balancer_without_security_groups_lets_clients_and_its_subnets_to_the_targets() -> None:
    gateway = a_gateway(of="nlb", infrastructure=CONFIGURED)
    configuration = balancer_configuration(disableSecurityGroup=True, sourceRanges=["203.0.113.0/24"])
    stack = gateway_stack(gateway, configuration, a_route(kind="TCPRoute"), WEB)
    assert stack.load_balancer
    assert stack.load_balancer.security_groups == ()
    clients, subnets = stack.bindings[0].spec["networking"]["ingress"]
    assert clients["from"] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
    assert [one["ipBlock"]["cidr"] for one in subnets["from"]] == ["10.0.16.0/20", "10.0.32.0/20"]


def test_addresses_are_for_network_load_balancers() -> None:
    given = [{"identifier": f"subnet-public-{z}", "eipAllocation": f"eipalloc-{z}"} for z in "ab"]
    configuration = balancer_configuration(scheme="internet-facing", loadBalancerSubnets=given)
    stack = gateway_stack(a_gateway(of="nlb", infrastructure=CONFIGURED), configuration, a_route(kind="TCPRoute"), WEB)
    assert stack.load_balancer
    assert [one["AllocationId"] for one in stack.load_balancer.subnets] == ["eipalloc-a", "eipalloc-b"]
    with pytest.raises(ModelError, match="only a network load balancer"):
        gateway_stack(a_gateway(infrastructure=CONFIGURED), configuration, a_route(), WEB)


def test_quic_is_refused() -> None:
    quic = balancer_configuration(listenerConfigurations=[{"protocolPort": "UDP:53", "quicEnabled": True}])
    gateway = a_gateway(a_listener(53, "UDP"), of="nlb", infrastructure=CONFIGURED)
    with pytest.raises(ModelError, match="quicEnabled"):
        gateway_stack(gateway, quic, a_route(kind="UDPRoute"), WEB)


def test_the_flags_tags_are_on_everything() -> None:
    settings = replace(SETTINGS, default_tags={"owner": "us"})
    stack = gateway_stack(a_gateway(), a_route(), WEB, settings=settings)
    assert stack.load_balancer
    assert {"owner": "us"} == dict(stack.load_balancer.tags) == dict(stack.target_groups[0].tags)
    assert stack.listeners[0].rules[0].tags == {"owner": "us"}


def test_labels_and_annotations_of_the_infrastructure_are_the_bindings() -> None:
    infrastructure = {"labels": {"team": "web"}, "annotations": {"note": "x"}}
    (binding,) = gateway_stack(a_gateway(infrastructure=infrastructure), a_route(), WEB).bindings
    assert (binding.labels, binding.annotations) == ({"team": "web"}, {"note": "x"})


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("a.example.com", "a.example.com", "a.example.com"),
        ("*.example.com", "a.example.com", "a.example.com"),
        ("a.b.example.com", "*.example.com", "a.b.example.com"),
        ("*.example.com", "example.com", None),
        ("a.example.com", "b.example.com", None),
    ],
)
def test_of_two_hostnames_the_closer_one_is_served(one: str, other: str, shared: str | None) -> None:
    assert hostnames.common(one, other) == shared


def test_a_header_value_is_parted_by_commas_that_nothing_escapes() -> None:
    assert split(r"a\,b,c\\,") == ["a,b", "c\\", ""]
