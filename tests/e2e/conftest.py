"""What the tests of the examples share."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conftest import Sandbox
from tests.e2e.existing import CLUSTERS, Existing, running


@pytest.fixture(scope="module")
def existing(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Existing]:
    clusters = {name: replace(sandbox, cluster=name) for name in CLUSTERS}
    made = Existing(sandbox, clusters, tmp_path_factory.mktemp("repository"))
    with running(made, "clusters") as example:
        assert set(example.next()) == set(CLUSTERS)
        yield made
