"""Run the controller's own suites in a sandbox with traffic, and print what passed.

    python -m tests.upstream [--suite NAME]... [--focus REGEX] [--workers N] [--logs FOLDER]

Ends with 1 if a spec does not pass.
"""

import argparse
import itertools
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.observe.iam import ask
from sandbox.run.latency import REALISTIC, load
from tests.conftest import brought_up, tools_at_hand
from tests.upstream import conformance
from tests.upstream.specs import SUITES, Result, executable, focus, result, specs, table
from tests.upstream.stage import Stage, built, given, staged

_MINUTES = 30
"""The bound of a spec. One needs about 20: the controller looks only every two minutes at what AWS deploys."""


def say(line: str) -> None:
    """Print progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")


def listed(home: Path, folder: Path, suites: Sequence[str], wanted: str) -> list[tuple[str, str]]:
    """Suite and spec of those specs of some suites of Ginkgo's that match a regular expression."""
    found: list[tuple[str, str]] = []
    for suite in suites:
        report = folder / f"{suite}.json"
        command = [str(home / executable(suite)), "--ginkgo.dry-run", f"--ginkgo.json-report={report}"]
        subprocess.run(command, check=True, capture_output=True)
        found += [(suite, spec) for spec in specs(report) if re.search(wanted, spec)]
    return found


def run(stage: Stage, home: Path, folder: Path, suite: str, spec: str) -> Result:
    """Run one spec to its end or to its bound."""
    folder.mkdir()
    report = folder / "report.json"
    command = [
        str(home / executable(suite)),
        f"--ginkgo.focus={focus(spec)}",
        f"--ginkgo.json-report={report}",
        f"--ginkgo.timeout={_MINUTES - 1}m",
        "--ginkgo.no-color",
        "--ginkgo.v",
        *stage.flags,
    ]
    stage.run(command, folder, _MINUTES)
    done = result(suite, spec, report)
    told(done)
    return done


def told(done: Result) -> None:
    """Print a result."""
    say(
        f"{done.state:9} {done.seconds:4.0f} s  {done.suite}: {done.spec}"
        + (f"\n{'':18}{done.reason}" * bool(done.reason))
    )


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.upstream",
        description="Run the controller's own end-to-end suites in a sandbox with traffic.",
    )
    parser.add_argument(
        "--suite", action="append", choices=sorted(SUITES), help="one suite; repeatable; all by default"
    )
    parser.add_argument("--focus", default="", help="a regular expression for the texts of specs")
    parser.add_argument("--workers", type=int, default=20, help="specs at a time: most of their time is sleep")
    parser.add_argument("--logs", type=Path, help="keep the logs of the specs in this folder")
    options = parser.parse_args()
    home = built(say)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        suites: list[str] = options.suite or list(SUITES)
        chosen = listed(home, folder, [suite for suite in suites if suite != conformance.SUITE], options.focus)
        logs = options.logs or folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        tools = folder / "tools"
        tools.mkdir()
        tools_at_hand(tools, say)
        # The suites rely on it: what AWS has provisioned has had minutes to become healthy.
        latency = load(REALISTIC).model_dump(mode="json")
        with brought_up(folder / "state", given=given(home), traffic="iptables", latency=latency) as sandbox:
            stage = staged(sandbox, folder, say)
            say(f"{', '.join(suites)}: {len(chosen)} processes of single specs, {options.workers} at a time")
            with ThreadPoolExecutor(options.workers) as pool:
                others = [conformance.SUITE] if conformance.SUITE in suites else []
                claimed = [pool.submit(conformance.run, stage, home, logs / one, options.focus) for one in others]
                numbered = enumerate(chosen)
                results = list(pool.map(lambda item: run(stage, home, logs / f"{item[0]:03}", *item[1]), numbered))
                for done in itertools.chain.from_iterable(suite.result() for suite in claimed):
                    told(done)
                    results.append(done)
            denied = ask(stage.sandbox.state, "denied", {"as": stage.role})
    print(table(results))  # noqa: T201 - the output
    for done in results:
        if done.state != "passed":
            print(f"- {done.suite}: {done.spec}: {done.state}: {done.reason}")  # noqa: T201 - the output
    print(f"Calls of the controller that IAM refused: {len(denied)}")  # noqa: T201 - the output
    return int(any(done.state != "passed" for done in results))


if __name__ == "__main__":
    sys.exit(main())
