"""Writes the files that are generated from the rules: `python generate.py [--check]`.

These are `profiles/*.json` and, in the project's checkout, `../docs/policies.md`. With `--check` it writes nothing, and
the exit code is 1 if a file is out of date.
"""

import json
import sys
from pathlib import Path

from pack.publishing.manual import manual
from pack.publishing.profiles import SETTINGS, profile
from rules import SUBJECTS

PACK = Path(__file__).resolve().parent


def contents() -> dict[Path, str]:
    """Return every generated file with its content."""
    files = {PACK / "profiles" / f"{name}.json": json.dumps(profile(name), indent=2) + "\n" for name in SETTINGS}
    if (PACK.parent / "docs").is_dir():
        files[PACK.parent / "docs" / "policies.md"] = manual(SUBJECTS)
    return files


def stale() -> list[Path]:
    """Return the files that are out of date."""
    return [file for file, text in contents().items() if not file.exists() or file.read_text("utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write or check, and return the exit code."""
    wanted = contents()
    for file in (old := stale()):
        if "--check" in arguments:
            sys.stderr.write(f"{file} is not what the rules say: run python {PACK.name}/generate.py\n")
        else:
            file.parent.mkdir(exist_ok=True)
            file.write_text(wanted[file], "utf-8")
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
