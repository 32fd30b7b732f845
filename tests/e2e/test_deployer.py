"""The stack deployed by a role instead of root: IAM checks every call, and has a rule for each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import Sandbox, brought_up

pytestmark = pytest.mark.sandbox
ROLE = "deployer"
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_ACCOUNT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}


@dataclass(frozen=True)
class Deployer:
    """A sandbox, and functions that work as its deployer."""

    sandbox: Sandbox

    def run(self, *command: str) -> str:
        return self.sandbox.run("sandbox", "exec", "--as", ROLE, "--", *command, timeout=900)

    def pulumi(self, *command: str) -> str:
        # kubectl manages the replicas that it has set; Pulumi takes them back.
        forced = ("env", "PULUMI_K8S_ENABLE_PATCH_FORCE=true")
        return self.run(
            *forced, "pulumi", *command, "--stack", "sandbox", "--yes", "--skip-preview", "--non-interactive"
        )


@pytest.fixture(scope="module")
def deployer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployer]:
    with brought_up(tmp_path_factory.mktemp("deployer") / "state") as sandbox:
        iam = sandbox.aws("iam")
        trust, may = (json.dumps({"Version": "2012-10-17", "Statement": [s]}) for s in (_ACCOUNT, _EVERYTHING))
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust, MaxSessionDuration=7200)
        iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=may)
        sandbox.run("pulumi", "stack", "init", "sandbox")
        yield Deployer(sandbox)


def test_a_role_brings_the_stack_up_changes_it_and_takes_it_down_and_nothing_is_denied(deployer: Deployer) -> None:
    deployer.pulumi("up")
    deployer.run("kubectl", "-n", "samples", "scale", "deployment/web-alb", "--replicas=4")
    deployer.pulumi("up", "--refresh")
    deployer.pulumi("destroy", "--run-program")
    denied = json.loads(deployer.sandbox.run("sandbox", "iam", "denied", "--json"))
    decided = json.loads(deployer.sandbox.run("sandbox", "iam", "log", "--as", ROLE, "--json"))
    assert denied == []
    assert {"eks:CreateCluster", "iam:PassRole", "ec2:DeleteVpc"} <= {each["action"] for each in decided}
