from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from tests.sandbox.aws.harness import ACCOUNT, Aws, code_of

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture
def faulty(aws: Aws) -> Generator[Aws]:
    yield aws
    aws.get("/_sandbox/faults", "POST", [])


def group_names(aws: Aws, prefix: str) -> list[str]:
    found = aws.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    return [group["logGroupName"] for group in found]


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_vpcs", "RequestLimitExceeded"),
        ("elbv2", "describe_load_balancers", "Throttling"),
        ("eks", "list_clusters", "ThrottlingException"),
        ("iam", "list_roles", "Throttling"),
        ("logs", "describe_log_groups", "Throttling"),
    ],
)
def test_a_throttled_call_gets_its_services_own_error(faulty: Aws, service: str, call: str, code: str) -> None:
    faulty.get("/_sandbox/faults", "POST", [{"kind": "throttle"}])
    assert code_of(getattr(faulty.client(service), call)) == code


def test_a_share_of_calls_is_throttled_and_retries_get_through(faulty: Aws) -> None:
    faulty.get("/_sandbox/faults", "POST", [{"kind": "throttle", "percent": 30, "actions": ["ec2:*"]}])
    outcomes: list[bool] = []
    for _ in range(60):
        try:
            faulty.client("ec2").describe_vpcs()
            outcomes.append(True)
        except ClientError:
            outcomes.append(False)
    assert 5 < outcomes.count(False) < 35


def test_a_fault_strikes_so_often_and_whom_it_names_only(faulty: Aws) -> None:
    rules = [
        {"kind": "error", "count": 1, "actions": ["ec2:DescribeVpcs"], "code": "Unavailable", "status": 503},
        {"kind": "error", "callers": ["*assumed-role*"]},
    ]
    faulty.get("/_sandbox/faults", "POST", rules)
    ec2 = faulty.client("ec2")
    ec2.describe_subnets()
    with pytest.raises(ClientError, match="Unavailable"):
        ec2.describe_vpcs()
    ec2.describe_vpcs()


def test_a_lost_answer_leaves_the_work_done(faulty: Aws) -> None:
    faulty.get("/_sandbox/faults", "POST", [{"kind": "lost", "actions": ["logs:CreateLogGroup"]}])
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        faulty.client("logs").create_log_group(logGroupName="lost")
    assert group_names(faulty, "lost") == ["lost"]
    assert "Traceback" not in faulty.log()


def test_a_connection_stays_open_for_the_next_call_whatever_the_last_one_was(aws: Aws) -> None:
    connection = HTTPConnection("127.0.0.1", aws.port, timeout=60)
    connection.connect()
    connection.auto_open = 0  # whoever finds it closed fails
    chunks = {"Transfer-Encoding": "chunked"}
    for method, path, body, headers in (
        ("GET", "/_sandbox/ready", None, {}),
        ("HEAD", "/_sandbox/ready", None, {}),
        ("GET", "/_sandbox/nothing", None, {}),
        ("POST", "/_sandbox/faults", iter([b"[", b"]"]), chunks),
        ("POST", "/", b"Action=DescribeVpcs", {}),
        ("GET", "/_sandbox/ready", None, {}),
    ):
        connection.request(method, path, body, headers, encode_chunked=headers is chunks)
        reply = connection.getresponse()
        last = reply.status, reply.read()
    connection.close()
    assert last == (200, b'{"ready": true}')


def test_a_throttled_call_leaves_nothing_done(faulty: Aws) -> None:
    faulty.get("/_sandbox/faults", "POST", [{"kind": "throttle", "actions": ["logs:Create*"]}])
    with pytest.raises(ClientError):
        faulty.client("logs").create_log_group(logGroupName="throttled")
    assert group_names(faulty, "throttled") == []


def test_a_rule_with_an_unknown_field_is_refused(aws: Aws) -> None:
    status, body = aws.http("POST", "/_sandbox/faults", b'[{"kind": "throttle", "percentage": 3}]')
    assert status == 400
    assert "percentage" in body


def test_calls_are_counted_by_caller_and_action_reads_and_writes(aws: Aws) -> None:
    aws.get("/_sandbox/calls", "DELETE")
    aws.client("ec2").describe_vpcs()
    aws.client("ec2").describe_vpcs()
    aws.client("logs").create_log_group(logGroupName="counted")
    counted: dict[str, Any] = aws.get("/_sandbox/calls")
    assert (counted["all"], counted["writes"]) == (3, 1)
    assert counted["callers"][ROOT_ARN]["actions"] == {"ec2:DescribeVpcs": 2, "logs:CreateLogGroup": 1}
    aws.get("/_sandbox/calls", "DELETE")
    assert aws.get("/_sandbox/calls") == {"all": 0, "writes": 0, "callers": {}}


def test_an_unknown_service_is_named(aws: Aws) -> None:
    with pytest.raises(ClientError) as error:
        aws.client("braket").search_devices(filters=[])
    assert error.value.response["Error"]["Message"] == "the sandbox has no service braket"


def test_an_action_that_moto_lacks_is_named(aws: Aws) -> None:
    with pytest.raises(ClientError) as error:
        aws.client("ec2").describe_fast_launch_images()
    assert error.value.response["Error"]["Message"].startswith("the sandbox has no ec2:DescribeFastLaunchImages")


def test_an_unknown_path_of_the_sandbox_is_not_found(aws: Aws) -> None:
    assert aws.http("GET", "/_sandbox/nothing")[0] == 404


def test_keys_that_nobody_was_given_are_refused(aws: Aws) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        aws.client("sts", keys).get_caller_identity()


def test_a_waiting_client_gets_its_answer_after_a_write_and_not_before(aws: Aws) -> None:
    def version(services: str, since: int, seconds: float) -> int:
        return aws.get(f"/_sandbox/changes?services={services}&since={since}&seconds={seconds}")["version"]

    ec2, logs = version("ec2", -1, 0), version("logs", -1, 0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(version, "ec2", ec2, 8)
        aws.client("logs").create_log_group(logGroupName="changes")
        aws.client("ec2").describe_vpcs()
        assert not waiting.done()
        aws.client("ec2").create_security_group(GroupName="changes", Description="changes")
        assert waiting.result(5) == ec2 + 1
    assert version("logs", logs, 0) == logs + 1
    assert version("ec2,logs", -1, 0) == ec2 + logs + 2


def test_versions_of_changes_count_on_over_a_restart(aws: Aws) -> None:
    before = aws.get("/_sandbox/changes?services=ec2")["version"]
    aws.kill()
    aws.start()
    assert aws.get(f"/_sandbox/changes?services=ec2&since={before}&seconds=0")["version"] == before
