"""Each case that was recorded from the real controller, played on the stand-in: the same document after every step."""

from pathlib import Path

import pytest

from tests.conformance.player import Player
from tests.conformance.stage import CASES, Stage

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir() if (path / "1.yaml").exists()))
def test_the_stand_in_does_what_the_real_controller_was_seen_to_do(
    stage: Stage, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = Player(stage, case, monkeypatch)
    if case == "binding-external":
        player.target_group()
    try:
        player.play()
    finally:
        player.clean()


def test_all_recordings_are_played() -> None:
    played = {path.parent.name for path in Path(CASES).glob("*/1.yaml")}
    assert len(played) == 13
