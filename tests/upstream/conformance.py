"""The Gateway API's conformance suite, as the controller's own module runs it.

That module names the features that the controller claims and the tests that no ALB can pass. The suite is one process:
its tests share Gateways, so they run one after the other.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.tools import build
from tests.upstream.specs import Result, executable
from tests.upstream.stage import GATEWAY_CLASS, Stage

SUITE = "gateway-api"
_TEST = "TestConformance"
_MINUTES = 180
"""The bound of the suite. A test that fails may have waited for eight minutes."""
_STATES = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_NOT_CLAIMED = "suite does not support"


def run(stage: Stage, home: Path, folder: Path, focus: str) -> list[Result]:
    """Run the tests that a regular expression matches, and return what became of those that the controller claims."""
    folder.mkdir()
    command = [
        str(home / executable(SUITE)),
        "-test.v=test2json",
        f"-test.run={chosen(focus)}",
        f"-test.timeout={_MINUTES - 1}m",
        f"--kubeconfig={stage.sandbox.state.kubeconfig}",
        f"--gateway-class={GATEWAY_CLASS}",
        # The sandbox ends with the run.
        "--cleanup-base-resources=false",
    ]
    stage.run(command, folder, _MINUTES)
    with (folder / "log").open() as log:
        reader = [build.go("the suite's output"), "tool", "test2json", "-t"]
        events = subprocess.run(reader, stdin=log, capture_output=True, text=True, check=True).stdout
    return results(events)


def chosen(focus: str) -> str:
    """The value of `-test.run` for the tests that a regular expression matches."""
    # Go splits it at every `|` and `/` that is in no parentheses.
    return f"^{_TEST}$/({focus})"


def results(events: str) -> list[Result]:
    """What became of the suite's tests, from the events that `go tool test2json -t` writes.

    If no test began, the suite's setup has failed, and stands in their place.
    """
    said: dict[str, str] = {}
    ended: dict[str, Result] = {}
    for test, event in _events(events):
        name, _, part = test.partition("/")
        said.setdefault(name, "")
        if event["Action"] == "output":
            said[name] += event["Output"]
        elif not part and event["Action"] in _STATES:
            state = _STATES[event["Action"]]
            reason = "" if state == "passed" else _reason(said[name])
            ended[name] = Result(SUITE, name, state, event["Elapsed"], reason)
    setup = said.pop("", "")
    if not said:
        return [Result(SUITE, "setup", "failed", reason=_reason(setup))]
    late = [Result(SUITE, n, "timedout", reason="it did not end within the suite's bound") for n in said]
    return [r for r in (ended.get(r.spec, r) for r in late) if _NOT_CLAIMED not in r.reason]


def _events(events: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each event's test, without the suite's; and the event."""
    for line in events.splitlines():
        event = json.loads(line)
        if "Test" in event:
            yield event["Test"].removeprefix(_TEST).removeprefix("/"), event


def _reason(said: str) -> str:
    """The last failed assertion in a test's output, or the last line if there is none; in one line."""
    failed = re.findall(r"Error:\s(.*?)\n\s+Test:[^\n]*(?:\n\s+Messages:([^\n]*))?", said, re.DOTALL)
    lines = [line for line in said.splitlines() if line.strip() and "---" not in line]
    return " ".join(" ".join(failed[-1] if failed else lines[-1:]).split())
