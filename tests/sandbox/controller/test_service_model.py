import json

import pytest

from sandbox.controller.model import service
from sandbox.controller.model.lookup import Existing
from sandbox.controller.model.stack import BACKEND, Json, ModelError, Ref
from sandbox.controller.settings import Settings
from tests.sandbox.controller.fakes import SETTINGS, a_service, an_nlb, nlb_stack

P = "service.beta.kubernetes.io/aws-load-balancer-"
TCP80 = {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 31080, "protocol": "TCP"}


@pytest.mark.parametrize(
    ("spec", "annotations", "expected"),
    [
        ({"loadBalancerClass": "service.k8s.aws/nlb"}, {}, True),
        ({"loadBalancerClass": "other"}, {f"{P}type": "nlb-ip"}, False),
        ({}, {f"{P}type": "nlb-ip"}, True),
        ({}, {f"{P}type": "external", f"{P}nlb-target-type": "instance"}, True),
        ({}, {f"{P}type": "external"}, False),
        ({}, {f"{P}type": "nlb"}, False),
        ({}, {}, False),
    ],
)
def test_a_service_is_ours_by_class_or_else_by_type(
    spec: Json,
    annotations: dict[str, str],
    expected: bool,  # noqa: FBT001 - a table's column
) -> None:
    more: Json = {"type": "LoadBalancer", **spec}
    assert service.ours(a_service(annotations=annotations, **more), SETTINGS) is expected


def test_a_service_becomes_a_network_load_balancer_with_a_listener_and_group_a_port() -> None:
    stack = nlb_stack(an_nlb({f"{P}nlb-target-type": "ip", f"{P}scheme": "internet-facing"}))
    assert stack.load_balancer
    assert (stack.load_balancer.type, stack.load_balancer.scheme) == ("network", "internet-facing")
    assert [(ls.port, ls.protocol) for ls in stack.listeners] == [(80, "TCP")]
    group = stack.target_groups[0]
    assert (group.id, group.target_type, group.port, group.attributes) == (
        "shop/web:80",
        "ip",
        8080,
        {"proxy_protocol_v2.enabled": "false"},
    )
    assert (group.health.protocol, group.health.interval, group.health.timeout) == ("TCP", 10, 10)


def test_the_old_internal_annotation_still_decides_the_scheme() -> None:
    stack = nlb_stack(an_nlb({f"{P}internal": "false"}))
    assert stack.load_balancer
    assert stack.load_balancer.scheme == "internet-facing"


def test_an_existing_load_balancer_keeps_scheme_and_subnets() -> None:
    existing = Existing("internet-facing", ("subnet-public-a",), has_security_groups=True)
    stack = nlb_stack(an_nlb(), existing=existing)
    assert stack.load_balancer
    assert stack.load_balancer.scheme == "internet-facing"
    assert stack.load_balancer.subnets == [{"SubnetId": "subnet-public-a"}]


def test_a_load_balancer_made_without_security_groups_never_gets_any() -> None:
    existing = Existing("internal", ("subnet-private-a",), has_security_groups=False)
    stack = nlb_stack(an_nlb(), existing=existing)
    assert stack.load_balancer
    assert stack.load_balancer.security_groups == ()


def test_tls_is_for_the_ports_that_are_named() -> None:
    ports = [TCP80, {"name": "https", "port": 443, "targetPort": 8080, "nodePort": 31443, "protocol": "TCP"}]
    annotations = {f"{P}ssl-cert": "arn:a,arn:b", f"{P}ssl-ports": "https", f"{P}alpn-policy": "HTTP2Preferred"}
    plain, secure = nlb_stack(an_nlb(annotations, ports=ports)).listeners
    assert (plain.protocol, plain.certificates, plain.ssl_policy) == ("TCP", (), None)
    assert (secure.protocol, secure.certificates, secure.alpn) == ("TLS", ("arn:a", "arn:b"), "HTTP2Preferred")
    assert secure.ssl_policy == "ELBSecurityPolicy-2016-08"


def test_backend_protocol_ssl_means_tls_to_the_targets() -> None:
    stack = nlb_stack(an_nlb({f"{P}ssl-cert": "arn:a", f"{P}backend-protocol": "ssl"}))
    assert stack.target_groups[0].protocol == "TLS"


def test_a_tls_port_that_the_service_has_not_is_refused() -> None:
    with pytest.raises(ModelError, match="Unused port in ssl-ports"):
        nlb_stack(an_nlb({f"{P}ssl-cert": "arn:a", f"{P}ssl-ports": "8443"}))


def test_a_port_of_both_protocols_is_one_tcp_udp_listener_if_asked_for() -> None:
    both = [{**TCP80, "port": 53, "name": "tcp"}, {**TCP80, "port": 53, "name": "udp", "protocol": "UDP"}]
    stack = nlb_stack(an_nlb({f"{P}enable-tcp-udp-listener": "true", f"{P}nlb-target-type": "ip"}, ports=both))
    assert [(ls.port, ls.protocol) for ls in stack.listeners] == [(53, "TCP_UDP")]
    assert [g.protocol for g in stack.target_groups] == ["TCP_UDP"]
    ports = stack.bindings[0].spec["networking"]["ingress"][0]["ports"]
    assert ports == [{"protocol": "UDP", "port": 8080}, {"protocol": "TCP", "port": 8080}]


def test_udp_opens_tcp_for_the_health_check() -> None:
    udp = [{**TCP80, "port": 53, "targetPort": 5353, "protocol": "UDP"}]
    annotations = {f"{P}nlb-target-type": "ip", f"{P}healthcheck-port": "8080"}
    ports = nlb_stack(an_nlb(annotations, ports=udp)).bindings[0].spec["networking"]["ingress"][0]["ports"]
    assert ports == [{"protocol": "UDP", "port": 5353}, {"protocol": "TCP", "port": 8080}]


@pytest.mark.parametrize(
    ("annotations", "enabled"),
    [
        ({}, "false"),
        ({f"{P}proxy-protocol": "*"}, "true"),
        ({f"{P}proxy-protocol-per-target-group": "80, 443"}, "true"),
        ({f"{P}proxy-protocol-per-target-group": "443"}, "false"),
        ({f"{P}target-group-attributes": "proxy_protocol_v2.enabled=true"}, "true"),
        ({f"{P}target-group-attributes.80": "proxy_protocol_v2.enabled=true"}, "true"),
    ],
)
def test_proxy_protocol_can_be_for_all_or_for_some_ports(annotations: dict[str, str], enabled: str) -> None:
    assert nlb_stack(an_nlb(annotations)).target_groups[0].attributes["proxy_protocol_v2.enabled"] == enabled


def test_source_ranges_of_the_spec_go_before_the_annotation() -> None:
    ranges = {"service.beta.kubernetes.io/load-balancer-source-ranges": "11.0.0.0/8"}
    by_spec = nlb_stack(an_nlb(ranges, loadBalancerSourceRanges=["10.0.0.0/8"])).security_groups[0].ingress
    by_annotation = nlb_stack(an_nlb(ranges)).security_groups[0].ingress
    assert [p.source for p in by_spec] == ["10.0.0.0/8"]
    assert [p.source for p in by_annotation] == ["11.0.0.0/8"]


def test_path_mtu_discovery_adds_icmp_rules() -> None:
    rules = nlb_stack(an_nlb({f"{P}enable-icmp-for-path-mtu-discovery": "on"})).security_groups[0].ingress
    assert [(p.protocol, p.from_port, p.to_port) for p in rules] == [("tcp", 80, 80), ("icmp", 3, 4)]


def test_given_groups_replace_the_made_one() -> None:
    stack = nlb_stack(an_nlb({f"{P}security-groups": "sg-1"}))
    assert stack.load_balancer
    assert stack.load_balancer.security_groups == ("sg-1",)
    assert stack.security_groups == ()
    assert "networking" not in stack.bindings[0].spec


def test_without_security_groups_the_targets_are_opened_by_address() -> None:
    ip = nlb_stack(an_nlb({f"{P}disable-nlb-sg": "true", f"{P}nlb-target-type": "ip"}))
    assert ip.load_balancer
    assert ip.load_balancer.security_groups == ()
    peers = ip.bindings[0].spec["networking"]["ingress"][0]["from"]
    assert [p["ipBlock"]["cidr"] for p in peers] == ["10.0.16.0/20", "10.0.32.0/20"]
    # Instance targets see the client's own address.
    instance = nlb_stack(an_nlb({f"{P}disable-nlb-sg": "true"}))
    assert [p["ipBlock"]["cidr"] for p in instance.bindings[0].spec["networking"]["ingress"][0]["from"]] == [
        "10.0.0.0/16"
    ]


def test_local_traffic_policy_checks_the_nodes_own_port() -> None:
    health = nlb_stack(an_nlb(externalTrafficPolicy="Local", healthCheckNodePort=32000)).target_groups[0].health
    assert (health.port, health.protocol, health.path, health.timeout) == ("32000", "HTTP", "/healthz", 6)
    assert (health.healthy, health.unhealthy, health.matcher) == (2, 2, {"HttpCode": "200-399"})


def test_elastic_addresses_go_to_the_subnets_in_order() -> None:
    annotations = {f"{P}scheme": "internet-facing", f"{P}eip-allocations": "eipalloc-1,eipalloc-2"}
    stack = nlb_stack(an_nlb(annotations))
    assert stack.load_balancer
    assert [m["AllocationId"] for m in stack.load_balancer.subnets] == ["eipalloc-1", "eipalloc-2"]


@pytest.mark.parametrize(
    ("annotations", "why"),
    [
        ({f"{P}eip-allocations": "eipalloc-1,eipalloc-2"}, "internet facing"),
        ({f"{P}scheme": "internet-facing", f"{P}eip-allocations": "eipalloc-1"}, "must match"),
        ({f"{P}private-ipv4-addresses": "10.0.16.9,10.0.17.9"}, "expect one private IPv4"),
        ({f"{P}private-ipv4-addresses": "10.0.16.9,ten"}, "valid IP address"),
        ({f"{P}scheme": "public"}, "unknown scheme"),
        ({f"{P}ip-address-type": "ipv6"}, "unknown IPAddressType"),
        ({f"{P}proxy-protocol": "80"}, "only value currently supported"),
        ({f"{P}healthcheck-protocol": "UDP"}, "unsupported health check protocol"),
        ({f"{P}alpn-policy": "h2", f"{P}ssl-cert": "c"}, "invalid ALPN policy"),
        ({f"{P}attributes": "dns_record.client_routing_policy=nearest"}, "client_routing_policy"),
        ({f"{P}name": "x" * 33}, "longer than 32"),
    ],
)
def test_what_cannot_be_is_refused(annotations: dict[str, str], why: str) -> None:
    with pytest.raises(ModelError, match=why):
        nlb_stack(an_nlb(annotations))


def test_private_addresses_find_their_subnets_whatever_their_order() -> None:
    stack = nlb_stack(an_nlb({f"{P}private-ipv4-addresses": "10.0.32.9,10.0.16.9"}))
    assert stack.load_balancer
    assert [m["PrivateIPv4Address"] for m in stack.load_balancer.subnets] == ["10.0.16.9", "10.0.32.9"]


def test_traffic_can_be_shared_with_another_service() -> None:
    action = {
        "type": "forward",
        "forwardConfig": {
            "baseServiceWeight": 9,
            "targetGroups": [{"serviceName": "green", "servicePort": 80, "weight": 1}],
        },
    }
    one = an_nlb({"service.beta.kubernetes.io/actions.TCP-80": json.dumps(action)})
    stack = nlb_stack(one, a_service("green"))
    assert stack.listeners[0].actions[0]["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": Ref("target-group", "shop/web:80"), "Weight": 9},
        {"TargetGroupArn": Ref("target-group", "shop/green:80"), "Weight": 1},
    ]
    assert {b.spec["serviceRef"]["name"] for b in stack.bindings} == {"web", "green"}


def test_instance_targets_need_node_ports() -> None:
    with pytest.raises(ModelError, match="unsupported service type"):
        nlb_stack(an_nlb(type="ClusterIP"))


def test_without_the_shared_group_traffic_comes_from_the_made_one() -> None:
    settings = Settings(cluster_name="demo", aws_vpc_id="vpc-1", enable_backend_security_group=False)
    stack = nlb_stack(an_nlb(), settings=settings)
    source = stack.bindings[0].spec["networking"]["ingress"][0]["from"][0]["securityGroup"]["groupID"]
    assert source == Ref("security-group", "ManagedLBSecurityGroup")
    assert not stack.backend_group
    assert Ref("security-group", BACKEND) not in (stack.load_balancer.security_groups if stack.load_balancer else ())


def test_a_service_that_is_not_ours_any_more_leaves_an_empty_stack() -> None:
    one = a_service(type="LoadBalancer")
    one["metadata"]["finalizers"] = [service.FINALIZER]
    assert nlb_stack(one).load_balancer is None


def test_a_port_of_both_protocols_is_one_listener_of_the_first_if_not_asked_for_more() -> None:
    both = [{**TCP80, "port": 53, "name": "tcp"}, {**TCP80, "port": 53, "name": "udp", "protocol": "UDP"}]
    stack = nlb_stack(an_nlb({f"{P}nlb-target-type": "ip"}, ports=both))
    assert [(ls.port, ls.protocol) for ls in stack.listeners] == [(53, "TCP")]
    assert [group.protocol for group in stack.target_groups] == ["TCP"]
