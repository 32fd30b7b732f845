"""When a probe's result changes, with known answers."""

import asyncio
from collections.abc import Iterator

import pytest

from sandbox.cluster.pods import probes
from sandbox.cluster.pods.probes import Probe, follow

PROBE = Probe("http", 80, "/", (), initial_delay=30, period=10, timeout=1, failures=3)


def verdicts(
    answers: list[bool], monkeypatch: pytest.MonkeyPatch, *, patient: bool
) -> tuple[list[tuple[int, bool]], list[float]]:
    """Which result was reported after which answer, and each waiting time; the clock does not move."""
    waits: list[float] = []
    told: list[tuple[int, bool]] = []
    asked = 0
    script: Iterator[bool] = iter(answers)

    async def no_time(seconds: float) -> None:
        waits.append(seconds)

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        try:
            return next(script)
        except StopIteration:
            raise asyncio.CancelledError from None

    monkeypatch.setattr(probes.asyncio, "sleep", no_time)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(follow(ask, PROBE, lambda verdict: told.append((asked, verdict)), patient=patient))
    return told, waits


def test_readiness_is_asked_at_once_and_often_until_it_first_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    told, waits = verdicts([False, False, True, True], monkeypatch, patient=False)
    assert told == [(1, False), (3, True)]
    assert waits == [0.1, 0.1, 10, 10]


def test_one_failure_does_not_take_readiness_away_but_as_many_as_count_do(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _ = verdicts([True, False, True, False, False, False, True], monkeypatch, patient=False)
    assert told == [(1, True), (6, False), (7, True)]


def test_liveness_waits_for_its_initial_delay_and_fails_after_as_many_failures_as_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, waits = verdicts([False, False, False], monkeypatch, patient=True)
    assert told == [(3, False)]
    assert waits == [30, 10, 10, 10]
    told, _ = verdicts([True, False, False, True, False], monkeypatch, patient=True)
    assert told == [(1, True)]
