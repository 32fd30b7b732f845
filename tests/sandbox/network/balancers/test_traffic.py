"""Load balancers with real packets: an AWS, a VPC of namespaces, HAProxy, a client."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox.network.wiring import CLIENT_ADDRESS
from sandbox.plan.scratch.network import self_signed
from sandbox.run.processes import wait_until
from tests.sandbox.network.balancers.conftest import Vpc

pytestmark = pytest.mark.sandbox


def test_a_name_is_answered_by_every_healthy_target(vpc: Vpc) -> None:
    group = vpc.group()
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("application", group, "HTTP")
    url = f"http://{balancer['DNSName']}/"
    vpc.answers(url)
    vpc.healthy(group, 2)
    assert wait_until(lambda: vpc.servers(url, times=6) == set(vpc.addresses), 10)
    seen = vpc.seen(url)
    assert seen["address"] in vpc.nodes(balancer)
    assert seen["headers"]["x-forwarded-for"] == CLIENT_ADDRESS
    assert (seen["headers"]["x-forwarded-proto"], seen["headers"]["x-forwarded-port"]) == ("http", "80")


def test_rules_are_asked_by_priority_and_redirect_answer_or_forward(vpc: Vpc) -> None:
    group = vpc.group()
    vpc.targets(group, vpc.addresses[0])
    balancer = vpc.balancer("application", group, "HTTP")
    base = f"http://{balancer['DNSName']}"
    redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    fixed = {"StatusCode": "418", "ContentType": "text/plain", "MessageBody": "100% 'tea' \"pot\""}
    for priority, condition, action in (
        (1, {"Field": "path-pattern", "Values": ["/old/*"]}, {"Type": "redirect", "RedirectConfig": redirect}),
        (2, {"Field": "path-pattern", "Values": ["/o*"]}, {"Type": "fixed-response", "FixedResponseConfig": fixed}),
    ):
        vpc.elb.create_rule(
            ListenerArn=balancer["Listener"], Priority=priority, Conditions=[condition], Actions=[action]
        )
    vpc.answers(base)
    assert wait_until(lambda: "418" in vpc.curl("-i", f"{base}/other"), 5, 0.1)
    answer = vpc.curl("-i", f"{base}/other")
    assert "100% 'tea' \"pot\"" in answer
    assert "server: awselb/2.0" in answer.lower()
    assert f"https://{balancer['DNSName']}:443/old/a?b=c" in vpc.curl("-i", f"{base}/old/a?b=c")
    assert vpc.seen(f"{base}/new")["path"] == "/new"


def test_a_change_is_carried_within_a_second(vpc: Vpc) -> None:
    group = vpc.group()
    vpc.targets(group, vpc.addresses[0])
    balancer = vpc.balancer("application", group, "HTTP")
    url = f"http://{balancer['DNSName']}/"
    vpc.answers(url)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "410"}}
    vpc.elb.modify_listener(ListenerArn=balancer["Listener"], DefaultActions=[answer])
    assert wait_until(lambda: "410" in vpc.curl("-i", url), 5, 0.05)


def test_health_is_what_the_checks_find(vpc: Vpc) -> None:
    found = vpc.group(HealthCheckPath="/code/404")
    closed = vpc.group(HealthCheckPort="9")
    slow = vpc.group(HealthCheckPath="/sleep/4")
    balancers = [vpc.balancer("application", group, "HTTP") for group in (found, closed, slow)]
    for group in (found, closed, slow):
        vpc.targets(group, vpc.addresses[0])
    name = vpc.addresses[0]
    for group, reason in (
        (found, "Target.ResponseCodeMismatch"),
        (closed, "Target.FailedHealthChecks"),
        (slow, "Target.Timeout"),
    ):
        assert wait_until(lambda g=group, r=reason: vpc.health(g).get(name) == ("unhealthy", r), 25, 0.2), vpc.health(
            group
        )
    # All targets unhealthy: requests go to all of them rather than to none.
    vpc.answers(f"http://{balancers[0]['DNSName']}/")
    vpc.elb.modify_target_group(TargetGroupArn=found, Matcher={"HttpCode": "200,404"})
    vpc.healthy(found, 1, 30)


def test_without_a_target_there_is_a_503_and_a_dead_one_is_a_502(vpc: Vpc) -> None:
    group = vpc.group()
    balancer = vpc.balancer("application", group, "HTTP")
    url = f"http://{balancer['DNSName']}/"
    assert wait_until(lambda: "503" in vpc.curl("-i", url), 15, 0.1), vpc.curl("-v", url)
    vpc.targets(group, vpc.addresses[0], port=9)
    assert wait_until(lambda: "502" in vpc.curl("-i", url), 25, 0.2), vpc.curl("-v", url)


def test_a_deregistered_target_finishes_what_it_has_and_gets_nothing_new(vpc: Vpc, tmp_path: Path) -> None:
    group = vpc.group(attributes={"deregistration_delay.timeout_seconds": "20"})
    leaving, staying = vpc.addresses
    vpc.targets(group, leaving)
    balancer = vpc.balancer("application", group, "HTTP")
    url = f"http://{balancer['DNSName']}"
    vpc.answers(url)
    out = str(tmp_path / "answer")
    vpc.run("clients", "sh", "-c", f"curl -sS --max-time 20 {url}/sleep/4 >{out} 2>&1 &")
    vpc.targets(group, staying)
    vpc.healthy(group, 2)
    vpc.leave(group, leaving)
    assert wait_until(lambda: vpc.health(group)[leaving] == ("draining", "Target.DeregistrationInProgress"), 2)
    assert wait_until(lambda: vpc.servers(url, times=6) == {staying}, 3)
    # The running request is answered; then nothing is left to drain, so the delay is not used up.
    assert wait_until(lambda: vpc.run("clients", "cat", out).startswith("{"), 8, 0.2)
    assert leaving in vpc.run("clients", "cat", out)
    assert wait_until(lambda: leaving not in vpc.health(group), 6, 0.2), vpc.health(group)


def test_a_network_load_balancer_preserves_the_clients_address_of_instances(vpc: Vpc) -> None:
    group = vpc.group("TCP", "instance")
    vpc.targets(group, *vpc.instances)
    balancer = vpc.balancer("network", group, "TCP")
    url = f"http://{balancer['DNSName']}/"
    vpc.healthy(group, 2)
    vpc.answers(url)
    for address in vpc.nodes(balancer):
        assert vpc.seen(f"http://{address}/")["address"] == CLIENT_ADDRESS


def test_a_network_load_balancer_shows_its_own_address_to_addresses(vpc: Vpc) -> None:
    group = vpc.group("TCP")
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("network", group, "TCP")
    vpc.healthy(group, 2)
    vpc.answers(f"http://{balancer['DNSName']}/")
    # Without cross-zone balancing a node keeps to the targets of its own zone.
    for node in vpc.nodes(balancer):
        seen = [vpc.seen(f"http://{node}/") for _ in range(4)]
        assert {s["address"] for s in seen} == {node}
        assert len({s["server"] for s in seen}) == 1


def test_the_proxy_protocol_carries_the_clients_address(vpc: Vpc) -> None:
    group = vpc.group("TCP", attributes={"proxy_protocol_v2.enabled": "true"})
    vpc.targets(group, *vpc.addresses, port=8081)
    balancer = vpc.balancer("network", group, "TCP")
    vpc.healthy(group, 2)
    url = f"http://{balancer['DNSName']}/"
    vpc.answers(url)
    seen = vpc.seen(url)
    assert seen["proxied"] == CLIENT_ADDRESS
    assert seen["address"] in vpc.nodes(balancer)


def test_each_name_is_shown_its_certificate(vpc: Vpc) -> None:
    acm = vpc.aws.client("acm")
    arns: list[str] = []
    for name in ("a.example", "b.example"):
        certificate, key = self_signed([name])
        arns.append(acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"])
    group = vpc.group()
    vpc.targets(group, *vpc.addresses)
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    balancer = vpc.balancer(
        "application", group, "HTTPS", 443, Certificates=[{"CertificateArn": arns[0]}], SslPolicy=policy
    )
    vpc.elb.add_listener_certificates(ListenerArn=balancer["Listener"], Certificates=[{"CertificateArn": arns[1]}])
    (node, _) = vpc.nodes(balancer)
    vpc.answers(f"https://{balancer['DNSName']}/", "-k")
    for name, shown in (("a.example", "a.example"), ("b.example", "b.example"), ("other.example", "a.example")):
        told = vpc.curl("-kv", "--resolve", f"{name}:443:{node}", f"https://{name}/")
        assert f"subject: CN={shown}" in told
        assert "using HTTP/2" in told or "HTTP/2 200" in told
        assert '"x-forwarded-proto": "https"' in told
    refused = vpc.curl("-kv", "--tls-max", "1.1", f"https://{node}/")
    assert "alert" in refused


def test_a_cookie_keeps_a_client_at_its_target(vpc: Vpc, tmp_path: Path) -> None:
    group = vpc.group(attributes={"stickiness.enabled": "true", "stickiness.type": "lb_cookie"})
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("application", group, "HTTP")
    vpc.healthy(group, 2)
    url = f"http://{balancer['DNSName']}/"
    vpc.answers(url)
    jar = str(tmp_path / "cookies")
    servers = {vpc.seen("-b", jar, "-c", jar, url)["server"] for _ in range(6)}
    assert len(servers) == 1
    assert {vpc.seen(url)["server"] for _ in range(6)} == set(vpc.addresses)
    (bound,) = servers
    vpc.leave(group, bound)
    assert wait_until(lambda: vpc.servers("-b", jar, url) == set(vpc.addresses) - {bound}, 5, 0.1)


def test_a_classic_load_balancer_leads_to_a_port_of_its_instances(vpc: Vpc) -> None:
    elb = vpc.aws.client("elb")
    ports = [{"Protocol": "TCP", "LoadBalancerPort": 80, "InstanceProtocol": "TCP", "InstancePort": 8080}]
    made = elb.create_load_balancer(LoadBalancerName="classic", Listeners=ports, Subnets=vpc.subnets, Scheme="internal")
    check = {"Target": "HTTP:8080/", "Interval": 5, "Timeout": 2, "UnhealthyThreshold": 2, "HealthyThreshold": 2}
    elb.configure_health_check(LoadBalancerName="classic", HealthCheck=check)
    elb.register_instances_with_load_balancer(
        LoadBalancerName="classic", Instances=[{"InstanceId": i} for i in vpc.instances]
    )
    url = f"http://{made['DNSName']}/"
    vpc.answers(url)
    assert vpc.seen(url)["address"] != CLIENT_ADDRESS

    def states() -> set[str]:
        told = elb.describe_instance_health(LoadBalancerName="classic")["InstanceStates"]
        return {state["State"] for state in told}

    assert wait_until(lambda: states() == {"InService"}, 15, 0.2)
    elb.configure_health_check(LoadBalancerName="classic", HealthCheck={**check, "Target": "TCP:9"})
    assert wait_until(lambda: states() == {"OutOfService"}, 60, 0.2)
    elb.delete_load_balancer(LoadBalancerName="classic")


def test_no_request_fails_while_rules_and_targets_change(vpc: Vpc) -> None:
    group = vpc.group(attributes={"deregistration_delay.timeout_seconds": "5"})
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("application", group, "HTTP")
    url = f"http://{balancer['DNSName']}/"
    vpc.answers(url)
    vpc.healthy(group, 2)
    with ThreadPoolExecutor(1) as pool:
        client = str(Path(__file__).with_name("client.py"))
        running = pool.submit(vpc.run, "clients", sys.executable, client, url, "20", seconds=60)
        for round_, address in enumerate(vpc.addresses, 1):
            vpc.elb.create_rule(
                ListenerArn=balancer["Listener"],
                Priority=round_,
                Conditions=[{"Field": "path-pattern", "Values": [f"/{round_}"]}],
                Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
            )
            assert wait_until(lambda n=round_: "404" in vpc.curl("-i", f"{url}{n}"), 20, 0.1)
            vpc.leave(group, address)
            assert wait_until(
                lambda a=address: {vpc.seen(url)["server"] for _ in range(4)} == {*vpc.addresses} - {a}, 20
            )
            vpc.targets(group, address)
            vpc.healthy(group, 2)
        told = json.loads(running.result(60))
    assert told["failed"] == []
    assert told["bad"] == []
    assert told["answered"] > 100


# Arguments: a host, and the client's ports; 0 is any free one.
_UDP_CLIENT = """
import socket, sys
for port in sys.argv[2:]:
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.bind(("", int(port)))
    s.settimeout(2)
    s.connect((sys.argv[1], 53))
    s.send(b"x")
    print(s.recv(100).decode())
"""


def datagram_target_group(vpc: Vpc, protocol: str) -> str:
    cross_zone = {"load_balancing.cross_zone.enabled": "true"}
    return vpc.group(protocol, attributes=cross_zone, HealthCheckProtocol="HTTP", HealthCheckPort="8080")


@pytest.mark.parametrize("protocol", ["UDP", "QUIC"])
def test_datagrams_reach_every_target_with_the_clients_address(vpc: Vpc, protocol: str) -> None:
    group = datagram_target_group(vpc, protocol)
    targets: list[Any] = [{"Id": address, "Port": 8053} for address in vpc.addresses]
    for number, target in enumerate(targets if protocol == "QUIC" else ()):
        target["QuicServerId"] = f"0x{number:016x}"
    vpc.elb.register_targets(TargetGroupArn=group, Targets=targets)
    balancer = vpc.balancer("network", group, protocol, 53)
    vpc.healthy(group, 2)
    ask = [sys.executable, "-c", _UDP_CLIENT, balancer["DNSName"], *["0"] * 12]
    # Health is reported before the kernel of the load balancer's node gets it.
    assert wait_until(lambda: vpc.attempt("clients", *ask), 10, 0.2)
    told = vpc.run("clients", *ask).splitlines()
    assert set(told) == {f"{server} {CLIENT_ADDRESS}" for server in vpc.addresses}


def test_a_clients_port_is_answered_by_the_node_that_it_asked_last(vpc: Vpc) -> None:
    group = datagram_target_group(vpc, "UDP")
    vpc.targets(group, vpc.addresses[0], port=8053)
    balancer = vpc.balancer("network", group, "UDP", 53)
    vpc.healthy(group, 1)
    for node in vpc.nodes(balancer):
        assert wait_until(lambda n=node: vpc.attempt("clients", sys.executable, "-c", _UDP_CLIENT, n, "0"), 10, 0.2)
    for node in vpc.nodes(balancer) * 2:
        vpc.run("clients", sys.executable, "-c", _UDP_CLIENT, node, "20000")


def test_every_kind_of_condition_decides(vpc: Vpc) -> None:
    balancer = vpc.balancer("application", vpc.group(), "HTTP")
    base = f"http://{balancer['DNSName']}"
    kinds = [
        ("host-header", {"Values": ["*.Example.com"]}, ["-H", "Host: a.example.COM:80", base]),
        ("path-pattern", {"Values": ["/a?c/*"]}, [f"{base}/abc/d"]),
        (
            "http-header",
            {"HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "Values": ["*mobile?"]}},
            ["-H", "x-kind: a MOBILE1", base],
        ),
        ("http-request-method", {"HttpRequestMethodConfig": {"Values": ["DELETE"]}}, ["-X", "DELETE", base]),
        (
            "query-string",
            {"QueryStringConfig": {"Values": [{"Key": "version", "Value": "1*"}]}},
            [f"{base}/?a=b&VERSION=12"],
        ),
        ("source-ip", {"SourceIpConfig": {"Values": [f"{CLIENT_ADDRESS}/32"]}}, [f"{base}/else"]),
    ]
    for priority, (field, config, _) in enumerate(kinds, 1):
        answer = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": field}
        vpc.elb.create_rule(
            ListenerArn=balancer["Listener"],
            Priority=priority,
            Conditions=[{"Field": field, **config}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
        )
    assert wait_until(lambda: vpc.curl(*kinds[-1][2]) == kinds[-1][0], 60, 0.1)
    for node in vpc.nodes(balancer):
        resolved = ["--resolve", f"{balancer['DNSName']}:80:{node}"]
        assert wait_until(lambda r=resolved: vpc.curl(*r, *kinds[-1][2]) == kinds[-1][0], 10, 0.1)
        assert [vpc.curl(*resolved, *asked) for _, _, asked in kinds] == [field for field, _, _ in kinds]


def test_weights_choose_a_group_and_a_cookie_remembers_it(vpc: Vpc, tmp_path: Path) -> None:
    groups = [vpc.group(), vpc.group()]
    for group, address in zip(groups, vpc.addresses, strict=True):
        vpc.targets(group, address)
    balancer = vpc.balancer("application", groups[0], "HTTP")

    def weigh(*weights: int) -> None:
        tuples = [{"TargetGroupArn": g, "Weight": w} for g, w in zip(groups, weights, strict=True)]
        sticky = {"Enabled": True, "DurationSeconds": 60}
        forward = {"TargetGroups": tuples, "TargetGroupStickinessConfig": sticky}
        vpc.elb.modify_listener(
            ListenerArn=balancer["Listener"], DefaultActions=[{"Type": "forward", "ForwardConfig": forward}]
        )

    url, jar = f"http://{balancer['DNSName']}/", str(tmp_path / "cookies")
    weigh(0, 1)
    vpc.healthy(groups[1], 1)
    assert wait_until(lambda: vpc.servers(url, times=4) == {vpc.addresses[1]}, 60)
    weigh(1, 1)
    assert wait_until(lambda: vpc.servers(url, times=12) == set(vpc.addresses), 120)
    assert len({vpc.seen("-b", jar, "-c", jar, url)["server"] for _ in range(8)}) == 1


def test_an_applications_own_cookie_keeps_a_client_at_its_target(vpc: Vpc, tmp_path: Path) -> None:
    sticky = {"stickiness.enabled": "true", "stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "app"}
    group = vpc.group(attributes=sticky)
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("application", group, "HTTP")
    vpc.healthy(group, 2)
    url, jar = f"http://{balancer['DNSName']}", str(tmp_path / "cookies")
    vpc.answers(url)
    assert "AWSALBAPP" not in vpc.curl("-i", url)
    first = vpc.seen("-c", jar, f"{url}/cookie")["server"]
    assert {vpc.seen("-b", jar, url)["server"] for _ in range(6)} == {first}


def test_a_proxy_that_is_killed_is_started_again(vpc: Vpc) -> None:
    group = vpc.group("TCP")
    vpc.targets(group, *vpc.addresses)
    balancer = vpc.balancer("network", group, "TCP")
    url = f"http://{balancer['DNSName']}/"
    vpc.healthy(group, 2)
    vpc.answers(url)
    name = "ELB " + balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]
    filters = [{"Name": "description", "Values": [name]}]
    found = vpc.aws.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    for interface in found:
        # Master and workers name the configuration of their node.
        script = "kill -9 $(ps -C haproxy -o pid=,args= | awk -v node=$0 'index($0, node) {print $1}')"
        vpc.run("clients", "sh", "-c", script, interface["NetworkInterfaceId"])
    vpc.answers(url)
