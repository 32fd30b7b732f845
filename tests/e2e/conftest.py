"""What the tests of the examples share."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Shared, brought_up
from tests.e2e.existing import CLUSTERS, Existing, running


@contextmanager
def _with_clusters(folder: Path) -> Generator[Existing]:
    with brought_up(folder / "state") as sandbox:
        clusters = {name: replace(sandbox, cluster=name) for name in CLUSTERS}
        repository = folder / "repository"
        repository.mkdir()
        made = Existing(sandbox, clusters, repository)
        with running(made, "clusters") as example:
            assert set(example.next()) == set(CLUSTERS)
            yield made


@pytest.fixture(scope="module")
def existing(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Existing:
    return shared.get("existing", lambda: _with_clusters(tmp_path_factory.mktemp("existing")))
