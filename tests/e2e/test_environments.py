"""Every environment's preview, with the real engine and the policy profile that the environment is held to."""

import pytest

from tests.conftest import Sandbox
from tests.policies.conftest import PACK
from tests.policies.test_own_stacks import PROFILES

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize(("environment", "profile"), [(e, p) for e, p in PROFILES.items() if e != "sandbox"])
def test_an_environment_previews_under_its_profile(sandbox: Sandbox, environment: str, profile: str) -> None:
    sandbox.run("pulumi", "stack", "init", environment)
    levels = PACK / "profiles" / f"{profile}.json"
    pack = ("--policy-pack", str(PACK), "--policy-pack-config", str(levels))
    try:
        said = sandbox.run("pulumi", "preview", "--non-interactive", "--stack", environment, *pack)
    finally:  # the stack goes, its file in the checkout does not
        sandbox.run("pulumi", "stack", "rm", "--yes", "--preserve-config", environment)

    assert "eks-load-balancing:index:ApplicationLoadBalancedIngress web-alb create" in " ".join(said.split())
    assert ("[advisory]" in said) == (profile == "dev")
