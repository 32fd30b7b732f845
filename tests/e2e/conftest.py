"""What the tests of the examples share."""

from collections.abc import Iterator

import pytest

from tests.conftest import Sandbox
from tests.e2e.existing import Existing, existing_clusters


@pytest.fixture(scope="module")
def existing(sandbox: Sandbox) -> Iterator[Existing]:
    with existing_clusters(sandbox) as made:
        yield Existing(sandbox, made)
