"""What every command, and every start of a cluster, waits for."""

import subprocess
import sys

import pytest

HEAVY = {"aiohttp", "boto3", "moto", "pydantic"}
"""Each takes a tenth of a second, or more."""


@pytest.mark.parametrize("module", ["sandbox.cli", "sandbox.cluster.control_plane.plane"])
def test_it_imports_nothing_heavy(module: str) -> None:
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.split()
    assert HEAVY.isdisjoint(loaded), sorted(HEAVY.intersection(loaded))
