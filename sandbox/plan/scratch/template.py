"""What planners of one account begin with, kept from the first: AWS's journal until the cluster has its nodes.

AWS makes of it the same network, user, cluster and nodes again. So the cluster's agent need not wait for AWS: both
start at once.
"""

import hashlib
import importlib.util
import json
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import sandbox
from sandbox.aws.agents import COMMAND, start_agent
from sandbox.aws.serving.journal import from_line, to_line
from sandbox.plan.inputs.account import Account, document
from sandbox.run.state import State, read_json, write_json
from sandbox.tools import build

Json = dict[str, Any]
_DAYS: Final = 30.0
"""The account's certificates last longer."""
_POLICIES: Final = "eks_load_balancing"
"""Whose code the controller's policy comes from."""


@dataclass(frozen=True)
class Template:
    """The template of one account and one release of the controller."""

    path: Path
    cluster: str

    @classmethod
    def of(cls, account: Account, version: str) -> "Template":
        """Where it is kept; another one after each change of the code that makes it."""
        packages = [importlib.util.find_spec(name) for name in (sandbox.__name__, _POLICIES)]
        folders = [Path(spec.origin).parent for spec in packages if spec and spec.origin]
        code = sorted((str(f), f.stat().st_mtime_ns) for folder in folders for f in folder.rglob("*.py"))
        told = [document(account), version, metadata.version("moto"), code]
        key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
        return cls(build.cache().with_name("planners") / f"{key}.json", account.cluster)

    def read(self) -> Json | None:
        """What is kept, unless it is too old."""
        held: Json | None = read_json(self.path)
        return held if held and time.time() - held["journal"][0]["time"] < _DAYS * 86400 else None

    def lay(self, held: Json, state: State) -> None:
        """Put what is kept into a folder in which AWS has not started yet, and start the cluster's agent."""
        state.aws.mkdir(mode=0o700, parents=True, exist_ok=True)
        (state.aws / "journal").write_bytes(b"".join(map(to_line, held["journal"])))
        folder = state.cluster(self.cluster)
        write_json(folder / "cluster.json", {**held["cluster"], "aws_endpoint": state.aws_endpoint})
        write_json(folder / "nodes.json", {"nodes": []})
        start_agent(state, self.cluster, COMMAND)

    def keep(self, state: State, memory: Json) -> None:
        """Keep AWS's journal as it is now, and what the planner knows; templates that nobody can use any more go."""
        lines = (state.aws / "journal").read_bytes().splitlines(keepends=True)
        journal = [entry for line in lines if line.endswith(b"\n") and (entry := from_line(line))]
        cluster = read_json(state.cluster(self.cluster) / "cluster.json")
        write_json(self.path, {"journal": journal, "cluster": cluster, "memory": memory})
        for other in self.path.parent.glob("*.json"):
            if time.time() - other.stat().st_mtime > _DAYS * 86400:
                other.unlink(missing_ok=True)
