"""From the APIs' documents to HAProxy's configuration, without packets."""

import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sandbox.network.balancers import pools
from sandbox.network.balancers.plan import Node, StaleError, nodes
from sandbox.network.balancers.proxy import Servers, commands
from sandbox.network.balancers.rendering import certificate_list, configuration
from sandbox.network.balancers.udp import ruleset
from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Documents
from sandbox.plan.scratch.network import self_signed
from tests.sandbox.network.balancers.api import documents, forward, group, group_arn, listener, rule, target

Document = dict[str, Any]
FIXED = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "MessageBody": "a \"b\" 'c'\n#%{d}"}}


def render(node: Node, folder: Path, *, receives: bool = True) -> str:
    return configuration(node, {p.name: frozenset(t.name for t in p.targets if receives) for p in node.pools}, folder)


def accepted(text: str, folder: Path) -> None:
    """HAProxy itself accepts the configuration, without a warning."""
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if haproxy is None:
        pytest.skip("haproxy is not here: apt-get install haproxy")
    path = folder / "haproxy.cfg"
    path.write_text(text)
    done = subprocess.run([haproxy, "-c", "-f", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr


def condition(field: str, **config: Any) -> Document:
    return {"Field": field, **config}


CONDITIONS = [
    condition("host-header", HostHeaderConfig={"Values": ["*.example.com", "it's"], "RegexValues": None}),
    condition("host-header", HostHeaderConfig={"RegexValues": ["^a'b\\d+$"]}),
    condition("path-pattern", Values=["/a b/*", "/?"]),
    condition("http-header", HttpHeaderConfig={"HttpHeaderName": "X-A", "Values": ["*mobile*"]}),
    condition("http-request-method", HttpRequestMethodConfig={"Values": ["GET", "X-OWN"]}),
    condition("query-string", QueryStringConfig={"Values": [{"Key": "v", "Value": "1*"}, {"Value": "x"}]}),
    condition("source-ip", SourceIpConfig={"Values": ["10.0.0.0/8", "2001:db8::/32"]}),
]
ACTIONS = [
    FIXED,
    {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_302"}},
    {
        "Type": "redirect",
        "RedirectConfig": {
            "Host": "a.#{host}",
            "Path": "/x y/#{path}",
            "Query": "z=100%&#{query}",
            "StatusCode": "HTTP_301",
        },
    },
    {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"AuthorizationEndpoint": "https://i/a", "ClientId": "c"}},
    forward("web", "two", weights=(1, 3), TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 60}),
]
"""One of each."""


@pytest.mark.parametrize("given", CONDITIONS, ids=lambda c: c["Field"])
def test_every_kind_of_condition_is_one_that_haproxy_takes(given: Document, tmp_path: Path) -> None:
    (node, _) = nodes(documents(listener(rule(forward("web"), given), rule(FIXED))))
    accepted(render(node, tmp_path), tmp_path)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a["Type"])
def test_every_kind_of_action_is_one_that_haproxy_takes(action: Document, tmp_path: Path) -> None:
    groups = [group(), group("two")]
    (node, _) = nodes(documents(listener(rule(action, CONDITIONS[0]), rule(forward("web"))), groups=groups))
    accepted(render(node, tmp_path), tmp_path)


@pytest.mark.parametrize(
    "attributes",
    [
        {"stickiness__enabled": "true", "stickiness__type": "lb_cookie"},
        {
            "stickiness__enabled": "true",
            "stickiness__type": "app_cookie",
            "stickiness__app_cookie__cookie_name": "SESSION",
        },
        {"slow_start__duration_seconds": "30"},
        {"load_balancing__algorithm__type": "least_outstanding_requests"},
    ],
)
def test_every_attribute_of_a_group_is_one_that_haproxy_takes(attributes: dict[str, str], tmp_path: Path) -> None:
    given = group(**attributes)
    given["Targets"] = [target("10.0.0.7")]
    (node, _) = nodes(documents(listener(rule(forward("web"))), groups=[given]))
    accepted(render(node, tmp_path), tmp_path)


@pytest.mark.parametrize("policy", ["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06"])
@pytest.mark.parametrize("kind", ["app", "net"])
def test_a_secure_listener_is_one_that_haproxy_takes(policy: str, kind: str, tmp_path: Path) -> None:
    certificate = "arn:aws:acm:us-west-2:123456789012:certificate/1"
    protocol = "HTTPS" if kind == "app" else "TLS"
    secure = listener(
        rule(forward("web")), protocol=protocol, port=443, SslPolicy=policy,
        Certificates=[{"CertificateArn": certificate}],
    )  # fmt: skip
    given = group(protocol="HTTP" if kind == "app" else "TLS")
    (node, _) = nodes(documents(secure, kind=kind, groups=[given]))
    pem = tmp_path / "1.pem"
    pem.write_bytes(b"".join(self_signed(["a.example"])))
    certificate_list(tmp_path, node.listeners[0]).write_text(f"{pem}\n")
    accepted(render(node, tmp_path), tmp_path)


def test_what_users_write_ends_no_word_and_no_line(tmp_path: Path) -> None:
    nasty = "'\"\\ \n#{host}%[src]"
    given = condition("path-pattern", Values=[nasty])
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": nasty}}
    (node, _) = nodes(documents(listener(rule(answer, given), rule(FIXED))))
    text = render(node, tmp_path)
    assert "%[src]\\" not in text.replace("X-Forwarded-For", "")
    accepted(text, tmp_path)


def test_a_balancer_that_is_not_cross_zone_keeps_to_its_zone() -> None:
    given = group(protocol="TCP")
    given["Targets"] = [target("10.0.0.7"), target("10.0.1.7", "us-west-2b"), target("172.16.0.1", "all")]
    found = nodes(documents(listener(rule(forward("web")), protocol="TCP"), kind="net", groups=[given]))
    names = [[t.address for t in node.pools[0].targets] for node in found]
    assert names == [["10.0.0.7", "172.16.0.1"], ["10.0.1.7", "172.16.0.1"]]


def test_a_target_groups_own_word_on_zones_comes_before_the_balancers() -> None:
    given = group(protocol="TCP", load_balancing__cross_zone__enabled="true")
    given["Targets"] = [target("10.0.0.7"), target("10.0.1.7", "us-west-2b")]
    found = nodes(documents(listener(rule(forward("web")), protocol="TCP"), kind="net", groups=[given]))
    assert [len(node.pools[0].targets) for node in found] == [2, 2]


def test_a_target_in_a_zone_without_a_node_gets_nothing() -> None:
    given = group()
    given["Targets"] = [target("10.0.2.7", "us-west-2c")]
    assert [n.pools[0].targets for n in nodes(documents(listener(rule(forward("web"))), groups=[given]))] == [(), ()]


@pytest.mark.parametrize(
    ("protocol", "kind", "attributes", "kept"),
    [
        ("TCP", "instance", {}, True),
        ("TCP", "ip", {}, False),
        ("TCP", "ip", {"preserve_client_ip__enabled": "true"}, True),
        ("TCP", "instance", {"preserve_client_ip__enabled": "false"}, False),
        ("TCP", "alb", {}, False),
        ("HTTP", "instance", {}, False),
    ],
)
def test_the_clients_address_is_preserved_as_aws_does(
    protocol: str,
    kind: str,
    attributes: dict[str, str],
    kept: bool,  # noqa: FBT001
) -> None:
    given = group(protocol=protocol, kind=kind, **attributes)
    (parsed_group,) = parsed(Documents(groups={given["TargetGroupArn"]: given})).groups.values()
    assert pools.preserves(parsed_group) is kept


def test_unsupported_settings_are_listed() -> None:
    (node, _) = nodes(
        documents(
            listener(rule(forward("web"))),
            listener(rule(forward("two")), port=81),
            groups=[group(kind="lambda"), group("two")],
        )
    )
    assert [x.port for x in node.listeners] == [81]
    assert node.missing == ("web HTTP:80: a Lambda function as target is not supported",)


@pytest.mark.parametrize(("protocol", "streams"), [("TCP_UDP", [53]), ("TCP_QUIC", [53]), ("UDP", []), ("QUIC", [])])
def test_datagrams_are_the_kernels_and_streams_haproxys(protocol: str, streams: list[int]) -> None:
    given = group(protocol=protocol)
    given["Targets"] = [target("10.0.0.7"), target("10.0.0.8")]
    asked = listener(rule(forward("web")), protocol=protocol, port=53)
    (node, _) = nodes(documents(asked, kind="net", groups=[given]))
    assert [x.port for x in node.listeners] == streams
    rules = ruleset(node, {"tg-web": frozenset({"10.0.0.8:8080"})})
    assert "dport 53 dnat ip addr . port to jhash ip saddr . udp sport mod 1 map { 0 : 10.0.0.8 . 8080 }" in rules
    assert "dport" not in ruleset(node, {"tg-web": frozenset()})


def plan_of(*names: str) -> Node:
    given = group()
    given["Targets"] = [target(name) for name in names]
    return nodes(documents(listener(rule(forward("web"))), groups=[given]))[0]


def test_targets_come_and_go_without_a_reload() -> None:
    one, two = plan_of("10.0.0.7", "10.0.0.8"), plan_of("10.0.0.8", "10.0.0.9")
    assert one.bare() == two.bare()
    before = Servers.of(one, {"tg-web": frozenset({"10.0.0.7:8080", "10.0.0.8:8080"})})
    after = Servers.of(two, {"tg-web": frozenset({"10.0.0.9:8080"})})
    assert list(commands(before, after, count(7))) == [
        "set server tg-web/10.0.0.7:8080 state maint",
        "set server tg-web/10.0.0.8:8080 state maint",
        "add server tg-web/10.0.0.9:8080 10.0.0.9:8080 id 7",
        "set server tg-web/10.0.0.9:8080 state ready",
    ]
    assert list(commands(after, after, count(7))) == []


def test_a_rule_wants_a_reload() -> None:
    changed = nodes(documents(listener(rule(FIXED))))[0]
    assert changed.bare() != plan_of().bare()


def test_a_group_is_known_by_its_name() -> None:
    assert pools.pool_name(group_arn("k8s-web-0123456789")) == "tg-k8s-web-0123456789"


def test_a_listener_whose_target_group_was_deleted_meanwhile_is_no_node_yet() -> None:
    read = documents(listener(rule(forward("gone"))), groups=[group("kept")])
    with pytest.raises(StaleError, match=r"targetgroup/gone/.* of web"):
        nodes(read)
