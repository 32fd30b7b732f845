"""The examples' folder: each is whole, small, listed, and run."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
EXAMPLES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())
LONGEST = 70


def test_the_index_lists_every_example() -> None:
    assert sorted(re.findall(r"^\| \[([\w-]+)\]\(\1\)", (FOLDER / "README.md").read_text(), re.MULTILINE)) == EXAMPLES


def test_every_example_is_run_in_the_sandbox() -> None:
    tests = ("e2e/test_examples.py", "e2e/test_own_settings.py", "sandbox/network/test_in_tree.py")
    run = "".join((ROOT / "tests" / name).read_text() for name in tests)

    assert sorted(set(re.findall(r'running\([\w.]+, "([\w-]+)"', run))) == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_small_enough_to_copy(name: str) -> None:
    assert len((FOLDER / name / "__main__.py").read_text().splitlines()) <= LONGEST
    assert (FOLDER / name / "README.md").exists()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_of_an_example_is_declared_and_used(name: str) -> None:
    declared = set(yaml.safe_load((FOLDER / name / "Pulumi.yaml").read_text())["config"])
    program = (FOLDER / name / "__main__.py").read_text()
    given = yaml.safe_load((FOLDER / name / "Pulumi.sandbox.yaml").read_text())["config"]

    assert set(re.findall(r'(?:get|require|require_object)\("(\w+)"\)', program)) == declared
    assert {key.removeprefix(f"{name}:") for key in given if key.startswith(f"{name}:")} <= declared
