"""What a user sees when the sandbox fails."""

import pytest
from click.testing import CliRunner

from sandbox.cli import main
from sandbox.lifecycle import parts


@pytest.mark.parametrize("folder", ["/proc/foo", "/dev/null/x"])
def test_a_state_folder_that_cannot_be_is_one_line(folder: str) -> None:
    done = CliRunner().invoke(main, ["up", "--state-dir", folder])

    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    (line,) = done.output.splitlines()
    assert folder.rpartition("/")[0] in line
    assert "--state-dir" in line


def test_a_bug_says_where_to_report_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("nobody expects it")

    monkeypatch.setattr(parts, "status", broken)
    done = CliRunner().invoke(main, ["status", "--state-dir", "/nonexistent"])

    assert isinstance(done.exception, KeyError)
    assert "report it in the project's issues" in done.exception.__notes__[0]
