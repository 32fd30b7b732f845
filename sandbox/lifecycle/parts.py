"""The parts of a sandbox and its status, for `sandbox status`."""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sandbox.engine import chart_repository, home
from sandbox.lifecycle.running import (
    aws_identity,
    charts_identity,
    cluster_folders,
    living,
    plugins_identity,
    traffic_identity,
)
from sandbox.lifecycle.with_option import PLUGIN
from sandbox.run.processes import Identity
from sandbox.run.state import Settings, State, read_json
from sandbox.tools.catalog import KUBERNETES_PROVIDER
from sandbox.tools.choose import BUILT


@dataclass(frozen=True)
class Part:
    """One part of the sandbox: what runs, and whether it is real."""

    name: str
    kind: str
    """`real` or `stand-in`."""
    version: str
    pid: int | None
    """None for parts that run only while they are used, and for parts that should run and do not."""
    source: str = ""
    """The origin of the executable: `built`, `--with`, `PATH`, ...; empty for the sandbox's own code."""
    expected: bool = False
    """Whether it should be running now."""

    def to_json(self) -> dict[str, Any]:
        """The part in the format of `sandbox status --json`."""
        document = {"name": self.name, "kind": self.kind, "version": self.version, "pid": self.pid}
        return document | {"source": self.source}


def parts(state: State) -> list[Part]:
    """Every part of the sandbox."""
    settings = state.settings()
    processes = {"plugins": plugins_identity(state), "charts": charts_identity(state)}
    aws = aws_identity(state)
    found = [Part("aws", "stand-in", f"moto {version('moto')}", aws.pid if aws else None, expected=True)]
    if has_engine := "pulumi" in settings.tools:
        found += [Part(n, "stand-in", "sandbox", p.pid if p else None, expected=True) for n, p in processes.items()]
    if settings.traffic:
        found += _network_parts(state)
    for folder in cluster_folders(state):
        found += _cluster_parts(folder)
    return found + _engine_parts(state, settings) if has_engine else found


def _engine_parts(state: State, settings: Settings) -> list[Part]:
    """What runs while a program or a client does."""
    found = list[Part]()
    found.append(_tool_part(settings, "engine", "pulumi"))
    found.append(Part("language host", "stand-in", f"SDK {version('pulumi')}", None))
    for name, sdk in home.STAND_INS.items():
        replaced = settings.replacements.get(f"{PLUGIN}{name}")
        kind, what = ("real", replaced) if replaced else ("stand-in", f"SDK {version(sdk)}")
        found.append(Part(f"provider {name}", kind, what, None, "--with" if replaced else ""))
    found.append(_tool_part(settings, "provider kubernetes", KUBERNETES_PROVIDER))
    charts = chart_repository.offered(state, chart_repository.CONTROLLER_HOST, chart_repository.CONTROLLER_PATH)
    found += [Part(f"chart {c.metadata['name']}", "real", str(c.metadata["version"]), None) for c in charts]
    return [*found, _tool_part(settings, "helm", "helm"), Part("aws cli", "real", version("awscli"), None, "PyPI")]


def _tool_part(settings: Settings, name: str, tool: str) -> Part:
    origin = settings.origins.get(tool, {"version": "unknown", "source": ""})
    later = origin["source"] == BUILT and not Path(settings.tools[tool]).exists()
    return Part(name, "real", origin["version"], None, "built when first used" if later else origin["source"])


def _cluster_parts(folder: Path) -> list[Part]:
    if not (folder / "cluster.json").exists():
        return []
    agent = living(folder / "process.json")
    found = [Part(f"{folder.name}/agent", "stand-in", "sandbox", agent.pid if agent else None, expected=True)]
    for part in (read_json(folder / "status.json") or {}).get("parts", []):
        pid = part.get("pid")
        alive = pid if pid and Identity.of(pid) else None
        found.append(Part(part["name"], part["kind"], part["version"], alive, part.get("source", ""), expected=True))
    return found


def _network_parts(state: State) -> list[Part]:
    """The network's keeper, and the processes in the network, whose pids are in a namespace and not shown."""
    keeper = traffic_identity(state)
    found = [Part("traffic", "stand-in", f"Linux {os.uname().release}", keeper.pid if keeper else None, expected=True)]
    inside = (read_json(state.traffic / "status.json") or {}).get("parts", []) if keeper else []
    return found + [Part(p["name"], p["kind"], p["version"], None) for p in inside]


def status(state: State) -> dict[str, Any]:
    """The document of `sandbox status --json`."""
    if not state.exists():
        return {"state": "down", "aws": None, "clusters": [], "parts": []}
    settings = state.settings()
    all_parts = parts(state)
    expected = [p for p in all_parts if p.expected]
    alive = [p for p in expected if p.pid is not None]
    clusters: list[dict[str, Any]] = []
    for folder in cluster_folders(state):
        spec, seen = read_json(folder / "cluster.json"), read_json(folder / "status.json") or {}
        if spec is None:
            continue
        clusters.append(
            {
                "name": folder.name,
                "endpoint": seen.get("endpoint"),
                "kubeconfig": str(folder / "kubeconfig"),
                "vpc": spec.get("vpc_id"),
                "phase": seen.get("phase", "CREATING"),
            }
        )
    word = "up" if len(alive) == len(expected) else "degraded" if alive else "down"
    return {
        "state": word,
        "aws": {"endpoint": state.aws_endpoint, "region": settings.region, "account": settings.account},
        "clusters": clusters,
        "parts": [p.to_json() for p in all_parts],
    }
