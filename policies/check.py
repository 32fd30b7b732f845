"""Checks files for `--policy-pack-config` without an engine: `python check.py FILE...`."""

import json
import sys
from pathlib import Path

from pack.configuration import problems
from pack.reports import REPORTS
from rules import RULES


def main(files: list[str]) -> int:
    """Check files, report errors on stderr, and return the exit code."""
    found = 0
    for file in files:
        try:
            wrong = list(problems(json.loads(Path(file).read_text(encoding="utf-8")), {**RULES, **REPORTS}))
        except (OSError, ValueError) as error:
            wrong = [f"cannot be read as JSON: {error}"]
        for line in wrong:
            sys.stderr.write(f"{file}: {line}\n")
        found += len(wrong)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if sys.argv[1:] else "usage: python check.py FILE...")
