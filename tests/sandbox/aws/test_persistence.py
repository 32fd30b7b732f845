import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.run.processes import Identity, wait_until
from sandbox.run.state import read_json
from tests.sandbox.aws.harness import Aws, Stage, everything, make_stage


def provision(aws: Aws, stage: Stage) -> None:
    """Some of everything that the project's stack creates."""
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=stage.subnets[0], AllocationId=address)
    stage.create_cluster()
    stage.create_nodegroup(3)
    for instance in stage.instances():
        ec2.assign_private_ip_addresses(
            NetworkInterfaceId=instance["NetworkInterfaces"][0]["NetworkInterfaceId"], SecondaryPrivateIpAddressCount=4
        )
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=stage.vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": f"10.0.0.{n}", "Port": 8080} for n in range(20, 25)])
    balancer = elb.create_load_balancer(Name="web", Subnets=stage.subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    for priority in (1, 2):
        elb.create_rule(
            ListenerArn=listener["Listeners"][0]["ListenerArn"], Priority=priority, Actions=forward,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{priority}"]}}],
        )  # fmt: skip
    aws.client("kms").create_key()
    aws.client("logs").create_log_group(logGroupName="/aws/eks/demo/cluster")
    aws.client("elb").create_load_balancer(
        LoadBalancerName="classic", Subnets=stage.subnets,
        Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}],
    )  # fmt: skip


def test_a_killed_process_comes_back_with_everything_it_had(own_aws: Aws) -> None:
    stage = make_stage(own_aws, "demo")
    provision(own_aws, stage)
    before = everything(own_aws)
    assert len(before["ec2 network_interfaces"]["NetworkInterfaces"]) > 5
    own_aws.kill()
    own_aws.start()
    assert everything(own_aws) == before


def test_a_session_outlives_the_process_that_gave_it(own_aws: Aws) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = own_aws.client("iam").create_role(RoleName="someone", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    given = own_aws.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    own_aws.kill()
    own_aws.start()
    assert own_aws.client("sts", keys).get_caller_identity()["Arn"].endswith("assumed-role/someone/me")


def test_an_agent_outlives_the_aws_process_and_is_adopted(own_aws: Aws) -> None:
    stage = make_stage(own_aws, "demo")
    stage.create_cluster()
    agent = Identity.from_json(read_json(own_aws.state.cluster("demo") / "process.json"))
    assert own_aws.process
    own_aws.process.terminate()
    assert own_aws.process.wait(30) == 0
    assert agent
    assert agent.alive()
    own_aws.start()
    stage.create_nodegroup(1)
    assert Identity.from_json(read_json(own_aws.state.cluster("demo") / "process.json")) == agent


def test_an_agent_that_died_is_started_again(own_aws: Aws) -> None:
    stage = make_stage(own_aws, "demo")
    stage.create_cluster()
    own_aws.kill()
    folder = own_aws.state.cluster("demo")
    agent = Identity.from_json(read_json(folder / "process.json"))
    assert agent
    agent.end(5)
    own_aws.start()
    assert wait_until(lambda: Identity.from_json(read_json(folder / "process.json")) != agent, 10)
    stage.create_nodegroup(2)


def acknowledged(aws: Aws, stop: threading.Event, names: list[str]) -> None:
    """Create log groups until stopped; `names` are those that AWS has confirmed."""
    logs = aws.client("logs")
    number = 0
    while not stop.is_set():
        number += 1
        try:
            logs.create_log_group(logGroupName=f"group-{number}")
        except (BotoCoreError, ClientError):
            time.sleep(0.02)
            continue
        names.append(f"group-{number}")


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(own_aws: Aws) -> None:
    dice = random.Random(4)  # noqa: S311 - moments to kill at
    stop, names = threading.Event(), list[str]()
    writer = threading.Thread(target=acknowledged, args=(own_aws, stop, names))
    writer.start()
    try:
        for _ in range(4):
            so_far = len(names)
            assert wait_until(lambda so_far=so_far: len(names) > so_far + 3, 60)
            time.sleep(dice.uniform(0, 0.05))
            own_aws.kill()
            own_aws.start()
    finally:
        stop.set()
        writer.join(20)
    pages = own_aws.client("logs").get_paginator("describe_log_groups").paginate()
    kept = {group["logGroupName"] for page in pages for group in page["logGroups"]}
    assert set(names) <= kept


def journal(aws: Aws) -> Path:
    return aws.state.aws / "journal"


def test_half_a_last_line_is_what_a_kill_leaves_and_is_dropped(own_aws: Aws) -> None:
    make_stage(own_aws, "demo")
    before = everything(own_aws)
    own_aws.kill()
    with journal(own_aws).open("ab") as file:
        file.write(b'0123abcd {"seed":1,"ti')
    own_aws.start()
    assert everything(own_aws) == before


@pytest.mark.parametrize("damage", ["flip", "version"])
def test_a_damaged_journal_is_one_line_that_explains_how_to_start_again(own_aws: Aws, damage: str) -> None:
    make_stage(own_aws, "demo")
    own_aws.kill()
    lines = journal(own_aws).read_bytes().splitlines(keepends=True)
    place = 2 if damage == "flip" else 0
    lines[place] = lines[place].replace(b"e", b"f", 1)
    journal(own_aws).write_bytes(b"".join(lines))
    process = own_aws.spawn()
    assert process.wait(60) == 1
    last = own_aws.log().strip().splitlines()[-1]
    assert f"damaged at line {place + 1}" in last
    assert "`sandbox down` and `sandbox up`" in last
    assert "Traceback" not in own_aws.log()


def test_a_second_process_on_the_same_folder_is_refused(own_aws: Aws) -> None:
    process = own_aws.spawn()
    assert process.wait(60) == 1
    assert "another AWS process serves" in own_aws.log().strip().splitlines()[-1]
    assert own_aws.ready()


def test_a_taken_port_is_named(own_aws: Aws, tmp_path: Path) -> None:
    other = Aws(tmp_path / "other", port=own_aws.port)
    process = other.spawn()
    assert process.wait(60) == 1
    last = other.log().strip().splitlines()[-1]
    assert last.startswith(f"port {own_aws.port} is not available (Address already in use): stop what uses it")


def reads(aws: Aws) -> list[Any]:
    return [aws.client("ec2").describe_vpcs(), aws.client("eks").list_clusters(), aws.client("iam").list_roles()]


def test_reads_leave_no_trace_in_the_journal(own_aws: Aws) -> None:
    size = journal(own_aws).stat().st_size
    reads(own_aws)
    assert journal(own_aws).stat().st_size == size


def test_a_cluster_that_no_journal_knows_is_removed(own_aws: Aws) -> None:
    stage = make_stage(own_aws, "demo")
    stage.create_cluster()
    agent = Identity.from_json(read_json(own_aws.state.cluster("demo") / "process.json"))
    own_aws.kill()
    journal(own_aws).unlink()
    own_aws.start()
    assert wait_until(lambda: not own_aws.state.cluster("demo").exists(), 10)
    assert agent
    assert not agent.alive()
