"""Working as a role instead of root: `sandbox exec --as ROLE`."""

import uuid

import pytest

from sandbox.lifecycle import roles
from sandbox.run.state import StateError
from tests.sandbox.aws.harness import ACCOUNT
from tests.sandbox.iam.conftest import Enforced, document


def make_role(enforced: Enforced, principal: dict[str, str]) -> str:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    made = enforced.client("iam").create_role(
        RoleName=f"t{uuid.uuid4().hex[:8]}",
        Path="/ops/",
        MaxSessionDuration=7200,
        AssumeRolePolicyDocument=document(trust),
    )
    return made["Role"]["Arn"]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_shell_works_as_a_role_that_trusts_the_account(enforced: Enforced, *, by_name: bool) -> None:
    arn = make_role(enforced, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    name = arn.rpartition("/")[2]
    given = roles.session(enforced.state, name if by_name else arn)
    keys = {variable.lower(): value for variable, value in given.items()}
    who = enforced.client("sts", keys).get_caller_identity()["Arn"]
    assert who == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/sandbox"


def test_a_missing_role_and_one_that_trusts_nobody_are_named(enforced: Enforced) -> None:
    closed = make_role(enforced, {"Service": "eks.amazonaws.com"}).rpartition("/")[2]
    for name, why in ((closed, "AccessDenied"), ("nobody", "NoSuchEntity")):
        with pytest.raises(StateError, match=f"no session of role {name}: .*{why}"):
            roles.session(enforced.state, name)
