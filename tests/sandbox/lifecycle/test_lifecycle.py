"""Wrong input to `sandbox`: one line names the fault and the remedy, and nothing is half-created."""

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sandbox import lifecycle
from sandbox.cli import main
from sandbox.cluster.sockets import socket_folder
from sandbox.lifecycle import parts, starting
from sandbox.run import ports
from sandbox.run.processes import Identity
from sandbox.run.state import Settings, State, locked, write_json


def sandbox(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def refusal(result: Result) -> str:
    """The one line of a command that failed."""
    assert result.exit_code == 1
    lines = result.output.strip().splitlines()
    assert len(lines) == 1, result.output
    return lines[0].removeprefix("Error: ")


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("controller", "give NAME=PATH"),
        (
            "etcd=/bin/true",
            "etcd is not one of pulumi, kube, kwok, helm, controller, controller@VERSION, pulumi-resource-NAME or ",
        ),
        ("helm=/no/such/file", "/no/such/file is not an executable file"),
        ("kube=/bin/true", "/bin/true is not a folder"),
    ],
)
def test_a_wrong_replacement_names_itself_and_the_remedy(tmp_path: Path, word: str, words: str) -> None:
    folder = tmp_path / "s"
    assert words in refusal(sandbox("up", "--with", word, "--state-dir", str(folder)))
    assert not folder.exists()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    assert "contains other files (thesis.tex): name an empty folder" in refusal(
        sandbox("up", "--state-dir", str(tmp_path))
    )
    assert "is not a sandbox's folder" in refusal(sandbox("down", "--state-dir", str(tmp_path)))
    assert (tmp_path / "thesis.tex").exists()


def test_a_taken_port_names_who_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "choose", lambda *_, **__: {})
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        line = refusal(sandbox("up", "--aws-port", str(port), "--state-dir", str(tmp_path / "s")))
    assert f"port {port}" in line
    assert "(pid " in line
    assert "--aws-port" in line
    assert not State.at(tmp_path / "s").exists()


def test_a_kept_port_that_another_took_meanwhile_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "choose", lambda *_, **__: {})
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = Settings("us-west-2", "1", {"aws": port}, {"access_key": "A", "secret_key": "S"})
        write_json(State.at(tmp_path).settings_file, settings.to_json())
        assert f"port {port}" in refusal(sandbox("up", "--state-dir", str(tmp_path)))


def test_an_invalid_chart_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    line = refusal(sandbox("up", "--chart", str(tmp_path / "empty"), "--state-dir", str(tmp_path / "s")))
    assert line == f"--chart {tmp_path / 'empty'}: the folder has no Chart.yaml"


def test_a_release_that_never_was_is_refused_before_anything_starts(tmp_path: Path) -> None:
    line = refusal(sandbox("up", "--controller-version", "3.2.9", "--state-dir", str(tmp_path / "s")))
    assert line.startswith("controller version 3.2.9: unknown release")
    assert not State.at(tmp_path / "s").exists()


def test_two_commands_on_one_folder_are_one_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        line = refusal(sandbox("up", "--state-dir", str(tmp_path)))
    assert "another `sandbox up` or `sandbox down`" in line
    assert "--state-dir" in line


@pytest.mark.parametrize("command", [["env"], ["exec", "true"]])
def test_a_sandbox_that_is_down_says_how_to_bring_it_up(tmp_path: Path, command: list[str]) -> None:
    assert "start one with `sandbox up`" in refusal(sandbox(*command, "--state-dir", str(tmp_path)))


def test_a_sandbox_whose_aws_is_gone_says_how_to_bring_it_back(tmp_path: Path) -> None:
    settings = Settings("us-west-2", "1", {"aws": 1}, {"access_key": "A", "secret_key": "S"})
    write_json(State.at(tmp_path).settings_file, settings.to_json())
    assert "is not running: restart it with `sandbox up`" in refusal(sandbox("env", "--state-dir", str(tmp_path)))
    result = sandbox("status", "--state-dir", str(tmp_path))
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == "down"


def test_the_status_of_nothing_is_down(tmp_path: Path) -> None:
    assert parts.status(State.at(tmp_path)) == {"state": "down", "aws": None, "clusters": [], "parts": []}


def test_down_without_a_sandbox_is_not_an_error(tmp_path: Path) -> None:
    result = sandbox("down", "--state-dir", str(tmp_path / "none"))
    assert (result.exit_code, result.output) == (0, f"no sandbox in {tmp_path / 'none'}\n")


def test_a_free_port_is_free_and_a_taken_one_has_an_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert "(pid " in ports.owner(port)
    assert ports.is_free(ports.free_port())


def test_a_port_is_given_once_before_its_server_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_PORTS", range(19000, 19004))
    assert len({ports.free_port() for _ in range(4)}) == 4
    with pytest.raises(ports.PortTakenError):
        ports.free_port()


def test_an_aws_that_an_interrupted_up_left_starting_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State.at(tmp_path)
    settings = Settings("us-west-2", "123456789012", {"aws": 1}, {})
    with locked(state.aws / "lock"):
        looks = iter([None, None, Identity.of(os.getpid())])
        living = Identity.of(os.getpid())
        monkeypatch.setattr(starting, "aws_identity", lambda _: next(looks, living))
        assert starting._aws(state, settings) is None
        assert next(looks, None) is None, "it was not waited for"


def test_down_removes_the_sockets_of_a_cluster_whose_folder_is_too_deep_for_them(tmp_path: Path) -> None:
    state = State.at(tmp_path / ("d" * 120))
    write_json(state.settings_file, {})
    sockets = socket_folder(state.cluster("a") / "run")
    state.cluster("a").mkdir(parents=True)
    assert not sockets.is_relative_to(state.root)
    lifecycle.down(state, lambda _: None)
    assert not sockets.exists()
    assert not state.root.exists()
