import json
from typing import Any

import pytest

from eks_load_balancing.controller.global_accelerator_policy import global_accelerator_policy
from eks_load_balancing.controller.policy import LONGEST
from eks_load_balancing.errors import InvalidInputError
from tests.unit.controller.upstream import GLOBAL_ACCELERATOR

CLUSTER = {"aws:ResourceTag/elbv2.k8s.aws/cluster": "dev"}


def statements() -> list[dict[str, Any]]:
    return json.loads(global_accelerator_policy("aws", "dev"))["Statement"]


def test_it_grants_what_the_release_asks_for_and_nothing_more() -> None:
    assert {action for statement in statements() for action in statement["Action"]} == GLOBAL_ACCELERATOR


def test_what_is_made_or_changed_carries_this_clusters_tag() -> None:
    for statement in statements():
        changes = [a for a in statement["Action"] if a.startswith("globalaccelerator:") and ":List" not in a]
        if changes:
            equals = statement["Condition"]["StringEquals"]
            assert "dev" in {equals.get(f"aws:{where}Tag/elbv2.k8s.aws/cluster") for where in ("Request", "Resource")}


def test_no_accelerator_of_another_cluster_is_tagged_over() -> None:
    tagging = [s for s in statements() if "globalaccelerator:TagResource" in s["Action"]]

    assert len(tagging) == 2
    assert all(
        s["Condition"].get("StringEqualsIfExists", s["Condition"]["StringEquals"]).items() >= CLUSTER.items()
        for s in tagging
    )


def test_it_fits_into_a_managed_policy_with_the_longest_of_cluster_names() -> None:
    assert len(global_accelerator_policy("aws", "c" * 100)) < LONGEST


def test_a_partition_without_global_accelerator_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="partition aws-cn has no Global Accelerator"):
        global_accelerator_policy("aws-cn", "dev")
