"""The first plan of an account saves AWS's journal, up to the cluster's nodes. Later plans begin with it.

From the journal AWS makes the same network, user, cluster and nodes again. So the cluster's agent starts together with
AWS, not after it.
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
from sandbox.aws.agents import AGENT, start_agent
from sandbox.aws.serving.journal import from_line, to_line
from sandbox.plan.inputs.account import Account, document
from sandbox.run.state import State, StateError, read_json, write_json
from sandbox.tools import build

Json = dict[str, Any]
_LIFETIME: Final = 30 * 86400.0
"""Seconds. The account's certificates are made with the template, and are valid for a year."""
_POLICIES: Final = "eks_load_balancing"
"""The package that has the controller's policy."""


def folder() -> Path:
    """Where templates are: beside the built tools."""
    return build.cache().with_name("planners")


@dataclass(frozen=True)
class Template:
    """The template of one account and one release of the controller."""

    path: Path
    cluster: str

    @classmethod
    def of(cls, account: Account, version: str) -> "Template":
        """The template of an account and a release. Its path changes with the code that makes it."""
        packages = [importlib.util.find_spec(name) for name in (sandbox.__name__, _POLICIES)]
        folders = [Path(spec.origin).parent for spec in packages if spec and spec.origin]
        code = sorted((str(file), file.stat().st_mtime_ns) for each in folders for file in each.rglob("*.py"))
        parts = [document(account), version, metadata.version("moto"), code]
        key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
        return cls(folder() / f"{key}.json", account.cluster)

    def read(self) -> Json | None:
        """What is saved; None if nothing is, if it is too old, or if it is damaged."""
        try:
            return None if _too_old(self.path) else read_json(self.path)
        except (FileNotFoundError, StateError):
            return None

    def restore(self, held: Json, state: State) -> None:
        """Write what is saved into the folder of an AWS that does not run yet, and start the cluster's agent."""
        state.aws.mkdir(mode=0o700, parents=True, exist_ok=True)
        (state.aws / "journal").write_bytes(b"".join(map(to_line, held["journal"])))
        cluster = state.cluster(self.cluster)
        write_json(cluster / "cluster.json", {**held["cluster"], "aws_endpoint": state.aws_endpoint})
        write_json(cluster / "nodes.json", {"nodes": []})
        start_agent(state, self.cluster, AGENT)

    def save(self, state: State, memory: Json) -> None:
        """Save AWS's journal as it is now, and what the planner knows. Remove templates that are too old."""
        lines = (state.aws / "journal").read_bytes().splitlines(keepends=True)
        journal = [entry for line in lines if line.endswith(b"\n") and (entry := from_line(line))]
        cluster = read_json(state.cluster(self.cluster) / "cluster.json")
        write_json(self.path, {"journal": journal, "cluster": cluster, "memory": memory})
        for other in filter(_too_old, list(self.path.parent.glob("*.json"))):
            other.unlink(missing_ok=True)


def _too_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _LIFETIME
