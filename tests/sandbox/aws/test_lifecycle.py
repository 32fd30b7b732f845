"""A whole stack's life on one AWS process: created and removed, even while the process is killed repeatedly."""

import os
import random
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sandbox.run.processes import wait_until
from tests.sandbox.aws.harness import Aws, everything, make_stage

# Answers that mean "already done": the previous answer was lost.
_DONE = {"ResourceInUseException", "ResourceNotFoundException", "LoadBalancerNotFound", "TargetGroupNotFound"}

# botocore's result for JSON that was cut off before its first byte; every EKS call returns more.
_CUT_OFF = {"ResponseMetadata"}


class Patient:
    """A client that repeats a call until it gets an answer, like a provider after a lost one."""

    def __init__(self, aws: Aws, service: str) -> None:
        self._client = aws.client(service)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            deadline = time.monotonic() + 60
            while True:
                try:
                    answer = getattr(self._client, name)(**parameters)
                    if answer.keys() != _CUT_OFF or self._client.meta.service_model.protocol != "rest-json":
                        return answer
                except ClientError as error:
                    if error.response["Error"]["Code"] in _DONE:
                        return None
                    raise
                except (BotoCoreError, ResponseParserError):
                    pass
                assert time.monotonic() < deadline
                time.sleep(0.05)

        return call


def live(aws: Aws, vpc: str, subnets: list[str]) -> None:
    """Create a stack on a network and remove it again, in the program's order; each of these calls may be repeated."""
    eks, elb = Patient(aws, "eks"), Patient(aws, "elbv2")
    account = "arn:aws:iam::123456789012:role"
    eks.create_cluster(
        name="demo", roleArn=f"{account}/demo-eks", resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
    )  # fmt: skip
    assert wait_until(lambda: eks.describe_cluster(name="demo")["cluster"]["status"] == "ACTIVE", 180)
    group = {"clusterName": "demo", "nodegroupName": "main"}
    size = {"minSize": 1, "maxSize": 3, "desiredSize": 2}
    eks.create_nodegroup(**group, subnets=subnets, nodeRole=f"{account}/demo-ec2", scalingConfig=size)
    assert wait_until(lambda: eks.describe_nodegroup(**group)["nodegroup"]["status"] == "ACTIVE", 180)
    balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    targets = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    arn = targets["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}]
    )
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.77"}])
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_target_group(TargetGroupArn=arn)
    eks.delete_nodegroup(**group)
    assert wait_until(lambda: eks.describe_nodegroup(**group) is None, 180)
    eks.delete_cluster(name="demo")
    assert wait_until(lambda: eks.describe_cluster(name="demo") is None, 180)


@contextmanager
def network(aws: Aws) -> Generator[tuple[str, list[str]]]:
    """A VPC with an internet gateway, and two subnets; everything is removed at the end."""
    ec2, stage = aws.client("ec2"), make_stage(aws, "demo")
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    yield stage.vpc, stage.subnets
    for subnet in stage.subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=stage.vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=stage.vpc)
    for kind in ("eks", "ec2"):
        aws.client("iam").delete_role(RoleName=f"demo-{kind}")


def what_stays(aws: Aws) -> dict[str, Any]:
    """Everything except terminated instances, which AWS shows for a while."""
    told = everything(aws)
    told["ec2 instances"] = [
        i["InstanceId"]
        for r in told["ec2 instances"]["Reservations"]
        for i in r["Instances"]
        if i["State"]["Name"] != "terminated"
    ]
    return told


def test_a_stack_that_is_removed_leaves_nothing(own_aws: Aws) -> None:
    before = what_stays(own_aws)
    with network(own_aws) as (vpc, subnets):
        live(own_aws, vpc, subnets)
    assert what_stays(own_aws) == before
    assert list(own_aws.state.clusters.iterdir()) == []


@pytest.mark.soak
def test_a_stack_lives_through_kills_of_the_aws_process_at_any_moment(own_aws: Aws) -> None:
    dice = random.Random(7)  # noqa: S311 - moments to kill at
    before = what_stays(own_aws)
    with network(own_aws) as (vpc, subnets):
        for _ in range(10 if os.environ.get("SOAK") else 1):
            live_through_kills(own_aws, vpc, subnets, dice)
    own_aws.kill()
    own_aws.start()
    assert what_stays(own_aws) == before


def live_through_kills(aws: Aws, vpc: str, subnets: list[str], dice: random.Random) -> None:
    done, failures = threading.Event(), list[BaseException]()

    def live_and_tell() -> None:
        try:
            live(aws, vpc, subnets)
        except BaseException as error:  # noqa: BLE001 - it is told in the main thread
            failures.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=live_and_tell)
    thread.start()
    kills = 0
    # The first kill comes early: a life without interruptions takes only half a second.
    while not done.wait(dice.uniform(0.02, 0.6 if kills else 0.1)) and kills < 8:
        aws.kill()
        aws.start()
        kills += 1
    thread.join(60)
    assert kills
    assert not failures
