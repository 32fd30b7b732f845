"""`sandbox iam` on the command line."""

import json
import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from sandbox.cli import main
from tests.sandbox.aws.harness import ACCOUNT
from tests.sandbox.iam.conftest import Enforced


def run(enforced: Enforced, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["iam", *arguments, "--state-dir", str(enforced.root)])


@pytest.fixture
def role(enforced: Enforced) -> str:
    """A role that listed the VPCs, and was refused the subnets."""
    name = f"t{uuid.uuid4().hex[:8]}"
    see = {"Sid": "See", "Effect": "Allow", "Action": ["ec2:DescribeVpcs", "ec2:DescribeTags"], "Resource": "*"}
    ec2 = enforced.client("ec2", enforced.role(name, see))
    ec2.describe_vpcs()
    with pytest.raises(ClientError):
        ec2.describe_subnets()
    return name


def test_the_log_has_what_a_role_was_allowed_and_refused(enforced: Enforced, role: str) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    told = json.loads(run(enforced, "log", "--as", arn, "--json").output)
    actions = [(each["action"], each["verdict"]) for each in told]
    assert actions == [("ec2:DescribeVpcs", "allowed"), ("ec2:DescribeSubnets", "denied")]
    lines = run(enforced, "log", "--as", role).output.splitlines()[1:]
    assert ["See of all" in line for line in lines] == [True, False]
    last = run(enforced, "log", "--as", role, "-n", "1").output.splitlines()[1:]
    assert last == lines[-1:]


def test_a_refusal_says_why(enforced: Enforced, role: str) -> None:
    (line,) = run(enforced, "denied", "--as", role).output.splitlines()[1:]
    assert f"assumed-role/{role}/test" in line
    assert "because no identity-based policy allows the ec2:DescribeSubnets action" in line


def test_who_never_asked_has_no_log(enforced: Enforced) -> None:
    assert run(enforced, "log", "--as", "nobody").output == "IAM has decided nothing yet\n"


def test_without_refusals_there_is_a_message(enforced: Enforced) -> None:
    assert run(enforced, "denied", "--as", "nobody").output == "IAM refused nothing\n"


def test_what_is_granted_and_not_used_is_listed(enforced: Enforced, role: str) -> None:
    (line,) = run(enforced, "unused", "--as", role).output.splitlines()[1:]
    assert line.split() == ["ec2:describetags", "See", "all"]
    assert json.loads(run(enforced, "unused", "--as", role, "--json").output)[0]["action"] == "ec2:describetags"


def test_an_explanation_names_the_statement_and_the_keys(enforced: Enforced, role: str) -> None:
    lines = run(enforced, "explain", "ec2:DescribeVpcs", "--as", role).output.splitlines()
    assert lines[:2] == ["allowed: ec2:DescribeVpcs on * by the identity-based policy", "  by See of all"]
    assert "  ec2:region = us-west-2" in lines
    group = f"arn:aws:ec2:us-west-2:{ACCOUNT}:security-group/*"
    given = ["explain", "ec2:CreateTags", "aws:RequestTag/team=red", "--as", role, "--resource", group, "--json"]
    told = json.loads(run(enforced, *given).output)
    assert (told["verdict"], told["keys"]["aws:requesttag/team"]) == ("denied", ["red"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unused", "--as", "nobody"], "nobody is not a role or user of this account"),
        (["explain", "ec2:Fly", "--as", "{role}"], "no rule for ec2:Fly"),
        (["explain", "ec2:DescribeVpcs", "team=red", "--as", "{role}"], "'team=red' is not a condition key"),
    ],
)
def test_a_bad_question_is_one_line(enforced: Enforced, role: str, arguments: list[str], message: str) -> None:
    result = run(enforced, *(each.format(role=role) for each in arguments))
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_sandbox_that_is_down_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["iam", "log", "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "start one with `sandbox up`" in result.stderr
