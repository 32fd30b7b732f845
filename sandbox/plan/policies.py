"""The policy pack's word on a plan (`--policies`). The pack is another program: it is run, and not imported."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from sandbox.plan.errors import PlanError
from sandbox.plan.result.resources import resources

PACK: Final = Path(__file__).parents[2] / "policies"
_SECONDS: Final = 60


def judged(profile: str, state: dict[str, Any]) -> list[dict[str, Any]]:
    """What the rules of a profile say: `{"rule", "level", "resource", "objects", "message"}`.

    Raises:
        PlanError: the pack or the profile cannot be used.
    """
    script = PACK / "judge.py"
    if not script.exists():
        raise PlanError(f"--policies {profile}: the pack is not at {PACK}: run this from a checkout of the repository")
    found = list(resources(state))
    behind = {resource["name"]: objects for resource, objects in found}
    command = [sys.executable, str(script), str(Path(profile).absolute())]
    done = subprocess.run(
        command,
        input=json.dumps([resource for resource, _ in found]),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        raise PlanError(f"--policies {profile}: {(done.stderr.strip().splitlines() or ['the pack failed'])[-1]}")
    said: list[dict[str, Any]] = json.loads(done.stdout)
    return [{**one, "objects": behind.get(one["resource"], [])} for one in said]
