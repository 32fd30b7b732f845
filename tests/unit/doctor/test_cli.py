"""The command line: what it prints, and its exit codes."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from eks_load_balancing.doctor import cli, manual
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.facts import CannotLookError, Unseen
from tests.unit.doctor.healthy import World, facts, healthy

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the doctor on a world."""

    def on(world: World, *arguments: str) -> Result:
        monkeypatch.setattr(cli, "gather", lambda _where, _report: facts(world))
        return CliRunner().invoke(cli.doctor, ["--cluster", "shop", *arguments])

    return on


def sick() -> World:
    world = healthy()
    world["subnets"][2]["AvailableIpAddressCount"] = 1
    world["pods"][2]["status"]["conditions"] = []
    world["ingresses"][0]["spec"] = {}
    return world


def test_nothing_found_is_exit_code_0(run: Run) -> None:
    done = run(healthy())
    assert done.exit_code == 0
    assert "35 checks, nothing found" in done.output
    assert len(CHECKS) == 35


def test_findings_are_exit_code_1_and_say_where_what_and_how(run: Run) -> None:
    done = run(sick())
    assert done.exit_code == 1
    for text in ("subnet subnet-private-a (us-west-2a)", "1 addresses are free", "mend: tag a larger", "BROKEN HERE"):
        assert text in done.output


def test_what_cannot_be_looked_at_is_exit_code_2_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise CannotLookError("no cluster 'x' in us-west-2")

    monkeypatch.setattr(cli, "gather", refused)
    done = CliRunner().invoke(cli.doctor, ["--cluster", "x"])
    assert done.exit_code == 2
    assert done.stderr == "cannot look: no cluster 'x' in us-west-2\n"


def test_no_credentials_are_exit_code_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    done = CliRunner().invoke(cli.doctor, ["--cluster", "x", "--region", "us-west-2"])
    assert done.exit_code == 2
    assert "Unable to locate credentials" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_picture_that_cannot_be_drawn_is_a_finding(run: Run) -> None:
    world = healthy()
    world["rules"] = Unseen("elasticloadbalancing:DescribeRules", "AccessDenied")
    done = run(world)
    assert done.exit_code == 1
    assert "not checked: the ways to the pods" in done.output


def test_checks_can_be_chosen_and_left_out(run: Run) -> None:
    chosen = json.loads(run(sick(), "--json", "--checks", "subnets-have-room,ingresses-have-a-class").output)
    assert {f["check"] for f in chosen["findings"]} == {"subnets-have-room", "ingresses-have-a-class"}
    left = json.loads(run(sick(), "--json", "--skip", "subnets-have-room").output)
    assert {f["check"] for f in left["findings"]} == {"ingresses-have-a-class"}


def test_a_namespace_keeps_its_own_findings_and_those_of_none(run: Run) -> None:
    told = json.loads(run(sick(), "--json", "--namespace", "nlb").output)
    assert {f["check"] for f in told["findings"]} == {"subnets-have-room"}
    assert [way["title"] for way in told["ways"]] == ["Service nlb/web"]


def test_a_check_that_is_not_there_is_named(run: Run) -> None:
    done = run(healthy(), "--skip", "subnets")
    assert done.exit_code == 2
    assert "there is no check 'subnets': --list" in done.output


def test_the_list_names_all_checks_and_needs_no_cluster() -> None:
    done = CliRunner().invoke(cli.doctor, ["--list"])
    assert done.exit_code == 0
    assert all(name in done.output for name in CHECKS)


def test_machines_are_told_everything(run: Run) -> None:
    told = json.loads(run(sick(), "--json").output)
    assert set(told) == {"cluster", "account", "region", "at", "checked", "findings", "ways"}
    assert set(told["findings"][0]) == {"check", "severity", "where", "what", "mend", "link", "namespace"}
    assert [way["whole"] for way in told["ways"]] == [False, True]


def test_there_are_no_colours_but_on_a_terminal(run: Run) -> None:
    assert "\x1b" not in run(sick()).output


def test_every_option_is_explained() -> None:
    assert all(o.help for o in cli.doctor.params if isinstance(o, click.Option) and o.name != "help")


def test_the_manual_is_the_checks_own() -> None:
    assert manual.PAGE.read_text() == manual.manual(), "run: python -m eks_load_balancing.doctor.manual"


def test_every_package_of_the_folder_is_installed() -> None:
    """`pip install` takes what pyproject.toml lists."""
    folder = manual.PAGE.parents[1] / "components"
    listed = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(file.parent.relative_to(folder).parts) for file in folder.glob("eks_load_balancing/**/__init__.py")
    }
    assert set(listed) == found


def test_without_its_packages_the_doctor_says_what_to_install_and_the_components_still_import() -> None:
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['boto3', 'kubernetes', 'click', 'rich', 'cryptography']))\n"
    )
    run = "import runpy; import eks_load_balancing; runpy.run_module('eks_load_balancing.doctor', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", blocked + run], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'eks-load-balancing[doctor]'" in done.stderr
    assert "Traceback" not in done.stderr
