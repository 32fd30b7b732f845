"""The command line: its output and its exit codes."""

import importlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from eks_load_balancing.doctor import cli, manual, report
from eks_load_balancing.doctor.checks import CHECKS
from eks_load_balancing.doctor.facts import CannotLookError, Unseen
from tests.unit.doctor.healthy import facts, healthy
from tests.unit.doctor.healthy_aws import World

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
    assert "51 checks, nothing found" in done.output
    assert len(CHECKS) == 51


def test_findings_are_exit_code_1_and_say_where_what_and_how(run: Run) -> None:
    done = run(sick())
    assert done.exit_code == 1
    for text in ("subnet subnet-private-a (us-west-2a)", "1 addresses are free", "fix: tag a larger", "BROKEN HERE"):
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


def test_paths_that_cannot_be_drawn_are_a_finding(run: Run) -> None:
    world = healthy()
    world["rules"] = Unseen("elasticloadbalancing:DescribeRules", "AccessDenied")
    done = run(world)
    assert done.exit_code == 1
    assert "not checked: names-lead-to-load-balancers, " in done.output


def test_checks_can_be_chosen_and_left_out(run: Run) -> None:
    chosen = json.loads(run(sick(), "--json", "--checks", "subnets-have-room,ingresses-have-a-class").output)
    assert {f["check"] for f in chosen["findings"]} == {"subnets-have-room", "ingresses-have-a-class"}
    left = json.loads(run(sick(), "--json", "--skip", "subnets-have-room").output)
    assert {f["check"] for f in left["findings"]} == {"ingresses-have-a-class", "pods-are-ready"}


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


def test_the_json_has_everything(run: Run) -> None:
    told = json.loads(run(sick(), "--json").output)
    assert set(told) == {"cluster", "account", "region", "at", "checked", "findings", "ways"}
    assert set(told["findings"][0]) == {"check", "severity", "where", "what", "fix", "see", "link", "namespace"}
    assert [way["whole"] for way in told["ways"]] == [False, True]


def test_a_ticket_is_markdown_with_the_remedies_as_code(run: Run) -> None:
    said = run(sick(), "--markdown").output
    assert said.startswith("# Load balancing of cluster shop\n")
    assert "## high: subnet subnet-private-a (us-west-2a)" in said
    assert "**Fix:** `kubectl patch ingress -n alb web --type=merge -p '{" in said
    assert said.count("```") == 2
    assert "BROKEN HERE" in said.partition("```text")[2]


def test_a_ticket_escapes_what_means_something_in_markdown() -> None:
    assert report._escaped("a_b *x* `c_d *y*` <z>") == r"a\_b \*x\* `c_d *y*` \<z\>"


def test_watching_looks_again_until_nothing_is_found_and_prints_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [sick(), sick(), healthy()]
    pauses: list[float] = []
    monkeypatch.setattr(cli, "gather", lambda _where, _report: facts(looks.pop(0)))
    monkeypatch.setattr(cli.time, "sleep", pauses.append)
    done = CliRunner().invoke(cli.doctor, ["--cluster", "shop", "--watch", "--interval", "3"])
    assert done.exit_code == 0
    assert pauses == [3, 3]
    assert done.output.count("1 addresses are free") == 1
    assert "nothing found" in done.output


def test_watching_goes_on_when_a_look_fails_but_not_when_the_first_does(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[World | None] = [sick(), None, healthy(), None]

    def look(*_: object) -> object:
        world = looks.pop(0)
        if world is None:
            raise CannotLookError("the token has expired")
        return facts(world)

    monkeypatch.setattr(cli, "gather", look)
    monkeypatch.setattr(cli.time, "sleep", lambda _: None)
    done = CliRunner().invoke(cli.doctor, ["--cluster", "shop", "--watch"])
    assert (done.exit_code, done.stderr) == (0, "cannot look: the token has expired\n")
    assert CliRunner().invoke(cli.doctor, ["--cluster", "shop", "--watch"]).exit_code == 2


@pytest.mark.parametrize("pair", [("--json", "--watch"), ("--json", "--markdown"), ("--markdown", "--watch")])
def test_forms_that_exclude_each_other_are_refused(run: Run, pair: tuple[str, str]) -> None:
    done = run(healthy(), *pair)
    assert done.exit_code == 2
    assert "exclude each other: give one of them" in done.output


def test_kubectl_finds_the_doctor_as_a_plugin() -> None:
    """`kubectl eks-lb doctor` runs `kubectl-eks_lb doctor`: a dash in the name is an underscore in the file's."""
    folder = manual.PAGE.parents[1] / "components"
    scripts = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["kubectl-eks_lb"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    done = CliRunner().invoke(cli.kubectl, ["doctor", "--help"], prog_name="kubectl eks-lb")
    assert done.exit_code == 0
    assert "Usage: kubectl eks-lb doctor" in done.output


def test_there_are_no_colours_but_on_a_terminal(run: Run) -> None:
    assert "\x1b" not in run(sick()).output


def test_every_option_is_explained() -> None:
    assert all(o.help for o in cli.doctor.params if isinstance(o, click.Option) and o.name != "help")


def test_the_manual_is_the_checks_own() -> None:
    assert manual.PAGE.read_text() == manual.manual(), "run: make docs"


def test_every_package_of_the_folder_is_installed() -> None:
    """`pip install` takes what pyproject.toml lists."""
    folder = manual.PAGE.parents[1] / "components"
    listed = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(file.parent.relative_to(folder).parts) for file in folder.glob("eks_load_balancing/**/__init__.py")
    }
    assert set(listed) == found


@pytest.mark.parametrize(
    "run",
    [
        "import runpy; import eks_load_balancing; runpy.run_module('eks_load_balancing.doctor', run_name='__main__')",
        "from eks_load_balancing.doctor import entry; entry.kubectl()",
    ],
)
def test_without_its_packages_the_doctor_says_what_to_install_and_the_components_still_import(run: str) -> None:
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['boto3', 'kubernetes', 'click', 'rich', 'cryptography']))\n"
    )
    done = subprocess.run([sys.executable, "-c", blocked + run], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'eks-load-balancing[doctor]'" in done.stderr
    assert "Traceback" not in done.stderr
