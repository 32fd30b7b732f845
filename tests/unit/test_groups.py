"""Tests that share clusters are a group, which one worker runs (tests/conftest.py)."""

import pytest

from tests.conftest import SHARED, group


def test_every_file_that_uses_a_shared_cluster_is_in_its_group(request: pytest.FixtureRequest) -> None:
    using = [item for item in request.session.items if item.get_closest_marker("sandbox")]
    named = {(item.path, name) for item in using for name in SHARED if name in getattr(item, "fixturenames", ())}
    assert [(file.name, name) for file, name in named if group(file) != name] == []
