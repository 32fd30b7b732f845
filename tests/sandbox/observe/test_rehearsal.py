"""`sandbox rehearse`: what samples mean, and what the command refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from sandbox import lifecycle
from sandbox.cli.observe import rehearse as rehearsal_cli
from sandbox.cli.observe.rehearse import table
from sandbox.observe import rehearsal
from sandbox.observe.rehearsal import Findings, Sample, lost, replaced, scaled, settled, with_setting


def sample(*, targets: str = "", ready: str = "", balancers: str = "alb nlb") -> Sample:
    """Targets and pods are the last numbers of addresses; a pod's name is its address unless given: `7=other`."""
    pods = [word.partition("=") for word in ready.split()]
    return Sample(
        0.0,
        frozenset(balancers.split()),
        frozenset(("group", address) for address in targets.split()),
        frozenset((address, name or f"pod-{address}") for address, _, name in pods),
    )


def test_one_setting_changes_and_the_others_of_its_object_stay() -> None:
    given = {"encryptionsalt": "x", "config": {"p:controller": {"version": "1", "replicas": 3}, "aws:region": "r"}}
    changed = with_setting(given, "p:controller.version", "2")
    assert changed == {
        "encryptionsalt": "x",
        "config": {"p:controller": {"version": "2", "replicas": 3}, "aws:region": "r"},
    }
    assert with_setting({}, "p:version", "2") == {"config": {"p:version": "2"}}


def test_a_target_is_lost_if_its_pod_stayed_ready() -> None:
    samples = [sample(targets="1 2", ready="1 2"), sample(targets="1", ready="1 2"), sample(targets="1 2", ready="1 2")]

    assert lost(samples) == [{"targetGroup": "group", "address": "2", "pod": "pod-2"}]


def test_a_target_whose_pod_went_or_was_not_ready_is_not_lost() -> None:
    assert lost([sample(targets="1 2", ready="1 2"), sample(targets="1", ready="1")]) == []
    assert lost([sample(targets="1 2", ready="1"), sample(targets="1", ready="1 2")]) == []


def test_another_pod_with_the_same_address_is_another_pod() -> None:
    assert lost([sample(targets="7", ready="7=old"), sample(ready="7=new")]) == []


def test_a_load_balancer_that_is_gone_for_one_moment_is_replaced() -> None:
    samples = [sample(), sample(balancers="alb"), sample(), sample(balancers="alb nlb other")]

    assert replaced(samples) == ["nlb"]
    assert replaced(samples[2:]) == []


def test_scaling_goes_up_and_comes_back() -> None:
    assert [scaled(2, step) for step in range(6)] == [2, 3, 4, 3, 2, 3]


def test_it_has_settled_when_every_ready_pod_is_a_target_and_nothing_else_is() -> None:
    assert settled(sample(targets="1 2", ready="1 2 3"), 2)
    assert not settled(sample(targets="1", ready="1 2"), 2)
    assert not settled(sample(targets="1 2", ready="1"), 2)


def test_the_table_counts_and_names_and_says_which_controller_it_was() -> None:
    found = {
        "from": "1.0",
        "to": "2.0",
        "seconds": 9.5,
        "samples": 40,
        "controller": {"executables": ["/some/controller"] * 2, "oneBinary": True},
        "replaced": ["arn:nlb"],
        "lost": [{"targetGroup": "arn:group", "address": "10.0.0.7", "pod": "samples/web"}],
        "denied": [{"action": "ec2:DescribeVpcs", "principal": "arn:aws:sts::1:assumed-role/lbc/session"}] * 2,
    }

    text = table(found, Console(file=None, force_terminal=False))

    assert "one program at both versions, /some/controller: rehearses only chart, CRDs, webhooks, IAM and order" in text
    assert "load balancers replaced                 1      arn:nlb" in text
    assert "samples/web 10.0.0.7" in text
    assert "calls denied after the move began       2      ec2:DescribeVpcs by session" in text


@pytest.mark.parametrize(("findings", "code"), [(Findings(), 0), (Findings(replaced=["arn:nlb"]), 1)])
def test_the_exit_code_shows_whether_something_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, findings: Findings, code: int
) -> None:
    """Only the command, without a sandbox."""
    downs: list[Path] = []
    monkeypatch.setattr(lifecycle, "up", lambda *_, **__: None)
    monkeypatch.setattr(lifecycle, "down", lambda state, _: downs.append(state.root))
    monkeypatch.setattr(rehearsal, "rehearse", lambda *_: {"clean": findings.clean, "replaced": findings.replaced})
    arguments = ["--from", "1", "--to", "2", "--key", "p:k", "--json", "--state-dir", str(tmp_path / "r")]
    arguments += ["--with", "controller=/bin/true"]

    done = CliRunner().invoke(rehearsal_cli.rehearse, arguments)

    assert done.exit_code == code, done.output
    assert downs == [tmp_path / "r"]


def test_two_copies_of_one_program_are_one_binary(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, content in zip(paths, (b"1", b"1", b"2"), strict=True):
        path.write_bytes(content)

    assert rehearsal.controllers([str(paths[0]), str(paths[1])])["oneBinary"]
    assert not rehearsal.controllers([str(paths[0]), str(paths[2])])["oneBinary"]


def test_a_release_that_never_was_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: mine\n")
    assert "controller version '1': give a release such as 3.5.0" in refused(tmp_path)
    assert not (tmp_path / ".sandbox-rehearsal").exists()


def refused(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "sandbox.cli", "rehearse", "--from", "1", "--to", "2", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    return done.stderr


def test_it_wants_a_project_and_a_folder_without_a_sandbox(tmp_path: Path) -> None:
    assert "no Pulumi.yaml with a name here" in refused(tmp_path)

    (tmp_path / "Pulumi.yaml").write_text("name: mine\n")
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "sandbox.json").write_text(json.dumps({}))
    assert "there is a sandbox in" in refused(tmp_path, "--state-dir", "up")
