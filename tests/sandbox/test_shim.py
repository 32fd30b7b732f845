"""`pulumi` in the sandbox: the stack's settings are read from the checkout, its salt never written there."""

import hashlib
import json
from pathlib import Path

import pytest

from sandbox.engine import shim

ENVIRONMENT = "PULUMI_OPTION_CONFIG_FILE"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config:\n  shop:size: 2\n")
    return folder


@pytest.mark.parametrize(
    "arguments",
    [["--stack", "dev"], ["--stack=dev"], ["-s", "dev"], ["-sdev"], ["-s=dev"], ["up", "-s", "dev", "--", "x"]],
)
def test_a_stack_is_found_in_every_spelling(arguments: list[str]) -> None:
    assert shim.option(arguments, "--stack", "-s") == "dev"


def test_what_follows_a_double_dash_is_not_an_option() -> None:
    assert shim.option(["up", "--", "--stack", "dev"], "--stack", "-s") is None


def test_a_command_gets_a_copy_of_the_stacks_settings(project: Path, tmp_path: Path) -> None:
    arguments, added = shim.prepared(["up", "-s", "dev"], project, tmp_path / "home", tmp_path / "copies")
    assert arguments == ["up", "-s", "dev"]
    assert Path(added[ENVIRONMENT]).read_text() == "config:\n  shop:size: 2\n"
    assert Path(added[ENVIRONMENT]).stat().st_mode & 0o077 == 0


def test_a_copy_keeps_its_salt_and_follows_the_checkout(project: Path, tmp_path: Path) -> None:
    def copy() -> Path:
        return Path(shim.prepared(["up", "-s", "dev"], project, tmp_path, tmp_path / "copies")[1][ENVIRONMENT])

    copy().write_text("encryptionsalt: v1:abc\nconfig: {}\n")
    (project / "Pulumi.dev.yaml").write_text("config:\n  shop:size: 3\n")
    assert copy().read_text() == "config:\n  shop:size: 3\nencryptionsalt: v1:abc\n"


def test_the_selected_stack_is_the_engines_own_choice(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///b")
    key = hashlib.sha1(str(project / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    workspace = tmp_path / "workspaces" / f"shop-{key}-workspace.json"
    workspace.parent.mkdir()
    workspace.write_text(json.dumps({"stacks": {"file:///b": "organization/shop/dev"}}))
    added = shim.prepared(["preview"], project, tmp_path, tmp_path / "copies")[1]
    assert added[ENVIRONMENT].endswith("/Pulumi.dev.yaml")


def test_a_stack_is_made_where_the_copies_lie(project: Path, tmp_path: Path) -> None:
    arguments, _ = shim.prepared(["stack", "init", "new"], project, tmp_path, tmp_path / "copies")
    folder = Path(arguments[arguments.index("--cwd") + 1])
    assert folder.is_relative_to(tmp_path / "copies")
    assert (folder / "Pulumi.yaml").read_text() == (project / "Pulumi.yaml").read_text()


@pytest.mark.parametrize(
    "arguments",
    [["config", "set", "a", "b", "-s", "dev"], ["stack", "ls"], ["up", "-s", "dev", "--config-file", "f"], []],
)
def test_everything_else_is_passed_through(project: Path, tmp_path: Path, arguments: list[str]) -> None:
    assert shim.prepared(arguments, project, tmp_path, tmp_path / "copies") == (arguments, {})


def test_a_project_is_found_from_a_folder_below_it(project: Path, tmp_path: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert ENVIRONMENT in shim.prepared(["up", "-s", "dev"], below, tmp_path, tmp_path / "copies")[1]
    assert ENVIRONMENT in shim.prepared(["up", "-s", "dev", "-C", "a"], project, tmp_path, tmp_path / "copies")[1]
