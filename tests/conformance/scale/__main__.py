"""Measure the controller at scale, and write docs/measured/scale.md, its plots and its figures.

    python -m tests.conformance.scale [--ingresses N,PODS] [--bindings N,PODS] [--page]

`--page` only writes the page again from the figures of the last time. Both runs of full size took 13 minutes on 2
cores.
"""

import argparse
import datetime as dt
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.conformance.place import Place, prepared
from tests.conformance.scale import page, runs
from tests.conformance.scale.figures import Figures, Run, from_json, to_json

_KIB = 1024


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.scale", description="Measure at scale.")
    parser.add_argument("--ingresses", type=counts, default=(100, 1000), metavar="N,PODS")
    parser.add_argument("--bindings", type=counts, default=(500, 5000), metavar="N,PODS")
    parser.add_argument("--folder", type=Path, default=page.FOLDER, help="where page, plots and figures go")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    given = parser.parse_args()
    file: Path = given.folder / page.FIGURES.name
    if not given.page:
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        made = [in_a_sandbox(runs.ingresses, *given.ingresses), in_a_sandbox(runs.bindings, *given.bindings)]
        file.write_text(to_json(Figures(today, commit(), machine(), made)))
    page.write(from_json(file.read_text()), given.folder)


def in_a_sandbox(run: Callable[[Place, int, int], Run], count: int, pods: int) -> Run:
    """One run, with its own sandbox, cluster and controller."""
    with prepared(pods) as stage:
        return run(Place(stage), count, pods)


def counts(text: str) -> tuple[int, int]:
    """The numbers in `N,PODS`."""
    count, pods = map(int, text.split(","))
    if pods % count:
        raise argparse.ArgumentTypeError(f"{text}: the pods must be a multiple of {count}")
    return count, pods


def commit() -> str:
    """The commit that is measured."""
    here = Path(__file__).parent
    return subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True, check=True
    ).stdout.strip()


def machine() -> str:
    """The machine's cores and memory."""
    total = Path("/proc/meminfo").read_text().split()[1]
    return f"{len(os.sched_getaffinity(0))} cores, {round(int(total) / _KIB / _KIB)} GiB"


if __name__ == "__main__":
    main()
