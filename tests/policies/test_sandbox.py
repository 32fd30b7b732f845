"""The pack and real updates: an update refuses what no preview can see, and its state is checked afterwards."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY, Sandbox
from tests.policies.conftest import PACK, refusing_rules
from tests.policies.test_own_stacks import refused_in_program

pytestmark = pytest.mark.sandbox

_STACK = "refused"
_RULE = "controller-refuses-legacy-annotations"


@pytest.fixture
def options(sandbox: Sandbox, tmp_path: Path) -> Any:
    """A stack of the project's with a cluster of its own, and the pack with one mandatory rule."""
    settings = yaml.safe_load((REPOSITORY / "Pulumi.sandbox.yaml").read_text())
    settings["config"]["eks-load-balancing:cluster"]["name"] = _STACK
    settings["config"]["eks-load-balancing:controller"]["legacyAnnotations"] = True
    file, levels = tmp_path / f"Pulumi.{_STACK}.yaml", tmp_path / "levels.json"
    file.write_text(yaml.safe_dump(settings))
    levels.write_text(json.dumps({"all": "advisory", _RULE: "mandatory"}))
    stack = ("--stack", _STACK, "--config-file", str(file))
    sandbox.run("pulumi", "stack", "init", _STACK)
    yield (*stack, "--policy-pack", str(PACK), "--policy-pack-config", str(levels))
    sandbox.run("pulumi", "destroy", "--yes", "--skip-preview", "--run-program", *stack, timeout=600)
    sandbox.run("pulumi", "stack", "rm", "--yes", _STACK)


def test_a_fault_in_a_chart_is_refused_before_its_resource_is_made(sandbox: Sandbox, options: tuple[str, ...]) -> None:
    seen_before = sandbox.run("pulumi", "preview", "--non-interactive", *options, check=False)
    assert refusing_rules(seen_before) == set()
    said = sandbox.run(
        "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", *options, check=False, timeout=600
    )
    assert refusing_rules(said) == {_RULE}, said
    deployments = replace(sandbox, cluster=_STACK).get("deployments", "-n", "kube-system")["items"]
    assert [one["metadata"]["name"] for one in deployments if "load-balancer" in one["metadata"]["name"]] == []


def test_a_deployed_stack_is_judged_by_its_saved_state(stack: Sandbox) -> None:
    said = stack.run("pulumi", "policy", "analyze", "--policy-pack", str(PACK), "--stack", "sandbox", check=False)
    assert refusing_rules(said) == refused_in_program("sandbox", "prod"), said
