"""Imports that import-linter does not see, because these folders are no packages of the project."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.program import ROOT


@pytest.mark.parametrize("folder", ["benchmarks", "components", "docs", "examples", "fixtures", "policies", "sandbox"])
def test_nothing_but_tests_imports_tests(folder: str) -> None:
    def imports_tests(file: Path) -> bool:
        return re.search(r"^\s*(from|import) tests\b", file.read_text(), re.MULTILINE) is not None

    assert [str(file) for file in sorted((ROOT / folder).rglob("*.py")) if imports_tests(file)] == []


@pytest.mark.parametrize(
    "module", ["eks_load_balancing", "eks_load_balancing.doctor.cli", "eks_load_balancing.verify.cli"]
)
def test_commands_that_declare_nothing_begin_without_the_sdks(module: str) -> None:
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    assert {"pulumi_aws", "pulumi_eks", "pulumi_kubernetes"}.isdisjoint(loaded)
