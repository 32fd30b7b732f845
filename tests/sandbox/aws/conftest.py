import uuid
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.sandbox.aws.elb_requests import World
from tests.sandbox.aws.harness import Aws, Stage, make_stage


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """The one process that most tests share."""
    with Aws(tmp_path_factory.mktemp("aws")) as process:
        yield process


@pytest.fixture
def own_aws(tmp_path: Path) -> Generator[Aws]:
    """A process for one test, which may kill it."""
    with Aws(tmp_path) as process:
        yield process


@pytest.fixture
def world(aws: Aws) -> Generator[World]:
    """A VPC of one test, whose load balancers end with it."""
    made = World(aws)
    yield made
    for balancer in made.elb.describe_load_balancers()["LoadBalancers"]:
        if balancer["VpcId"] == made.vpc:
            made.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


@pytest.fixture
def stage(aws: Aws) -> Stage:
    return make_stage(aws, f"t-{uuid.uuid4().hex[:8]}")
