"""Which processes of a sandbox run, and which clusters it has."""

from pathlib import Path

from sandbox.engine import chart_repository, home
from sandbox.run.processes import Identity
from sandbox.run.state import State, read_json


def living(file: Path) -> Identity | None:
    """The running process in a process.json, or None."""
    identity = Identity.from_json(read_json(file))
    return identity if identity is not None and identity.alive() else None


def aws_identity(state: State) -> Identity | None:
    """The AWS process, or None if it does not run."""
    return living(state.aws / "process.json")


def plugins_identity(state: State) -> Identity | None:
    """The process that starts plugins, or None if it does not run."""
    return living((state.pulumi / home.PREFORK).with_suffix(".json"))


def charts_identity(state: State) -> Identity | None:
    """The process that serves charts, or None if it does not run."""
    return living(chart_repository.identity_file(state))


def traffic_identity(state: State) -> Identity | None:
    """The process that keeps the network, or None if it does not run."""
    return living(state.traffic / "process.json")


def cluster_folders(state: State) -> list[Path]:
    """The folders of all clusters, by name."""
    return sorted(f for f in state.clusters.glob("*") if f.is_dir())
