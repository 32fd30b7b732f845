"""Pods and Services that are there already, several ports and paths, and what only one kind of load balancer can do."""

import json
from typing import Any

import pytest
from pulumi import Output

from eks_load_balancing import InvalidInputError
from fixtures.declared import Declared
from tests.unit.workloads.test_workloads import CERTIFICATE, INGRESS, SERVICE, alb, both, nlb

TRUST_STORE = "arn:aws:elasticloadbalancing:us-west-2:123456789012:truststore/a/b"
TCP_AND_UDP = [{"port": 443, "container_port": 8443}, {"port": 53, "protocol": "UDP"}]
OIDC = {
    "issuer": "https://id.example.com",
    "authorization_endpoint": "https://id.example.com/authorize",
    "token_endpoint": "https://id.example.com/token",
    "user_info_endpoint": "https://id.example.com/user",
    "secret_name": "login",
}
COGNITO = {"user_pool_arn": "arn:pool", "user_pool_client_id": "client", "user_pool_domain": "shop"}


def annotations(declared: Declared, prefix: str) -> dict[str, str]:
    kind = ":Service" if prefix == SERVICE else ":Ingress"
    found = declared.one(kind).inputs["metadata"]["annotations"]
    return {key.removeprefix(prefix): value for key, value in found.items()}


def attributes(text: str) -> dict[str, str]:
    return dict(one.split("=", 1) for one in text.split(","))  # pyright: ignore[reportReturnType]


@both
def test_pods_of_a_selector_are_exposed_and_none_are_made(workload: Any) -> None:
    declared = workload(selector={"app": "shop"})

    assert declared.of(":Deployment") == declared.of(":PodDisruptionBudget") == []
    assert declared.one(":Service").inputs["spec"]["selector"] == {"app": "shop"}


@both
def test_the_container_gets_environment_resources_and_user(workload: Any) -> None:
    resources = {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
    declared = workload(environment={"A": Output.from_input("b")}, resources=resources, user_id=1000)
    pod = declared.one(":Deployment").inputs["spec"]["template"]["spec"]

    assert pod["containers"][0]["env"] == [{"name": "A", "value": "b"}]
    assert pod["containers"][0]["resources"] == resources
    assert pod["securityContext"]["runAsUser"] == 1000


@pytest.mark.parametrize(("workload", "prefix"), [(nlb, SERVICE), (alb, INGRESS)])
def test_load_balancers_are_where_and_what_they_are_asked_to_be(workload: Any, prefix: str) -> None:
    asked = annotations(
        workload(
            ip_address_type="dualstack",
            subnet_ids=Output.from_input(["subnet-a", "subnet-b"]),
            security_group_ids=["sg-a"],
            certificate_arn=CERTIFICATE,
            certificate_arns=[f"{CERTIFICATE}2"],
            tls_policy="ELBSecurityPolicy-TLS13-1-3-2021-06",
            target_group_attributes={"stickiness.enabled": "true", "deregistration_delay.timeout_seconds": "5"},
            load_balancer_attributes={"deletion_protection.enabled": "true"},
            annotations={f"{prefix}mine": Output.from_input("yes")},
        ),
        prefix,
    )

    assert (asked["ip-address-type"], asked["subnets"], asked["security-groups"]) == (
        "dualstack",
        "subnet-a,subnet-b",
        "sg-a",
    )
    assert asked["manage-backend-security-group-rules"] == "true"
    assert asked.get("ssl-cert", asked.get("certificate-arn")) == f"{CERTIFICATE},{CERTIFICATE}2"
    assert "ELBSecurityPolicy-TLS13-1-3-2021-06" in (asked.get("ssl-policy"), asked.get("ssl-negotiation-policy"))
    assert attributes(asked["target-group-attributes"]) == {
        "deregistration_delay.timeout_seconds": "5",
        "stickiness.enabled": "true",
    }
    own = asked.get("attributes") or asked["load-balancer-attributes"]
    assert attributes(own)["deletion_protection.enabled"] == "true"
    assert asked["mine"] == "yes"


def test_an_nlb_has_several_listeners_and_only_those_for_tcp_speak_tls() -> None:
    declared = nlb(ports=TCP_AND_UDP, certificate_arn=CERTIFICATE)
    container = declared.one(":Deployment").inputs["spec"]["template"]["spec"]["containers"][0]

    assert declared.one(":Service").inputs["spec"]["ports"] == [
        {"name": "tcp-443", "protocol": "TCP", "port": 443, "targetPort": 8443},
        {"name": "udp-53", "protocol": "UDP", "port": 53, "targetPort": 53},
    ]
    assert annotations(declared, SERVICE)["ssl-ports"] == "443"
    assert [port["containerPort"] for port in container["ports"]] == [8443, 53]


def test_an_nlb_has_fixed_addresses() -> None:
    public = annotations(nlb(scheme="internet-facing", eip_allocation_ids=["eipalloc-1", "eipalloc-2"]), SERVICE)
    private = annotations(nlb(private_ipv4_addresses=["10.0.0.10"]), SERVICE)

    assert public["eip-allocations"] == "eipalloc-1,eipalloc-2"
    assert private["private-ipv4-addresses"] == "10.0.0.10"


def test_an_nlb_keeps_the_clients_address_or_tells_it() -> None:
    asked = annotations(nlb(preserve_client_ip=True, proxy_protocol=True), SERVICE)["target-group-attributes"]

    assert attributes(asked) == {
        "deregistration_delay.timeout_seconds": "30",
        "preserve_client_ip.enabled": "true",
        "proxy_protocol_v2.enabled": "true",
    }


def test_an_alb_serves_a_service_that_is_there() -> None:
    declared = alb(service_name=Output.from_input("shop"), service_port=8080)
    (rule,) = declared.one(":Ingress").inputs["spec"]["rules"]

    assert declared.of(":Deployment") == declared.of(":Service") == []
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "shop", "port": {"number": 8080}}
    assert {"key": "ingress.k8s.aws/resource", "values": ["samples/web-shop:8080"]} in declared.calls[0][1][
        "tagFilters"
    ]


def test_an_alb_has_several_paths_hosts_and_services() -> None:
    declared = alb(
        host="shop.example.com",
        paths=[
            {"path": "/orders", "service_name": "orders", "service_port": 9000},
            {"path": "/exact", "path_type": "Exact", "host": "other.example.com"},
            {"path": "/"},
        ],
    )
    rules = [
        (rule["host"], path["path"], path["pathType"], path["backend"]["service"]["name"])
        for rule in declared.one(":Ingress").inputs["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]

    assert rules == [
        ("shop.example.com", "/orders", "Prefix", "orders"),
        ("other.example.com", "/exact", "Exact", "web"),
        ("shop.example.com", "/", "Prefix", "web"),
    ]


def test_an_alb_shares_requests_out_by_weight() -> None:
    shares = [{"service_name": "blue", "weight": 90}, {"service_name": "green", "service_port": 81, "weight": 10}]
    declared = alb(weighted_services=shares)
    (rule,) = declared.one(":Ingress").inputs["spec"]["rules"]
    action = json.loads(annotations(declared, INGRESS)["actions.weighted"])

    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "weighted", "port": {"name": "use-annotation"}}
    assert action["forwardConfig"]["targetGroups"] == [
        {"serviceName": "blue", "servicePort": 80, "weight": 90},
        {"serviceName": "green", "servicePort": 81, "weight": 10},
    ]
    assert declared.calls[0][1]["tagFilters"][1]["values"] == ["samples/web-blue:80", "samples/web-green:81"]


def test_clients_show_a_certificate() -> None:
    asked = annotations(
        alb(certificate_arn=CERTIFICATE, mutual_tls={"mode": "verify", "trust_store_arn": TRUST_STORE}), INGRESS
    )

    assert json.loads(asked["mutual-authentication"]) == [{"port": 443, "mode": "verify", "trustStore": TRUST_STORE}]


def test_users_log_in() -> None:
    session = {"scope": "openid email", "session_timeout": 3600, "on_unauthenticated": "deny"}
    oidc = annotations(alb(certificate_arn=CERTIFICATE, oidc_login={**OIDC, **session}), INGRESS)
    cognito = annotations(alb(certificate_arn=CERTIFICATE, cognito_login=COGNITO), INGRESS)

    assert (oidc["auth-type"], oidc["auth-scope"], oidc["auth-session-timeout"]) == ("oidc", "openid email", "3600")
    assert oidc["auth-on-unauthenticated-request"] == "deny"
    assert json.loads(oidc["auth-idp-oidc"])["secretName"] == "login"
    assert cognito["auth-type"] == "cognito"
    assert json.loads(cognito["auth-idp-cognito"]) == {
        "userPoolARN": "arn:pool",
        "userPoolClientID": "client",
        "userPoolDomain": "shop",
    }


@pytest.mark.parametrize(
    ("workload", "changes", "says"),
    [
        (
            nlb,
            {"selector": {"a": "b"}, "image": "web:1"},
            "image and selector are both given, and .*: give one of them",
        ),
        (nlb, {"ports": TCP_AND_UDP, "port": 80}, "port and ports are both given"),
        (nlb, {"ports": [{"port": 53, "protocol": "UDP"}]}, "ports has none of TCP: give one"),
        (nlb, {"ports": [{"port": 53}, {"port": 53}]}, "ports has port 53 twice: give each once"),
        (nlb, {"ports": [{"port": 53, "protocol": "SCTP"}]}, "protocol 'SCTP' is not known: give one of TCP, UDP"),
        (nlb, {"ports": [{"port": 0}]}, "0 is not between 1 and 65535"),
        (nlb, {"ports": TCP_AND_UDP, "preserve_client_ip": False}, "preserve_client_ip is false and ports has UDP"),
        (nlb, {"eip_allocation_ids": ["eipalloc-1"]}, "eip_allocation_ids is for an NLB that is internet-facing"),
        (nlb, {"eip_allocation_ids": ["1.2.3.4"]}, "eip_allocation_ids: '1.2.3.4' is not an allocation"),
        (nlb, {"scheme": "internet-facing", "private_ipv4_addresses": ["10.0.0.1"]}, "is for an NLB that is internal"),
        (nlb, {"ip_address_type": "ipv6"}, "ip_address_type 'ipv6' is not known: give one of ipv4, dualstack"),
        (nlb, {"security_group_ids": ["sg-1"], "inbound_cidrs": ["10.0.0.0/8"]}, "the controller ignores ranges"),
        (nlb, {"user_id": 0}, "user_id: 0 is not between 1 and"),
        (alb, {"service_name": "a", "replicas": 2}, "replicas and service_name are both given"),
        (alb, {"service_name": "a", "selector": {"a": "b"}}, "each says where requests go: give one of them"),
        (alb, {"service_port": 80}, "service_port is given without service_name"),
        (alb, {"paths": [{"path": "orders"}]}, "'orders' is not a path"),
        (alb, {"paths": [{"path": "/", "path_type": "Regex"}]}, "path_type 'Regex' is not known"),
        (alb, {"weighted_services": [{"service_name": "a", "weight": 1000}]}, "weight 1000 .* not between 0 and 999"),
        (alb, {"mutual_tls": {"mode": "verify"}}, "mutual_tls needs a listener with TLS: give certificate_arn"),
        (alb, {"certificate_arn": CERTIFICATE, "mutual_tls": {"mode": "verify"}}, "mode verify and no trust_store_arn"),
        (alb, {"oidc_login": OIDC}, "oidc_login needs a listener with TLS"),
        (alb, {"oidc_login": OIDC, "cognito_login": COGNITO}, "an ALB has one way to log in"),
        (alb, {"cognito_login": {"user_pool_arn": "arn:pool"}}, "cognito_login.user_pool_client_id is missing"),
    ],
)
def test_what_cannot_be_together_or_at_all_is_refused(workload: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"^\w+ 'web': .*{says}"):
        workload(**changes)
