"""The commands in an example's README, and where the tests run them."""

import re
import shutil
from pathlib import Path

from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
_COMMAND = re.compile(r"^ {4}(\S.*)$", re.MULTILINE)


def commands(name: str) -> list[str]:
    """The commands of an example's README: its lines that are indented by four; a comment after them is none."""
    return [
        found.partition("  #")[0].strip() for found in _COMMAND.findall((EXAMPLES / name / "README.md").read_text())
    ]


def copied(folder: Path) -> Path:
    """The repository with examples of its own, whose settings may change; everything else is linked."""
    for entry in REPOSITORY.iterdir():
        if entry.name not in {"examples", ".git"}:
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    return folder
