"""Item 7: the number of nodes is the autoscaler's once there are nodes."""

from typing import Any

from eks_load_balancing import Cluster
from fixtures.declared import declare
from tests.unit.cluster.test_cluster import ARGS, NODES


def ignored(**nodes: Any) -> list[str]:
    """What an update of the node group leaves as it is."""
    group = declare(lambda: Cluster("c", {**ARGS, "nodes": {**NODES, **nodes}}) and None).one(":NodeGroup")  # pyright: ignore[reportArgumentType]

    assert group.inputs["scalingConfig"]["desiredSize"] == 2
    return list(group.options.ignoreChanges)


def test_item_7_an_up_after_a_refresh_leaves_the_autoscalers_number() -> None:
    assert ignored() == ["scalingConfig.desiredSize"]


def test_item_7_the_number_can_be_the_programs_again() -> None:
    assert ignored(manage_desired_size=True) == []
