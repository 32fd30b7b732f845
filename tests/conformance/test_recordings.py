"""Plays each recorded case with the real controller: AWS and cluster must have the same state after every step.

Cases have their own namespaces, so several are on the stage at once.
"""

import json
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.conformance.player import Player
from tests.conformance.stage import CASES, Stage, unique

pytestmark = pytest.mark.sandbox
_ALL = sorted(path.parent.name for path in CASES.glob("*/1.yaml"))
_AT_ONCE = 6


def _play(stage: Stage, case: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        player = Player(stage, case, patch)
        try:
            player.play()
        finally:
            player.clean()


@pytest.fixture(scope="module")
def played(stage: Stage, request: pytest.FixtureRequest) -> Mapping[str, Future[None]]:
    """The results of the requested cases.

    All of them have ended before the first test: between tests pytest changes `os.environ`, which the threads read.
    """
    asked = {name for item in request.session.items for name in _ALL if item.name.endswith(f"[{name}]")}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return {case: pool.submit(_play, stage, case) for case in sorted(asked)}


@pytest.mark.parametrize("case", _ALL)
def test_a_recorded_case_comes_out_as_it_was_recorded(played: Mapping[str, Future[None]], case: str) -> None:
    played[case].result()


@pytest.mark.usefixtures("played")
def test_no_call_of_the_controller_was_refused(stage: Stage) -> None:
    """It has the policy for one cluster."""
    refused = stage.decided("denied")
    assert not refused, json.dumps(refused, indent=1)


def test_every_step_has_its_recording() -> None:
    for case in _ALL:
        manifests = {path.stem for path in (CASES / case).glob("[0-9]*.yaml")}
        assert {path.stem for path in (CASES / case).glob("*.json")} == manifests | {"deleted"}


@pytest.mark.parametrize("seconds", [5_324.3, 1_764_000_000.7])
def test_a_namespace_has_the_same_length_at_any_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(time, "time", lambda: seconds)
    assert len(unique("bench")) == len("c-bench-053243")
