"""Bring an example up in the sandbox, with what it needs, or take it down: `make example NAME=...` runs this.

python examples/run.py up|down NAME
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent
STACK = "sandbox"
CLUSTERS, CONTROLLER_ONLY = "clusters", "controller-only"
NEEDS = {
    CLUSTERS: (),
    "node-ports": (),
    "shared-alb": (CLUSTERS, CONTROLLER_ONLY),
    **dict.fromkeys(
        ("own-workloads", "secure-workloads", "client-certificates", "dualstack", "edge"),
        (CLUSTERS, "tuned-controller"),
    ),
}
"""What has to be up before an example; where nothing is said, the clusters."""
CHART = "aws-load-balancer-controller"
PULL = ("helm", "pull", CHART, "--version", "3.2.2", "--untar", "--repo", "https://aws.github.io/eks-charts")
MIRRORED = {"private-cluster": (CHART, PULL)}
"""What an example finds in its folder, and the command that puts it there."""


def needs(name: str) -> tuple[str, ...]:
    """The examples that have to be up before one."""
    return NEEDS.get(name, (CLUSTERS,))


def in_the_way(name: str, up: Iterable[str]) -> list[str]:
    """The examples that are up on the same clusters, unless one needs the other or both share a controller."""
    if CLUSTERS not in needs(name):
        return []
    strangers = set(up) - {name, *needs(name)}
    beside = {other for other in strangers if needs(name)[1:] and needs(other) == needs(name)}
    return sorted(other for other in strangers - beside if CLUSTERS in needs(other) and name not in needs(other))


def standing_on(name: str, up: Iterable[str]) -> list[str]:
    """The examples that are up and need this one."""
    return sorted(other for other in up if name in needs(other))


def examples() -> list[str]:
    """The names of all examples."""
    return sorted(folder.name for folder in EXAMPLES.iterdir() if (folder / "Pulumi.yaml").exists())


def run(name: str, *command: str, capture: bool = False) -> str:
    """Run a command in an example's folder, and give what it printed if that is captured; if it fails, all ends."""
    done = subprocess.run(
        command, cwd=EXAMPLES / name, stdout=subprocess.PIPE if capture else None, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def standing() -> set[str]:
    """The examples that have resources."""
    listed = run(CLUSTERS, "pulumi", "stack", "ls", "--all", "--json", capture=True)
    return with_resources(json.loads(listed)) & set(examples())


def with_resources(stacks: Iterable[dict[str, Any]]) -> set[str]:
    """The projects of stacks that have resources; those of the project that asks are listed without its name."""
    names = [f"{CLUSTERS}/{stack['name']}" for stack in stacks if stack.get("resourceCount")]
    return {name.split("/")[-2] for name in names}


def up(name: str) -> None:
    """Bring an example up, after what it needs."""
    there = standing()
    others = in_the_way(name, there)
    if others:
        sys.exit(f"{others[0]} is up on the same clusters: make example-down NAME={others[0]}")
    for each in (*(one for one in needs(name) if one not in there), name):
        folder, command = MIRRORED.get(each, ("", ()))
        if command and not (EXAMPLES / each / folder).exists():
            run(each, *command)
        run(each, "pulumi", "stack", "select", "--create", STACK)
        run(each, "pulumi", "up", "--stack", STACK, "--yes", "--skip-preview")


def down(name: str) -> None:
    """Take an example down, if nothing stands on it."""
    others = standing_on(name, standing()) if any(name in needed for needed in NEEDS.values()) else []
    if others:
        sys.exit(f"{others[0]} needs {name}: make example-down NAME={others[0]}")
    guarded = ["--run-program"] if name == CONTROLLER_ONLY else []
    run(name, "pulumi", "destroy", "--stack", STACK, "--yes", "--skip-preview", *guarded)


def main() -> None:
    """Read the command line."""
    match sys.argv[1:]:
        case ["up", name] if name in examples():
            up(name)
        case ["down", name] if name in examples():
            down(name)
        case _:
            sys.exit(f"NAME is one of: {', '.join(examples())}")


if __name__ == "__main__":
    main()
