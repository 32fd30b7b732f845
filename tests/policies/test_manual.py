"""The manual's instructions work: its configurations fit, its workflow is valid, its tables name rules."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import generate
from check import main
from pack.configuration import problems
from pack.publishing.coverage import ASKED, SOURCES, Asked
from pack.reports import REPORTS
from rules import RULES

_PACK = Path(generate.PACK)
_WORKFLOW = _PACK / "ci" / "policies.yml"
_MANUAL = (_PACK / "pack" / "publishing" / "introduction.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", _MANUAL, re.DOTALL))
def test_a_configuration_in_the_manual_fits(block: str, tmp_path: Path) -> None:
    assert list(problems(json.loads(block), {**RULES, **REPORTS})) == []
    file = tmp_path / "mine.json"
    file.write_text(block)
    assert main([str(file)]) == 0


def test_the_files_that_the_manual_names_are_there() -> None:
    named = set(re.findall(r"`(policies/[\w./-]+)`", _MANUAL))
    assert len(named) >= 4
    for path in named:
        assert (_PACK.parent / path).exists(), path


def test_the_workflow_fits_the_schema_of_workflows() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(_WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _steps() -> list[dict[str, Any]]:
    return yaml.safe_load(_WORKFLOW.read_text("utf-8"))["jobs"]["policies"]["steps"]


def test_the_workflows_scripts_are_shell_and_take_no_expression_from_outside() -> None:
    scripts = [step["run"] for step in _steps() if "run" in step]
    assert len(scripts) == 4
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=10)
        assert "${{" not in script


def test_the_workflow_names_each_action_with_a_version_and_asks_for_no_right_to_write() -> None:
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"]) for step in _steps() if "uses" in step)
    rights = yaml.safe_load(_WORKFLOW.read_text("utf-8"))["permissions"]
    assert rights == {"contents": "read", "id-token": "write"}


def test_the_workflow_names_files_of_the_pack() -> None:
    text = _WORKFLOW.read_text("utf-8")
    for path in ("check.py", "requirements.txt", "profiles/prod.json"):
        assert path in text
        assert (_PACK / path).exists()


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked.by}-{asked.number}")
def test_what_a_rule_set_asks_is_covered_by_a_rule_or_left_out_for_a_reason(asked: Asked) -> None:
    assert asked.by in SOURCES
    assert bool(asked.rules) is not bool(asked.left_out)
    assert set(asked.rules) <= set(RULES)


def test_no_covered_requirement_is_listed_as_left_out() -> None:
    covered = {(control.framework, control.number) for rule in RULES.values() for control in rule.controls}
    assert not {(asked.by, asked.number) for asked in ASKED if asked.left_out} & covered
