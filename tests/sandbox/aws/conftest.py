import uuid
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.sandbox.aws.harness import Aws, Stage, make_stage


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """The one process that most tests share."""
    process = Aws(tmp_path_factory.mktemp("aws"))
    process.start()
    yield process
    process.end()


@pytest.fixture
def own_aws(tmp_path: Path) -> Generator[Aws]:
    """A process for one test, which may kill it."""
    process = Aws(tmp_path)
    process.start()
    yield process
    process.end()


@pytest.fixture
def stage(aws: Aws) -> Stage:
    return make_stage(aws, f"t-{uuid.uuid4().hex[:8]}")
