"""Where the page is, the next time."""

from pathlib import Path

import pytest

from sandbox.observe.view.address import claim
from sandbox.run.state import State


def test_the_place_stays_the_same_for_an_open_page(tmp_path: Path) -> None:
    door, secret = claim(State(tmp_path), None)
    with door:
        port = door.getsockname()[1]
    door, again = claim(State(tmp_path), None)
    with door:
        assert (door.getsockname()[1], again) == (port, secret)


def test_only_its_owner_reads_the_secret(tmp_path: Path) -> None:
    door, _ = claim(State(tmp_path), None)
    door.close()
    assert (tmp_path / "view.json").stat().st_mode & 0o077 == 0


def test_a_second_view_gets_another_port_and_leaves_the_place_to_the_first(tmp_path: Path) -> None:
    first, _ = claim(State(tmp_path), None)
    second, _ = claim(State(tmp_path), None)
    port = first.getsockname()[1]
    assert second.getsockname()[1] != port
    first.close()
    second.close()
    third, _ = claim(State(tmp_path), None)
    with third:
        assert third.getsockname()[1] == port


def test_a_port_that_was_asked_for_and_is_taken_is_an_error(tmp_path: Path) -> None:
    door, _ = claim(State(tmp_path), None)
    with door, pytest.raises(OSError, match="in use"):
        claim(State(tmp_path), door.getsockname()[1])
