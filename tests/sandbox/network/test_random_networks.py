"""After any changes, with commands that fail, the kernel holds what it holds after a fresh start."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.network import requirements

SCRIPT = Path(__file__).with_name("random_network.py")
ROOT = Path(__file__).parents[3]
STEPS, SEEDS = (200, 10) if os.environ.get("SOAK") else (40, 1)


def network(folder: Path, seed: int, how: str) -> dict[str, Any]:
    report = folder / how
    argv = requirements.isolated(sys.executable, str(SCRIPT), str(report), str(seed), str(STEPS), how)
    environment = {**os.environ, "PATH": requirements.search_path(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(report.read_text())


@pytest.mark.soak
@pytest.mark.skipif(requirements.missing(Path("/somewhere")) is not None, reason="no network namespaces here")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_network_converges_to_that_of_a_fresh_start(tmp_path: Path, seed: int) -> None:
    changed, fresh = network(tmp_path, seed, "changed"), network(tmp_path, seed, "fresh")
    assert changed.keys() == fresh.keys()
    for namespace, lines in fresh.items():
        assert changed[namespace] == lines, namespace
