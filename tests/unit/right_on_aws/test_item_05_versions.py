"""Item 5: versions age; nothing that EKS accepts is refused for good, and newer controllers can be named."""

from datetime import date
from typing import Any

import pytest

from eks_load_balancing import Cluster, ClusterArgs, InvalidInputError
from eks_load_balancing.versions import (
    CONTROLLER_VERSIONS,
    KUBERNETES_VERSIONS,
    controller_version,
    kubernetes_version,
    support_warnings,
)
from fixtures.declared import Declared, declare
from settings import load
from tests.unit.cluster.test_cluster import ARGS
from tests.unit.controller.test_load_balancer_controller import controller, values
from tests.unit.test_settings import configured


def cluster(**changes: Any) -> Declared:
    args: ClusterArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        Cluster("c", args)

    return declare(program)


def test_item_5_the_ends_of_support_are_those_that_eks_announced() -> None:
    assert str(KUBERNETES_VERSIONS["1.33"].standard) == "2026-07-29"
    assert str(KUBERNETES_VERSIONS["1.34"].standard) == "2026-12-02"
    assert all((one.extended.year - one.standard.year) == 1 for one in KUBERNETES_VERSIONS.values())


@pytest.mark.parametrize(
    ("version", "policy", "day", "says"),
    [
        ("1.34", "standard", date(2026, 8, 1), []),
        ("1.34", "standard", date(2026, 11, 28), ["1.34 leaves standard support on 2026-12-02"]),
        ("1.34", "extended", date(2026, 11, 28), []),
        ("1.33", "standard", date(2026, 11, 28), ["1.33 left standard support on 2026-07-29: EKS upgrades"]),
        ("1.33", "extended", date(2026, 11, 28), ["1.33 left standard support on 2026-07-29: the cluster costs six"]),
        (
            "1.33",
            "extended",
            date(2027, 7, 1),
            [
                "1.33 left standard support on 2026-07-29: the cluster costs",
                "1.33 leaves extended support on 2027-07-29",
            ],
        ),
        ("1.36", "standard", date(2026, 11, 28), []),
        ("1.99", "standard", date(2026, 11, 28), ["1.99 is not in this package's table"]),
    ],
)
def test_item_5_the_program_warns_before_support_ends_and_after(
    version: str, policy: str, day: date, says: list[str]
) -> None:
    lines = list(support_warnings(version, policy, day))

    assert len(lines) == len(says)
    assert all(said in line for said, line in zip(says, lines, strict=True))


def test_item_5_a_version_is_taken_until_its_extended_support_ends() -> None:
    assert kubernetes_version("1.33", today=date(2027, 7, 28)) == "1.33"
    with pytest.raises(InvalidInputError, match=r"'1.33' left extended support on 2027-07-29: give one of 1.34"):
        kubernetes_version("1.33", today=date(2027, 7, 29))


def test_item_5_a_version_that_is_not_in_the_table_is_taken_by_whoever_insists() -> None:
    with pytest.raises(InvalidInputError, match=r"'1.37' is not in this package's table: .*allow_unlisted_version"):
        kubernetes_version("1.37")
    assert cluster(version="1.37", allow_unlisted_version=True).one("eks:index:Cluster").inputs["version"] == "1.37"
    insisting = {"version": "1.37", "allowUnlistedVersion": True}
    assert load(configured(cluster=insisting)).cluster.arguments["version"] == "1.37"


def test_item_5_the_upgrade_policy_is_a_setting() -> None:
    policies = [cluster(**changes).one("eks:index:Cluster").inputs["upgradePolicy"] for changes in ({}, EXTENDED)]

    assert policies == [{"supportType": "STANDARD"}, {"supportType": "EXTENDED"}]
    assert load(configured(cluster={"upgradePolicy": "extended"})).cluster.upgrade_policy == "extended"


EXTENDED = {"upgrade_policy": "extended"}


def test_item_5_every_controller_from_2_8_0_to_3_5_0_is_known() -> None:
    assert len(CONTROLLER_VERSIONS) == 33
    assert len({tuple(sorted(granted)) for granted in map(_granted, CONTROLLER_VERSIONS)}) == 6 + BY_WAF


BY_WAF = 1
"""2.14.0 asks for web ACLs by name, which no release's policy grants: six changes of upstream's policy, and this."""


def _granted(version: str) -> set[str]:
    policy = controller(version=version).one(":Policy", "lbc-policy").inputs["policy"]
    return {word for word in policy.split('"') if ":" in word and "/" not in word and not word.startswith("arn")}


def test_item_5_a_controller_that_is_newer_than_the_table_is_like_the_one_that_is_named() -> None:
    newer = controller(version="3.6.0", version_like="3.5.0")

    assert newer.one(":Chart").inputs["version"] == "3.6.0"
    assert values(newer)["image"]["tag"] == "v3.6.0"
    assert newer.one(":Policy").inputs["policy"] == controller().one(":Policy").inputs["policy"]


@pytest.mark.parametrize(
    ("version", "like", "says"),
    [
        ("3.6.0", None, "'3.6.0' is not in this package's table .*version_like"),
        ("3.6.0", "3.9.9", "cannot be like '3.9.9'"),
        ("newest", "3.5.0", "'newest' is not a release"),
    ],
)
def test_item_5_a_controller_of_which_nothing_is_known_is_refused(version: str, like: str | None, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        controller_version(version, like=like)
