"""How fast and how large the sandbox is: medians of one run, as the table of docs/measured/performance.md.

    python -m benchmarks.sandbox [--rounds N] [--tools]

Each round has its own state folder. `--tools` also builds every tool from nothing (a quarter of an hour).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fixtures.sampling import Sampler
from sandbox.tools import build, catalog

REPOSITORY = Path(__file__).parent.parent
SANDBOX = str(Path(sys.executable).with_name("sandbox"))
_MIB = 1024
_CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager")
_IDLE_SECONDS = 60


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def run(*command: str, folder: Path, cwd: Path = REPOSITORY) -> str:
    """Run a command on one state folder; it must succeed."""
    environment = {**os.environ, "SANDBOX_STATE_DIR": str(folder)}
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
    return done.stdout


def memory(folder: Path) -> int:
    """Proportional set size in MiB of every process that names the state folder, and of their child processes.

    Pages that several processes share count once in the sum.
    """
    parents, commands = dict[int, int](), dict[int, str]()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(process.name)
            parents[pid] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            commands[pid] = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue

    def ours(pid: int) -> bool:
        while pid in commands and pid != os.getpid():
            if str(folder) in commands[pid]:
                return True
            pid = parents.get(pid, 0)
        return False

    total = 0
    for pid in filter(ours, commands):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
    return total // _MIB


def cpu_of_parts(folder: Path) -> dict[str, float]:
    """Seconds of CPU time that each part of the control plane has used since its start."""
    parts = json.loads(run(SANDBOX, "status", "--json", folder=folder))["parts"]
    pids = {name: part["pid"] for part in parts if (name := part["name"].rpartition("/")[2]) in _CONTROL_PLANE}
    stats = {name: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for name, pid in pids.items()}
    return {name: sum(map(int, stat[11:13])) / os.sysconf("SC_CLK_TCK") for name, stat in stats.items()}


class Peak(Sampler):
    """The largest memory seen while a block runs."""

    def __init__(self, folder: Path) -> None:
        """Of the processes of one state folder."""
        super().__init__(0.5)
        self._folder, self.mib = folder, 0

    def look(self) -> None:
        """Take one sample."""
        self.mib = max(self.mib, memory(self._folder))


def empty_program(folder: Path) -> Path:
    """A program that declares nothing, with its own stack."""
    program = folder.with_name(f"{folder.name}-empty")
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: empty\nruntime: python\n")
    (program / "__main__.py").write_text("")
    run(SANDBOX, "exec", "--", "pulumi", "stack", "init", "empty", folder=folder, cwd=program)
    return program


def measure_round(folder: Path, repeats: int) -> dict[str, float]:
    """One sandbox, from start to removal."""
    up = ("exec", "--", "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack")
    found: dict[str, float] = {"sandbox up, s": timed(lambda: run(SANDBOX, "up", folder=folder))}
    run(SANDBOX, "down", folder=folder)
    with Peak(folder) as peak:
        found["make up, s"] = timed(lambda: run("make", "up", folder=folder))
    found["memory at peak, MiB"] = peak.mib
    used = cpu_of_parts(folder)
    found["memory at rest, MiB"] = memory(folder)
    time.sleep(_IDLE_SECONDS)
    idle = cpu_of_parts(folder)
    for name in _CONTROL_PLANE:
        found[f"CPU of {name} until make up ends, s"] = used[name]
        found[f"CPU of {name} in an idle minute, s"] = idle[name] - used[name]
    program = empty_program(folder)
    pairs = [
        (
            timed(lambda: run(SANDBOX, *up, "empty", folder=folder, cwd=program)),
            timed(lambda: run(SANDBOX, *up, "sandbox", folder=folder)),
        )
        for _ in range(repeats + 1)
    ][1:]
    found["pulumi up of an empty program, s"] = statistics.median(p[0] for p in pairs)
    found["pulumi up without changes, s"] = statistics.median(p[1] for p in pairs)
    found["ratio of the two"] = statistics.median(p[1] / p[0] for p in pairs)
    found["make down, s"] = timed(lambda: run("make", "down", folder=folder))
    return found


def build_tools() -> float:
    """Seconds to build every tool with empty caches (downloads included)."""
    program = "from sandbox.tools import build, catalog\nfor t in catalog.CATALOG: build.ensure(t, print)"
    with tempfile.TemporaryDirectory() as folder:
        caches = {"XDG_CACHE_HOME": f"{folder}/xdg", "GOCACHE": f"{folder}/go", "GOMODCACHE": f"{folder}/mod"}
        environment = {**os.environ, **caches, "GOFLAGS": "-modcacherw"}
        return timed(lambda: subprocess.run([sys.executable, "-c", program], env=environment, check=True))


def disk_of_tools() -> float:
    """MiB on disk of every tool of the catalog that is built."""
    folders = [build.folder(tool) for tool in catalog.CATALOG]
    return sum(file.stat().st_size for f in folders for file in f.rglob("*") if file.is_file()) / _MIB / _MIB


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the sandbox.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5, help="of a pulumi up, in each round")
    parser.add_argument("--tools", action="store_true", help="also build every tool from nothing")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rounds: list[dict[str, float]] = []
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measure_round(Path(folder) / f"state-{number}", arguments.repeats))
    figures = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    figures["disk of all tools, MiB"] = disk_of_tools()
    if arguments.tools:
        figures["building all tools, s"] = build_tools()
    if arguments.json:
        sys.stdout.write(json.dumps({"median": figures, "rounds": rounds}, indent=1) + "\n")
        return
    sys.stdout.write(f"| what | median of {len(rounds)} |\n|---|---|\n")
    sys.stdout.writelines(f"| {name} | {value:.2f} |\n" for name, value in figures.items())


if __name__ == "__main__":
    main()
