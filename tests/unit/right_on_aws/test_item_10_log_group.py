"""Item 10: a log group that EKS wrote again after its cluster was deleted does not stop the next cluster."""

from eks_load_balancing import Cluster
from fixtures.declared import Resource, declare
from tests.unit.cluster.test_cluster import ARGS

GROUPS, CLUSTERS = "aws:cloudwatch/getLogGroups:getLogGroups", "aws:eks/getClusters:getClusters"


def log_group(groups: list[str], clusters: list[str]) -> Resource:
    there = {GROUPS: {"logGroupNames": groups}, CLUSTERS: {"names": clusters}}
    return declare(lambda: Cluster("c", ARGS) and None, there).one(":LogGroup")


def test_item_10_a_group_that_is_left_over_is_taken_over_as_it_is() -> None:
    """An import whose inputs differ from the existing resource fails, so the next `up` sets them."""
    taken = log_group(["/aws/eks/dev/cluster"], ["other"])

    assert taken.options.importId == "/aws/eks/dev/cluster"
    assert {"retentionInDays", "tags"} <= set(taken.options.ignoreChanges)


def test_item_10_with_the_cluster_there_the_group_is_the_stacks_and_is_kept_as_the_program_says() -> None:
    kept = log_group(["/aws/eks/dev/cluster"], ["dev"])

    assert (kept.options.importId, list(kept.options.ignoreChanges)) == ("", [])


def test_item_10_without_a_group_it_is_made() -> None:
    assert log_group([], []).options.importId == ""
    assert log_group(["/aws/eks/dev/cluster-autoscaler"], []).options.importId == ""
