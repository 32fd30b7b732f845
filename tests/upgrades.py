"""A stack's state as it is kept for later: what a stack made with an earlier version looks like to the engine.

    sandbox exec -- python -m tests.upgrades        writes that of stack `sandbox`, which is up, for this version

What is kept holds no secret: where there was one, an equal one stands in every place in which it was.
"""

import base64
import gzip
import json
import re
import subprocess
import sys
import tomllib
from typing import Any, Final

from tests.conftest import REPOSITORY

STATES: Final = REPOSITORY / "tests" / "e2e" / "upgrades"
_LEFT_OUT: Final = ("created", "modified", "sourcePosition", "stackTrace")
_SECRET: Final = "4dabf18193072939515e22adb298388d"
"""How the engine marks a special value: https://github.com/pulumi/pulumi/blob/v3.259.0/sdk/go/property/values.go"""
_KEY: Final = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END)", re.DOTALL)


def kept(export: dict[str, Any]) -> dict[str, Any]:
    """What is kept of `pulumi stack export --show-secrets`."""
    resources = [{k: v for k, v in r.items() if k not in _LEFT_OUT} for r in export["deployment"]["resources"]]
    return {"version": export["version"], "deployment": {"resources": _without_keys(resources)}}


def _without_keys(value: Any) -> Any:
    if isinstance(value, dict) and _SECRET in value and "plaintext" in value:
        return {**value, "plaintext": json.dumps(_without_keys(json.loads(value["plaintext"])))}
    if isinstance(value, dict):
        return {key: _without_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_keys(each) for each in value]
    if isinstance(value, str):
        return _without_key(value)
    return value


def _without_key(text: str) -> str:
    """A text without private keys, whether they are in it as they are or as base64."""
    try:
        inner = base64.b64decode(text, validate=True).decode()
    except ValueError:
        return _KEY.sub(r"\1 none \2", text)
    return base64.b64encode(_without_key(inner).encode()).decode() if "PRIVATE KEY" in inner else text


def main() -> None:
    """Write the state of the stack `sandbox`."""
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    command = ["pulumi", "stack", "export", "--stack", "sandbox", "--show-secrets"]
    exported = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    text = json.dumps(kept(json.loads(exported)), separators=(",", ":"), sort_keys=True)
    STATES.mkdir(exist_ok=True)
    path = STATES / f"{version}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    sys.stderr.write(f"{path.relative_to(REPOSITORY)}: {len(text)} characters, {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
