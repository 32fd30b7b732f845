"""If load balancers carry traffic, DescribeTargetHealth returns their reports."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest

from sandbox.plan.scratch.network import self_signed
from tests.sandbox.aws.harness import ROOT, Aws, Stage
from tests.sandbox.aws.test_elb import Balancing

KEY = {"x-sandbox-key": ROOT["secret_key"]}
TARGET = {"Id": "10.0.0.9", "Port": 8080}
Report = Callable[..., None]


@pytest.fixture
def report(aws: Aws) -> Generator[Report]:
    """Report like a load balancer; at the end nobody carries traffic any more."""

    def send(group: str, state: str | None, reason: str | None = None, **more: Any) -> None:
        target = {"group": group, "id": TARGET["Id"], "port": TARGET["Port"], "state": state, "reason": reason, **more}
        say(aws, {"carried": True, "listening": [], "targets": [target] if state else []})

    yield send
    say(aws, {"carried": False, "listening": [], "targets": []})


def say(aws: Aws, document: dict[str, Any]) -> None:
    assert aws.http("POST", "/_sandbox/targets", json.dumps(document).encode(), KEY) == (200, "{}")


@pytest.fixture
def on(stage: Stage) -> Balancing:
    return Balancing(stage, stage.aws.client("elbv2"))


def health(on: Balancing, group: str) -> list[tuple[str, str | None]]:
    told = on.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [(d["TargetHealth"]["State"], d["TargetHealth"].get("Reason")) for d in told]


def serving(on: Balancing, **attributes: str) -> str:
    group = on.group()
    on.listener(on.balancer(Scheme="internal")["LoadBalancerArn"], group)
    wish = [{"Key": key, "Value": value} for key, value in attributes.items()]
    if wish:
        on.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=wish)
    on.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    return group


def test_with_traffic_a_load_balancer_is_active_once_it_listens(aws: Aws, on: Balancing, report: Report) -> None:
    report("none", None)
    arn = on.balancer(Scheme="internal")["LoadBalancerArn"]

    def state() -> str:
        (described,) = on.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return described["State"]["Code"]

    assert state() == "provisioning"
    say(aws, {"carried": True, "listening": [arn], "targets": []})
    assert state() == "active"


def test_without_traffic_a_target_is_healthy_at_once_and_gone_at_once(on: Balancing) -> None:
    group = serving(on)
    assert health(on, group) == [("healthy", None)]
    on.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(on, group) == []


def test_with_traffic_a_target_is_what_is_reported_and_initial_until_then(on: Balancing, report: Report) -> None:
    group = serving(on)
    report(group, None)
    assert health(on, group) == [("initial", "Elb.RegistrationInProgress")]
    report(group, "unhealthy", "Target.Timeout")
    assert health(on, group) == [("unhealthy", "Target.Timeout")]
    report(group, "healthy")
    assert health(on, group) == [("healthy", None)]


def test_a_group_that_no_load_balancer_uses_has_unused_targets(on: Balancing, report: Report) -> None:
    group = on.group()
    on.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    report(group, None)
    assert health(on, group) == [("unused", "Target.NotInUse")]


def test_a_target_in_a_zone_without_the_load_balancer_is_unused(on: Balancing, report: Report) -> None:
    group = on.group(Protocol="TCP")
    balancer = on.balancer(Scheme="internal", Type="network", Subnets=on.stage.subnets[1:])
    on.listener(balancer["LoadBalancerArn"], group, protocol="TCP")
    on.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    report(group, None)
    assert health(on, group) == [("unused", "Target.NotInUse")]


def test_a_deregistered_target_drains_until_it_is_done(on: Balancing, report: Report) -> None:
    group = serving(on)
    report(group, "healthy")
    on.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(on, group) == [("draining", "Target.DeregistrationInProgress")]
    report(group, "unused", "Target.NotRegistered")
    assert health(on, group) == []


def test_a_delay_of_nothing_drains_nothing(on: Balancing, report: Report) -> None:
    group = serving(on, **{"deregistration_delay.timeout_seconds": "0"})
    report(group, "healthy")
    on.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(on, group) == []


def test_a_target_that_comes_back_starts_again(on: Balancing, report: Report) -> None:
    group = serving(on)
    report(group, "healthy")
    on.elb.deregister_targets(TargetGroupArn=group, Targets=[TARGET])
    on.elb.register_targets(TargetGroupArn=group, Targets=[TARGET])
    assert health(on, group) == [("initial", "Elb.RegistrationInProgress")]


def test_waiting_for_target_health_returns_only_for_changes(on: Balancing, aws: Aws, report: Report) -> None:
    def version() -> int:
        return aws.get("/_sandbox/changes?services=target-health&seconds=0")["version"]

    group = serving(on)
    report(group, "initial")
    before = version()
    report(group, "initial")
    assert version() == before
    report(group, "healthy")
    assert version() == before + 1


@pytest.mark.parametrize(("path", "method"), [("targets", "POST"), ("certificate?arn=x", "GET")])
def test_reports_and_private_keys_want_the_roots_key(aws: Aws, path: str, method: str) -> None:
    for headers in ({}, {"x-sandbox-key": "guessed"}):
        assert aws.http(method, f"/_sandbox/{path}", b"{}", headers)[0] == 403


def test_an_imported_certificate_is_handed_out_with_its_key(aws: Aws) -> None:
    certificate, key = self_signed(["a.example"])
    arn = aws.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    status, body = aws.http("GET", f"/_sandbox/certificate?arn={arn}", headers=KEY)
    assert status == 200
    assert body.count("BEGIN CERTIFICATE") == 1
    assert "PRIVATE KEY" in body
    assert aws.http("GET", f"/_sandbox/certificate?arn={arn}x", headers=KEY)[0] == 400
