"""An AWS that takes its time: slow answers, load balancers that are provisioned, what is not known at once."""

import time
from collections.abc import Generator

import pytest
from botocore.exceptions import ClientError

from sandbox.run.latency import Latency
from sandbox.run.processes import wait_until
from sandbox.run.state import read_json, write_json
from tests.sandbox.aws.elb_requests import World
from tests.sandbox.aws.harness import Aws

DELAYS = Latency(
    answers={"ec2:DescribeRegions": (0.3, 0.3)},
    provisioning={"application": (2, 2), "accelerator": (2, 2)},
    hidden={"ec2:CreateSecurityGroup": (1, 1), "tag:GetResources": (1, 1)},
)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """An AWS with delays."""
    aws = Aws(tmp_path_factory.mktemp("slow"))
    settings = read_json(aws.state.settings_file)
    write_json(aws.state.settings_file, {**settings, "latency": DELAYS.model_dump(mode="json")})
    with aws:
        yield aws


@pytest.fixture(scope="module")
def slow_world(slow: Aws) -> World:
    return World(slow)


def test_a_call_takes_its_time(slow: Aws) -> None:
    ec2 = slow.client("ec2")
    began = time.monotonic()
    ec2.describe_regions()
    assert time.monotonic() - began >= 0.3


def test_a_load_balancer_is_provisioned_before_it_is_active_and_others_are_not(slow_world: World) -> None:
    def state(arn: str) -> str:
        return slow_world.balancer_told(arn)["State"]["Code"]

    application, network = slow_world.balancer(), slow_world.balancer("network")
    assert state(application) == "provisioning"
    assert state(network) == "active"
    assert wait_until(lambda: state(application) == "active", 10, 0.1)


def test_an_accelerator_is_in_progress_after_each_change(slow: Aws) -> None:
    client = slow.client("globalaccelerator")
    arn = client.create_accelerator(Name="shop")["Accelerator"]["AcceleratorArn"]

    def status() -> str:
        return client.describe_accelerator(AcceleratorArn=arn)["Accelerator"]["Status"]

    assert status() == "IN_PROGRESS"
    assert wait_until(lambda: status() == "DEPLOYED", 10, 0.1)
    client.update_accelerator(AcceleratorArn=arn, Enabled=False)
    assert status() == "IN_PROGRESS"
    with pytest.raises(client.exceptions.AcceleratorNotDisabledException):
        client.delete_accelerator(AcceleratorArn=arn)
    assert wait_until(lambda: status() == "DEPLOYED", 10, 0.1)
    client.delete_accelerator(AcceleratorArn=arn)


def test_a_new_security_group_is_not_known_at_once(slow_world: World) -> None:
    group = slow_world.security_group()
    with pytest.raises(ClientError, match=r"InvalidGroup.NotFound.* The security group 'sg-.*' does not exist"):
        slow_world.ec2.describe_security_groups(GroupIds=[group])

    def known() -> bool:
        try:
            return bool(slow_world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"])
        except ClientError:
            return False

    assert wait_until(known, 5, 0.1)


def test_the_tagging_api_lists_a_new_load_balancer_after_a_while(slow: Aws, slow_world: World) -> None:
    before = slow_world.balancer(Tags=[{"Key": "team", "Value": "shop"}])
    tagging = slow.client("resourcegroupstaggingapi")

    def listed() -> set[str]:
        wanted = [{"Key": "team", "Values": ["shop"]}]
        return {one["ResourceARN"] for one in tagging.get_resources(TagFilters=wanted)["ResourceTagMappingList"]}

    assert wait_until(lambda: listed() == {before}, 5, 0.1)
    new = slow_world.balancer(Tags=[{"Key": "team", "Value": "shop"}])
    assert listed() == {before}
    assert wait_until(lambda: listed() == {before, new}, 5, 0.1)
