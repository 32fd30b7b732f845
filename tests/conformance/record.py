"""Record cases again: play each with the controller that the sandbox builds, and write its results after every step.

    python -m tests.conformance.record [CASE ...]

Cases with unchanged documents stay untouched. `git diff` shows the others: either a change in the controller explains
a difference, or it is a fault of the sandbox's AWS.
"""

import contextlib
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.player import _NOT_NOW, Player
from tests.conformance.stage import CASES, staged, steps
from tests.conftest import brought_up, tools_at_hand

_QUIET_SECONDS, _LONGEST_SECONDS = 6.0, 60.0


def quiet(player: Player) -> dict[str, Any]:
    """The document once it has been stable for a while."""
    deadline, since, last = time.monotonic() + _LONGEST_SECONDS, time.monotonic(), dict[str, Any]()
    while time.monotonic() < deadline and time.monotonic() - since < _QUIET_SECONDS:
        with contextlib.suppress(*_NOT_NOW):
            found = player.snapshot()
            if found != last:
                since, last = time.monotonic(), found
        time.sleep(0.2)
    return last


def record(player: Player) -> list[str]:
    """Play a case and write the documents that differ from the recording; return their names."""
    changed: list[str] = []
    player.stage.kubectl("create", "namespace", player.namespace)
    for manifest in steps(player.case):
        player.ask(manifest)
        found, file = quiet(player), manifest.with_suffix(".json")
        if not file.exists() or json.loads(file.read_text()) != found:
            file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
            changed.append(f"{player.case}/{file.name}")
    return changed


_MADE_UP = (
    (r"\b(sg|subnet|i|eni|igw|rtb|eipalloc|acl)-[0-9a-f]{8,}", r"\1-1"),
    (r"vpc-[0-9a-f]{17}", "vpc-0123456789abcdef0"),
    (r"/[0-9a-f]{16}\b", "/0"),
    (r"(targetgroup|/app|/net)/[\w-]+/(0|\*)", r"\1/k8s-name/\2"),
)
_CLUSTER = "elbv2.k8s.aws/cluster"
CALLS = Path(__file__).parents[1] / "sandbox" / "iam" / "controller_calls.json"


def calls(decided: list[dict[str, Any]]) -> list[str]:
    """The controller's questions to IAM, each kind of call once, without ids and generated names."""
    found: set[str] = set()
    for each in decided:
        keys = {k: v for k, v in each["keys"].items() if _CLUSTER in k or not (k.startswith("aws:") or "tag/" in k)}
        text = json.dumps({"action": each["action"], "resource": each["resource"], "keys": keys}, sort_keys=True)
        for pattern, plain in _MADE_UP:
            text = re.sub(pattern, plain, text)
        found.add(text)
    return sorted(found)


def main() -> None:
    """Record the given cases, or all; with all, also record the calls that IAM was asked about."""
    cases = sys.argv[1:] or sorted(path.parent.name for path in CASES.glob("*/1.yaml"))
    with tempfile.TemporaryDirectory() as folder:
        tools_at_hand(Path(folder), sys.stderr.write)
        with brought_up(Path(folder) / "state") as sandbox, staged(sandbox) as stage:
            for case in cases:
                with pytest.MonkeyPatch.context() as patch:
                    player = Player(stage, case, patch)
                    try:
                        changed = record(player)
                    finally:
                        player.clean()
                sys.stdout.write(f"{case}: {', '.join(changed) or 'as recorded'}\n")
                sys.stdout.flush()
            if not sys.argv[1:]:
                CALLS.write_text("[\n" + ",\n".join(calls(stage.decided("log"))) + "\n]\n")
            sys.stdout.write(f"refused by IAM: {len(stage.decided('denied'))}\n")


if __name__ == "__main__":
    main()
