"""The real engine with our language host: programs succeed, or fail in one line, and do not change the checkout."""

import json
import os
import platform
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engine import home
from sandbox.engine.language_host import plugin_command
from sandbox.run.processes import Process, wait_until
from sandbox.run.state import write_json
from tests.engine import Engine

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("engine"))


def test_a_program_runs_with_its_configuration_and_exports(engine: Engine) -> None:
    done = engine.up("import pulumi\npulumi.export('size', pulumi.Config().require_int('size'))\n")
    assert done.returncode == 0, done.stdout
    assert json.loads(engine.run("stack", "output", "--stack", "one", "--json").stdout) == {"size": 3}


def test_a_refused_program_is_reported_once_without_a_traceback(engine: Engine) -> None:
    done = engine.up("import pulumi\nraise pulumi.RunError('zones: 1 is too few, give 2 or 3')\n")
    assert done.returncode != 0
    diagnostics = done.stdout[done.stdout.index("Diagnostics:") :]
    assert diagnostics.count("zones: 1 is too few, give 2 or 3") == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_a_broken_program_shows_its_traceback(engine: Engine) -> None:
    done = engine.up("import nothing_like_it\n")
    assert done.returncode != 0
    assert "ModuleNotFoundError: No module named 'nothing_like_it'" in done.stdout


def test_a_chart_that_is_not_there_is_one_line_without_a_traceback(engine: Engine) -> None:
    done = engine.up(
        "import pulumi, pulumi_kubernetes as k\n"
        f"on = k.Provider('on', render_yaml_to_directory={str(engine.program / 'rendered')!r})\n"
        "k.helm.v4.Chart('web', chart='/no/such/chart', opts=pulumi.ResourceOptions(provider=on))\n"
    )
    assert done.returncode != 0
    errors = [line for line in done.stdout[done.stdout.index("Diagnostics:") :].splitlines() if "error: " in line]
    assert len(errors) == 1
    assert 'path "/no/such/chart" not found' in errors[0]
    assert "Traceback" not in done.stdout + done.stderr


def test_what_a_provider_refuses_to_look_up_is_one_line_without_a_traceback(engine: Engine) -> None:
    done = engine.up("import pulumi\npulumi.runtime.invoke('kubernetes:no:such', {})\n")
    assert done.returncode != 0
    assert "kubernetes:no:such" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_invalid_virtual_environment_is_named(engine: Engine) -> None:
    project = engine.program / "Pulumi.yaml"
    before = project.read_text()
    project.write_text("name: tiny\nruntime:\n  name: python\n  options: {virtualenv: gone}\n")
    try:
        done = engine.up("")
    finally:
        project.write_text(before)
    assert done.returncode != 0
    assert "option virtualenv is 'gone'" in done.stdout + done.stderr


def test_a_checked_in_salt_keeps_the_stacks_file_as_it_is_and_secrets_are_encrypted(engine: Engine) -> None:
    salted = (engine.program / "Pulumi.one.yaml").read_text()
    assert salted.startswith('config:\n  tiny:size: "3"\nencryptionsalt: v1:')
    engine.up("import pulumi\npulumi.export('key', pulumi.Output.secret('open sesame'))\n")
    assert (engine.program / "Pulumi.one.yaml").read_text() == salted
    assert "open sesame" not in engine.run("stack", "export", "--stack", "one").stdout
    assert "open sesame" in engine.run("stack", "export", "--stack", "one", "--show-secrets").stdout


def test_a_new_stack_is_selected_as_outside_the_sandbox(engine: Engine) -> None:
    (engine.program / "__main__.py").write_text("")
    assert engine.run("stack", "init", "two").returncode == 0
    try:
        done = engine.run("up", "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout
        assert "Updating (two)" in done.stdout
    finally:
        engine.run("stack", "rm", "two", "--yes", "--force")
        engine.run("stack", "select", "one")


def test_the_schema_of_the_kubernetes_provider_is_the_real_one(engine: Engine) -> None:
    schema = json.loads(engine.run("package", "get-schema", "kubernetes").stdout)
    assert "kubernetes:helm.sh/v4:Chart" in schema["resources"]
    assert len(schema["resources"]) > 300


def test_no_plugin_is_warned_about(engine: Engine) -> None:
    done = engine.up("import pulumi\n")
    assert "warning" not in (done.stdout + done.stderr).lower()


def test_a_dead_engines_lock_is_released_and_a_living_ones_is_kept(engine: Engine) -> None:
    locks = engine.state.pulumi / "backend" / ".pulumi" / "locks" / "organization" / "tiny" / "one"
    locks.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    for name, pid in (("dead", gone.pid), ("living", os.getpid())):
        (locks / f"{name}.json").write_text(json.dumps({"pid": pid, "hostname": platform.node()}))
    (locks / "elsewhere.json").write_text(json.dumps({"pid": gone.pid, "hostname": "another-host"}))
    assert "currently locked by" in engine.up("").stderr
    home.release_dead_locks(engine.state.pulumi / "backend")
    assert sorted(f.stem for f in locks.iterdir()) == ["elsewhere", "living"]
    for lock in locks.iterdir():
        lock.unlink()


def test_a_provider_given_with_a_path_is_the_one_that_the_engine_runs(tmp_path: Path) -> None:
    engine, seen = Engine(tmp_path), tmp_path / "seen"
    other = tmp_path / "other-provider"
    other.write_text(f'#!/bin/sh\necho "$@" > {seen}\nexit 1\n')
    other.chmod(0o700)
    settings = engine.state.settings()
    replaced = replace(settings, replacements={"pulumi-resource-kubernetes": str(other)})
    write_json(engine.state.settings_file, replaced.to_json())
    home.prepare(engine.state)
    engine.up("import pulumi_kubernetes as kubernetes\nkubernetes.core.v1.ConfigMap('some')\n")
    assert seen.read_text().startswith("127.0.0.1:")


def test_a_component_package_is_run_by_the_sdk_and_a_policy_pack_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "some-components"\n')
    assert plugin_command("py", tmp_path, "resource", ["x"]) == [
        "py",
        "-u",
        "-m",
        "pulumi.run.plugin",
        "some-components",
        "x",
    ]
    assert plugin_command("py", tmp_path, "analyzer", ["x"]) == ["py", "-u", "-m", "pulumi.policy", "x", str(tmp_path)]
    (tmp_path / "__main__.py").touch()
    assert plugin_command("py", tmp_path, "resource", ["x"]) == ["py", "-u", str(tmp_path), "x"]


def test_a_language_host_ends_with_its_engine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as engine:
        address = f"127.0.0.1:{engine.getsockname()[1]}"
        command = [sys.executable, "-m", "sandbox.engine.language_host", address]
        host = Process("host", command, tmp_path / "log", ready=lambda: (tmp_path / "log").read_text().endswith("\n"))
        host.start()
        host.wait_ready(60)
    try:
        assert wait_until(lambda: not host.running(), 20)
    finally:
        host.stop(0)
    assert host.exit_code() == 0
