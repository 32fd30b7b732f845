"""The state folder: written atomically, read back, private."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.run.state import Settings, State, StateError, locked, read_json, write_json

SETTINGS = Settings("us-west-2", "123456789012", {"aws": 4566}, {"access_key": "A", "secret_key": "S"}, {"kwok": "/k"})


def test_settings_survive_a_round_trip(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    write_json(state.settings_file, SETTINGS.to_json())
    assert state.settings() == SETTINGS
    assert state.aws_endpoint == "http://127.0.0.1:4566"


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "keys.json"
    write_json(file, {})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_folder_without_a_sandbox_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no sandbox in .*: start one with `sandbox up`"):
        State.at(tmp_path).settings()


def test_a_broken_document_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(StateError, match=r"x\.json is not JSON .*`sandbox down`"):
        read_json(tmp_path / "x.json")


def test_a_write_that_fails_leaves_the_old_document(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert read_json(file) == {"a": 1}
    assert list(tmp_path.iterdir()) == [file]


def test_a_lock_is_held_by_one_process_only(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = (
        "import sys; from sandbox.run.state import locked; from pathlib import Path\n"
        "with locked(Path(sys.argv[1]), wait=False): pass"
    )
    with locked(lock):
        second = subprocess.run([sys.executable, "-c", program, str(lock)], capture_output=True, check=False)
    assert b"BlockingIOError" in second.stderr
    third = subprocess.run([sys.executable, "-c", program, str(lock)], capture_output=True, check=False)
    assert third.returncode == 0
