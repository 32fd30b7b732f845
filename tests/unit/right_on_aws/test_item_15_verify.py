"""Item 15: a report shows whether a stack works, and contains no account, name or address."""

import http.server
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from eks_load_balancing.controller.policy import controller_statements
from eks_load_balancing.verify import lines
from eks_load_balancing.verify.asking import answer, decisions
from tests.unit.doctor.healthy import facts, healthy
from tests.unit.doctor.healthy_aws import ACCOUNT, NAME, REGION, ROLE, VPC, World

STATEMENTS = controller_statements("3.5.0", "aws", NAME, REGION, VPC)


class Simulator:
    """IAM's policy simulator: allows all but some actions."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.asked = refused, list[dict[str, Any]]()

    def simulate_principal_policy(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        results = [
            {"EvalActionName": one, "EvalDecision": "implicitDeny" if one in self.refused else "allowed"}
            for one in asked["ActionNames"]
        ]
        return {"EvaluationResults": results}


def report(world: World, *, changes: dict[str, int] | None = None, refused: tuple[str, ...] = ()) -> list[str]:
    """The report of a world whose listeners all answer."""
    seen = facts(world)
    answered = [(balancer, [("HTTP:80", "answers 200")]) for balancer in lines.balancers(seen)]
    return [
        lines.preview_line(changes or {"same": 92}),
        *lines.doctor_lines(35, []),
        *lines.target_lines(seen),
        *lines.answer_lines(answered),
        *lines.role_lines(decisions(seen, "3.5.0", Simulator(*refused))),
    ]


def test_item_15_a_stack_that_works_has_no_line_that_fails() -> None:
    said = report(healthy())

    assert [line for line in said if line.startswith(lines.FAILS)] == []
    assert len([line for line in said if "healthy targets" in line]) == 2


def test_item_15_no_account_name_or_address_is_in_it() -> None:
    text = "\n".join(report(healthy(), refused=("ec2:DescribeVpcs",)))

    assert ACCOUNT not in text
    assert "arn:" not in text
    assert not re.search(r"\d+\.\d+\.\d+\.\d+", text)
    assert not re.search(rf"\b({NAME}|vpc-|subnet-|sg-|i-0)", text)


def unready(world: World) -> None:
    for pod in world["pods"]:
        if pod["metadata"]["namespace"] != "kube-system":
            pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    for piece in world["endpoint_slices"]:
        for endpoint in piece["endpoints"]:
            endpoint["conditions"] = {"ready": False}


def unhealthy(world: World) -> None:
    for targets in world["health"].values():
        targets[0]["TargetHealth"]["State"] = "unhealthy"


def unbound(world: World) -> None:
    world["bindings"] = []


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (unready, "2 healthy targets, 0 ready pods"),
        (unhealthy, "1 healthy targets, 2 ready pods (1 healthy, 1 unhealthy)"),
        (unbound, "is bound to no Service"),
    ],
)
def test_item_15_a_planted_difference_between_targets_and_pods_is_seen(plant: Any, says: str) -> None:
    world = healthy()
    plant(world)

    assert [line for line in report(world) if line.startswith(lines.FAILS) and says in line]


def test_item_15_a_preview_with_changes_and_a_missing_permission_are_seen() -> None:
    said = report(healthy(), changes={"same": 90, "update": 2, "create": 1}, refused=("ec2:CreateTags",))

    assert f"{lines.FAILS} a second preview changes 1 create, 2 update" in said
    assert f"{lines.FAILS} the controller's role: ec2:CreateTags implicitDeny" in said


def test_item_15_the_doctors_findings_are_counted_by_check() -> None:
    said = list(lines.doctor_lines(35, ["target-is-a-ready-pod", "target-is-a-ready-pod"]))

    assert said == [
        f"{lines.FAILS} the doctor finds 2 in 35 checks",
        f"{lines.FAILS} the doctor finds target-is-a-ready-pod, 2 times",
    ]


def test_item_15_two_reports_are_compared_line_by_line() -> None:
    good, bad = report(healthy()), report(healthy(), refused=("ec2:CreateTags",))

    assert lines.differences(good, [f"{lines.KNOWN} controller 3.2.2", *good]) == []
    assert lines.differences(good, bad) == [
        (
            f"{lines.WORKS} the controller's role: ec2:CreateTags allowed",
            f"{lines.FAILS} the controller's role: ec2:CreateTags implicitDeny",
        )
    ]


def test_item_15_the_simulator_is_asked_with_what_each_statement_is_for() -> None:
    simulator = Simulator()
    said = decisions(facts(healthy()), "3.5.0", simulator)

    # The healthy stack's controller has `--enable-shield=false`, and its role does without.
    asked_for = [statement for statement in STATEMENTS if statement.features != ("shield",)]
    assert set(said) == {action for statement in asked_for for action in statement.actions}
    assert {asked["PolicySourceArn"] for asked in simulator.asked} == {ROLE}
    (asked,) = [asked for asked in simulator.asked if asked["ActionNames"] == ["ec2:CreateTags"]]
    assert asked["ResourceArns"] == [f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/0123456789abcdef"]
    assert {one["ContextKeyName"]: one["ContextKeyValues"] for one in asked["ContextEntries"]} == {
        "ec2:CreateAction": ["CreateSecurityGroup"],
        "aws:RequestTag/elbv2.k8s.aws/cluster": [NAME],
    }


class Teapot(http.server.BaseHTTPRequestHandler):
    """Answers every request."""

    def do_GET(self) -> None:
        self.send_response(418)
        self.end_headers()

    def log_message(self, *args: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        del args


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Teapot)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_item_15_a_listener_is_asked_as_its_clients_do(port: int) -> None:
    assert answer("127.0.0.1", "HTTP", port) == "answers 418"
    assert answer("127.0.0.1", "TCP", port) == "answers"
    assert answer("127.0.0.1", "UDP", port).startswith("is not asked")


def test_item_15_a_listener_that_does_not_answer_says_why_without_its_name() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        free = closed.getsockname()[1]

    assert answer("127.0.0.1", "HTTP", free) == "does not answer: ConnectionRefusedError"
    assert answer("nobody.invalid", "HTTP", 80) == "does not answer: its name does not resolve"
