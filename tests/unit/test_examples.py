"""The examples' folder: each is complete, small, listed, and run."""

import re
from pathlib import Path

import pytest
import yaml

from examples import run
from tests.e2e.readme import commands

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
FOLDERS = sorted(folder.name for folder in FOLDER.glob("[a-z]*") if folder.is_dir())
EXAMPLES = [name for name in FOLDERS if (FOLDER / name / "Pulumi.yaml").exists()]
"""Those that are programs; tests/sandbox/plan plans the manifests of the other one."""
LONGEST = 70


def test_the_index_lists_every_example() -> None:
    assert sorted(re.findall(r"^\| \[([\w-]+)\]\(\1\)", (FOLDER / "README.md").read_text(), re.MULTILINE)) == FOLDERS


def test_every_example_is_run_in_the_sandbox() -> None:
    tests = ("e2e/conftest.py", "e2e/test_examples.py", "e2e/test_own_settings.py", "sandbox/network/test_in_tree.py")
    run = "".join((ROOT / "tests" / name).read_text() for name in tests)

    assert sorted(set(re.findall(r'running\([\w.]+, "([\w-]+)"', run))) == EXAMPLES


def program(name: str) -> str:
    found = FOLDER / name / "__main__.py"
    return (found if found.exists() else FOLDER / name / "Pulumi.yaml").read_text()


def settings(name: str) -> set[str]:
    """What a program reads of its configuration."""
    text = program(name)
    if text.startswith('"""'):
        return set(re.findall(r'(?:get|require|require_object)\("(\w+)"\)', text))
    return set(re.findall(r"\$\{(\w+)[}.]", text)) - set(yaml.safe_load(text)["resources"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_small_enough_to_copy(name: str) -> None:
    assert len(program(name).splitlines()) <= LONGEST


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_first_command_of_a_readme_brings_the_example_up(name: str) -> None:
    assert commands(name)[0] == f"make example NAME={name}"


@pytest.mark.parametrize(
    ("name", "up", "others"),
    [
        ("existing-cluster", {"clusters", "node-ports"}, []),
        ("existing-cluster", {"clusters", "two-clusters"}, ["two-clusters"]),
        ("shared-alb", {"clusters", "controller-only"}, []),
        ("controller-only", {"clusters", "controller-only", "shared-alb"}, []),
        ("node-ports", {"clusters", "two-clusters"}, []),
        ("clusters", {"two-clusters"}, []),
        ("edge", {"clusters", "tuned-controller", "own-workloads"}, []),
        ("edge", {"clusters", "controller-only"}, ["controller-only"]),
    ],
)
def test_one_controller_at_a_time_is_on_the_clusters(name: str, up: set[str], others: list[str]) -> None:
    assert run.in_the_way(name, up) == others


def test_the_clusters_stay_while_an_example_stands_on_them() -> None:
    assert run.standing_on("clusters", {"clusters", "two-clusters"}) == ["two-clusters"]
    assert run.standing_on("two-clusters", {"clusters", "two-clusters"}) == []
    assert run.standing_on("controller-only", {"controller-only", "shared-alb"}) == ["shared-alb"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_of_an_example_is_declared_and_used(name: str) -> None:
    declared = set(yaml.safe_load((FOLDER / name / "Pulumi.yaml").read_text())["config"])
    given = yaml.safe_load((FOLDER / name / "Pulumi.sandbox.yaml").read_text())["config"]

    assert settings(name) == declared
    assert {key.removeprefix(f"{name}:") for key in given if key.startswith(f"{name}:")} <= declared


def test_an_example_is_up_while_its_stack_has_resources() -> None:
    listed = [
        {"name": "organization/yaml/sandbox", "resourceCount": 8},
        {"name": "organization/two-clusters/sandbox", "resourceCount": 0},
        {"name": "sandbox", "resourceCount": 31},
    ]

    assert run.with_resources(listed) == {"yaml", "clusters"}
