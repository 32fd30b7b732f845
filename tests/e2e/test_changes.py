"""The page of changes, checked with the real engine and providers: a preview of each change on a running stack."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.generate.changes import CHANGES, OTHER, Change, declared, effects, worst_of
from fixtures.program import program
from tests.conftest import REPOSITORY, Sandbox

pytestmark = pytest.mark.sandbox

SOAK = bool(os.environ.get("SOAK"))
_STACK = "sandbox"
_TAKES_AWAY = {"delete", "replace", "create-replacement", "delete-replaced"}
_ELSEWHERE = (
    "network.vpcId",
    "network.subnetIds",
    "controller.chart",
    "protect",
    "cluster.kubeconfigProfile",
    "cluster.kubeconfigRoleArn",
)
"""Values that exist only in the state, and addresses and credentials that do not exist."""
_PREVIEWED = [change for change in CHANGES if change.before is None and change.key not in _ELSEWHERE]
_WITH_ALL_IN_IT = ("network.cidr", "cluster.name", "samples.namespace")
"""A replaced resource takes its dependents along; the page names only the cause."""
_QUICK = (
    *("cluster.adminArns", "cluster.secretsKeyArn", "nodes.instanceTypes", "nodes.amiType"),
    *("controller.replicas", "controller.featureGates"),
)
"""What is previewed unless SOAK=1: each preview takes seconds."""
_CALLER = "arn:aws:iam::123456789012:root"


def folder_with(change: Change, folder: Path) -> Path:
    """The program with one setting changed."""
    for name in ("Pulumi.yaml", "__main__.py", "settings.py"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    settings: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{_STACK}.yaml").read_text())
    section, *path = change.key.split(".")
    at = settings["config"]
    for key in (f"eks-load-balancing:{section}", *path)[:-1]:
        at = at.setdefault(key, {})
    value = [_CALLER, OTHER] if change.key == "cluster.adminArns" else change.value
    at[(f"eks-load-balancing:{section}", *path)[-1]] = value
    (folder / f"Pulumi.{_STACK}.yaml").write_text(yaml.safe_dump(settings))
    return folder


def name_of(step: dict[str, Any]) -> str:
    """The name of a step's resource."""
    return step["urn"].rpartition("::")[2]


@pytest.mark.soak
@pytest.mark.parametrize("change", [c for c in _PREVIEWED if SOAK or c.key in _QUICK], ids=lambda change: change.key)
def test_a_preview_shows_what_the_page_says_and_takes_nothing_else_away(
    stack: Sandbox, tmp_path: Path, change: Change
) -> None:
    folder = folder_with(change, tmp_path)
    preview = ("pulumi", "preview", "--stack", _STACK, "--non-interactive")
    if change.key == "cluster.secretsKeyArn":
        assert "which EKS cannot change" in stack.run(*preview, cwd=folder, check=False)
        return
    if change.key == "nodes.amiType":
        assert "has another architecture than the AMI" in stack.run(*preview, cwd=folder, check=False)
        return
    fates = worst_of(effects(program(_STACK), declared(change.key, change.value, _STACK)))
    seen = json.loads(stack.run(*preview, "--json", cwd=folder))
    taken = {name_of(step) for step in seen["steps"] if step["op"] in _TAKES_AWAY}
    # Other names: a component of pulumi-eks is one resource under mocks, and the caller there is another principal.
    known = {name_of(step) for step in seen["steps"] if (step.get("newState") or step["oldState"]).get("custom")}
    said = known & {name for name, fate in fates.items() if fate in ("replaced", "deleted")}

    assert said - taken == set()
    assert change.key in _WITH_ALL_IN_IT or taken - said == set()
