"""What every command, and every start of a cluster, waits for."""

import subprocess
import sys

import pytest

HEAVY = {"aiohttp", "boto3", "moto", "pathspec", "pydantic", "rich", "trustme"}
"""Each takes a twentieth of a second, or more."""


def imported(module: str) -> list[str]:
    """Every module that comes with one."""
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()


@pytest.mark.parametrize("module", ["sandbox.cli", "sandbox.cluster.control_plane.plane"])
def test_it_imports_nothing_heavy(module: str) -> None:
    loaded = imported(module)
    assert HEAVY.isdisjoint(loaded), sorted(HEAVY.intersection(loaded))


def test_a_plan_begins_without_boto3() -> None:
    assert "boto3" not in imported("sandbox.plan.command")
