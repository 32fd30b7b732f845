"""Commands that need packets, on a sandbox that carries none."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sandbox.cli.observe.compare import compare
from sandbox.run.state import State, StateError


def test_compare_refuses_before_it_makes_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "settings", lambda _: type("Settings", (), {"traffic": False})())
    monkeypatch.setattr("sandbox.observe.compare.measure.Comparison", None)  # nothing of it is called

    done = CliRunner().invoke(compare, ["--state-dir", str(tmp_path)])

    assert isinstance(done.exception, StateError)
    assert "carries no traffic: `sandbox down`, `sandbox up --traffic`" in str(done.exception)
