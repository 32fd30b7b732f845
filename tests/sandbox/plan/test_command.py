"""`sandbox plan` as a user runs it. The runs share a planner that is kept."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import lifecycle
from sandbox.lifecycle.running import plugins_identity
from sandbox.plan import kept
from sandbox.plan.session import sweep
from sandbox.run.processes import wait_until
from sandbox.run.state import State
from tests.sandbox.plan.cases import ingress, pods, service

pytestmark = pytest.mark.sandbox
_SANDBOX = [sys.executable, "-m", "sandbox.cli"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the planner is kept."""
    made = tmp_path_factory.mktemp("p")
    yield made
    with kept.lock(state := State.at(made / kept.NAME)):
        lifecycle.down(state, lambda _: None)


def written(path: Path, *objects: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump_all(objects))
    return str(path)


def plan(folder: Path, *arguments: str, code: int = 0, stdin: str = "") -> str:
    command = [*_SANDBOX, "plan", "--state-dir", str(folder), "--keep", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_a_change_is_printed_with_its_reason_and_exit_code(folder: Path, tmp_path: Path) -> None:
    old = written(tmp_path / "old.yaml", pods(), service(), ingress())
    new = written(tmp_path / "new.yaml", pods(), service(), ingress(scheme="internet-facing"))
    told = plan(folder, "-f", new, "--against", old, "--detailed-exitcode", code=2)
    assert told.splitlines()[0] == "-/+ ALB default/web"
    assert "must be replaced: scheme internal -> internet-facing" in told
    assert told.splitlines()[-1] == "Plan: 0 load balancers to add, 0 to change, 1 to replace, 0 to remove."
    assert "\x1b" not in told


def test_nothing_to_do_is_exit_code_0_and_a_kept_name_is_told(folder: Path, tmp_path: Path) -> None:
    old = written(tmp_path / "old.yaml", pods(), service(), ingress(load_balancer_name="first"))
    new = written(tmp_path / "new.yaml", pods(), service(), ingress(load_balancer_name="second"))
    told = plan(folder, "-f", new, "--against", old, "--detailed-exitcode")
    assert "asks for the name second: the controller keeps the name first" in told
    assert told.splitlines()[-1].startswith("No changes.")


def test_what_is_refused_comes_with_its_line_and_the_controllers_words(folder: Path, tmp_path: Path) -> None:
    other = ingress("other", group__name="g", scheme="internal")
    third = ingress("third", group__name="g", scheme="internet-facing")
    wrong = {**service("wrong"), "spec": {"typo": 1, "ports": [{"port": 80}]}}
    file = written(tmp_path / "a.yaml", service(), ingress(target_type="nonsense"), other, third, wrong)
    lines = Path(file).read_text().splitlines()
    found = json.loads(plan(folder, "-f", file, "--json", code=1))
    told = {p["object"]: p for p in found["problems"]}
    assert told.keys() == {
        *("Ingress default/web", "Ingress default/other", "Ingress default/third", "Service default/wrong")
    }
    assert "unknown targetType: nonsense" in told["Ingress default/web"]["message"]
    assert "conflicting scheme" in told["Ingress default/other"]["message"]
    assert 'unknown field "spec.typo"' in told["Service default/wrong"]["message"]
    line = int(told["Ingress default/web"]["place"].rpartition(":")[2])
    assert lines[line - 1 : line + 1] == ["apiVersion: networking.k8s.io/v1", "kind: Ingress"]


def test_standard_input_is_planned_and_what_is_assumed_is_listed(folder: Path) -> None:
    certificate = "arn:aws:acm:us-west-2:123456789012:certificate/12345678-0000-0000-0000-000000000000"
    asked = ingress(certificate_arn=certificate, security_groups="sg-0abc", listen_ports='[{"HTTPS": 443}]')
    found = json.loads(plan(folder, "-f", "-", "--json", stdin=yaml.safe_dump_all([pods(), service(), asked])))
    assert {(a["kind"], a["id"]) for a in found["assumed"]} == {
        ("certificate", certificate),
        ("security group", "sg-0abc"),
    }
    (balancer,) = found["after"]["loadBalancers"]
    assert balancer["listeners"][0]["certificates"] == [certificate]
    assert "sg-0abc" in [g["name"] for g in balancer["securityGroups"]]


def test_the_process_that_cleaned_the_planner_runs_the_next_plan(folder: Path, tmp_path: Path) -> None:
    file, state = written(tmp_path / "a.yaml", service()), State.at(folder / kept.NAME)
    plan(folder, "-f", file)
    with kept.lock(state):
        waiting = plugins_identity(state)
    assert waiting is not None
    plan(folder, "-f", file)
    assert wait_until(lambda: not waiting.alive(), 60)


def test_a_plan_with_a_kept_planner_ends_it_when_it_is_interrupted(folder: Path, tmp_path: Path) -> None:
    file, state = written(tmp_path / "a.yaml", pods(), service(), ingress()), State.at(folder / kept.NAME)
    command = [*_SANDBOX, "plan", "--state-dir", str(folder), "--keep", "-f", file]
    assert _interrupted(command) == 130
    assert not state.root.exists()
    assert wait_until(lambda: not _processes(folder), 60)


def test_an_interrupted_plan_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    """It plans the example for pipelines, against the account of that."""
    example, place = Path(__file__).parents[3] / "examples" / "plan-in-ci", tmp_path / "p"
    command = [*_SANDBOX, "plan", "--state-dir", str(place), "-f", str(example / "manifests")]
    command += ["--account", str(example / "account.yaml")]
    assert _interrupted(command) == 130
    assert not place.exists()
    assert not _processes(place)


def test_what_a_killed_plan_left_is_swept_away_by_the_next_one(tmp_path: Path) -> None:
    file, place = written(tmp_path / "a.yaml", service()), tmp_path / "p"
    command = [*_SANDBOX, "plan", "--state-dir", str(place), "-f", file]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        assert wait_until(lambda: any(place.glob("*/aws/process.json")), 180)
        running.kill()
    assert _processes(place)
    sweep(place)
    assert not _processes(place)


def _interrupted(command: list[str]) -> int:
    """The exit code of a plan that is ended while it applies manifests."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert any("applying" in line for line in running.stderr)
        running.send_signal(signal.SIGTERM)
        return running.wait(60)


def _processes(place: Path) -> list[str]:
    found = list[str]()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(place) in command and int(entry.name) != os.getpid():
            found.append(command)
    return found
