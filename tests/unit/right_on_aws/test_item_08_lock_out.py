"""Item 8: you must be among the administrators, and get an error before anything is created."""

from typing import Any

import pulumi
import pytest

from eks_load_balancing import Cluster, ClusterArgs, InvalidInputError
from eks_load_balancing.cluster.administrators import same_principal
from fixtures.declared import ACCOUNT, CALLER, DEPLOYER, declare
from fixtures.program import program
from tests.unit.cluster.test_cluster import ARGS

OTHER = f"arn:aws:iam::{ACCOUNT}:role/other"


def refused(**changes: Any) -> str:
    args: ClusterArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]
    said: list[str] = []

    def run() -> None:
        with pytest.raises(InvalidInputError) as error:
            Cluster("c", args)
        said.append(str(error.value))

    assert [made.type for made in declare(run).resources] == ["eks-load-balancing:index:Cluster"]
    return said[0]


def test_item_8_administrators_without_whoever_runs_the_program_are_refused_with_the_arn_to_add() -> None:
    line = refused(admin_arns=[OTHER])

    assert line.startswith(f"Cluster 'c': {DEPLOYER}")
    assert f"not among its administrators ({OTHER}): add it" in line


def test_item_8_the_role_that_the_kubeconfig_assumes_is_the_one_that_must_be_among_them() -> None:
    assert refused(admin_arns=[DEPLOYER], kubeconfig_role_arn=OTHER).startswith(f"Cluster 'c': {OTHER}")
    declared = declare(lambda: Cluster("c", {**ARGS, "admin_arns": [OTHER], "kubeconfig_role_arn": OTHER}) and None)
    assert declared.of(":AccessEntry")


def test_item_8_the_shipped_stack_for_prod_makes_nothing_for_somebody_else() -> None:
    with pytest.raises(pulumi.RunError, match="arn:aws:iam::123456789012:role/ops/deployer deploys to the cluster"):
        program("prod", caller=CALLER)


@pytest.mark.parametrize(
    ("credentials", "principal", "same"),
    [
        (CALLER, DEPLOYER, True),
        (CALLER, f"arn:aws:iam::{ACCOUNT}:role/deployer", True),
        (CALLER, "arn:aws:iam::999999999999:role/ops/deployer", False),
        (CALLER, f"arn:aws:iam::{ACCOUNT}:role/ops/deployer2", False),
        (CALLER, f"arn:aws:iam::{ACCOUNT}:user/deployer", False),
        (f"arn:aws:iam::{ACCOUNT}:user/ops/jo", f"arn:aws:iam::{ACCOUNT}:user/ops/jo", True),
        (f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:root", True),
        (CALLER, "somebody", False),
    ],
)
def test_item_8_a_roles_session_is_known_by_account_and_name(credentials: str, principal: str, same: bool) -> None:  # noqa: FBT001
    assert same_principal(credentials, principal) is same
