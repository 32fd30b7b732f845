"""How long `sandbox plan` takes: the table of docs/plan.md.

    python -m benchmarks.plan [--rounds N] [--counts 10,100]

Each Ingress has an ALB, a Service and two pods of its own. Times are wall-clock seconds around the command as a user
runs it, tools built, in folders of its own: from nothing running, and with a planner that is kept. Between two plans
with `--keep` the planner is cleaned in the background; that time is given too: the next plan waits for it.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from fixtures.kubernetes import deployment, ingress, service
from sandbox import lifecycle
from sandbox.plan import kept
from sandbox.run.state import State

_SECONDS = 600


def write(folder: Path, count: int) -> Path:
    """Manifests of so many Ingresses, a file each."""
    place = folder / f"m{count}"
    place.mkdir()
    for n in range(count):
        objects = [deployment(f"web-{n}", 2), service(f"web-{n}"), ingress(f"web-{n}")]
        (place / f"{n}.yaml").write_text(yaml.safe_dump_all(objects))
    return place


def timed(*arguments: str) -> float:
    """Seconds that a plan takes."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "sandbox.cli", "plan", "--json", *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, timeout=_SECONDS)
    return time.monotonic() - begun


def cleaned(state: State) -> float:
    """Seconds until the kept planner can be used again."""
    begun = time.monotonic()
    with kept.lock(state):
        return time.monotonic() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan", description="Measure sandbox plan.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--counts", default="10,100")
    given = parser.parse_args()
    sys.stdout.write("| Ingresses | from nothing | with --keep | cleaned in the background |\n|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state = State.at(folder / "k" / kept.NAME)
        try:
            for count in map(int, given.counts.split(",")):
                place, more = str(write(folder, count)), ("--state-dir", str(folder / "k"), "--keep")
                cold = [timed("-f", place, "--state-dir", str(folder / "c")) for _ in range(given.rounds)]
                timed("-f", place, *more)
                cleaned(state)
                rounds = [(timed("-f", place, *more), cleaned(state)) for _ in range(given.rounds)]
                warm, between = (statistics.median(column) for column in zip(*rounds, strict=True))
                row = f"| {count} | {statistics.median(cold):.1f} s | {warm:.1f} s | {between:.1f} s |"
                sys.stdout.write(f"{row}\n")
                sys.stdout.flush()
        finally:
            lifecycle.down(state, lambda _: None)


if __name__ == "__main__":
    main()
