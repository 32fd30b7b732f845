"""Every environment's preview, with the real engine and the environment's policy profile."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, Sandbox
from tests.policies.conftest import PACK
from tests.policies.test_own_stacks import PROFILES

pytestmark = pytest.mark.sandbox

_CALLER = "arn:aws:iam::123456789012:root"


def program(environment: str, folder: Path) -> Path:
    """The program with an environment's settings, and the caller here as administrator: it refuses others."""
    for name in ("Pulumi.yaml", "__main__.py", "settings.py"):
        shutil.copy(REPOSITORY / name, folder)
    settings = (REPOSITORY / f"Pulumi.{environment}.yaml").read_text()
    (folder / f"Pulumi.{environment}.yaml").write_text(re.sub(r"adminArns: .*", f"adminArns: [{_CALLER}]", settings))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.mark.parametrize(("environment", "profile"), [(e, p) for e, p in PROFILES.items() if e != "sandbox"])
def test_an_environment_previews_under_its_profile(
    sandbox: Sandbox, tmp_path: Path, environment: str, profile: str
) -> None:
    folder = program(environment, tmp_path)
    sandbox.run("pulumi", "stack", "init", environment, cwd=folder)
    # The caller here is in no profile.
    settings = json.loads((PACK / "profiles" / f"{profile}.json").read_text())
    settings.get("cluster-admins-are-named-by-the-profile", {})["adminPrincipals"] = [_CALLER]
    (tmp_path / "profile.json").write_text(json.dumps(settings))
    pack = ("--policy-pack", str(PACK), "--policy-pack-config", str(tmp_path / "profile.json"))
    try:
        said = sandbox.run("pulumi", "preview", "--non-interactive", "--stack", environment, *pack, cwd=folder)
    finally:
        sandbox.run("pulumi", "stack", "rm", "--yes", "--preserve-config", environment, cwd=folder)

    assert "eks-load-balancing:index:ApplicationLoadBalancedIngress web-alb create" in " ".join(said.split())
    # In every profile one advisory counts the resources that wait for the update.
    advice = set(re.findall(r"\[advisory\].*?  ([\w-]+)  ", said)) - {"resources-are-judged-before-the-update"}
    assert bool(advice) == (profile == "dev")
