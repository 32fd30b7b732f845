"""Imports that import-linter does not see, because these folders are no packages of the project."""

import re
from pathlib import Path

import pytest

from fixtures.program import ROOT


@pytest.mark.parametrize("folder", ["benchmarks", "components", "docs", "examples", "fixtures", "policies", "sandbox"])
def test_nothing_but_tests_imports_tests(folder: str) -> None:
    def imports_tests(file: Path) -> bool:
        return re.search(r"^\s*(from|import) tests\b", file.read_text(), re.MULTILINE) is not None

    assert [str(file) for file in sorted((ROOT / folder).rglob("*.py")) if imports_tests(file)] == []
