"""Item 4: with `protect`, what holds data or an identity is protected, and not what is meant to change."""

from collections.abc import Callable

import pulumi
import pytest

from eks_load_balancing import Cluster, Network
from fixtures.declared import Declared, declare
from fixtures.program import program
from tests.unit.cluster.test_cluster import ARGS

KEPT = pulumi.ResourceOptions(protect=True)
NETWORK = {":Vpc", ":InternetGateway", ":Subnet", ":Eip"}
CLUSTER = {":Cluster", ":Key", ":LogGroup", ":OpenIdConnectProvider", ":Role"}


def network() -> None:
    Network("n", {"cidr": "10.0.0.0/16", "zones": ["us-west-2a", "us-west-2b"]}, KEPT)


def cluster() -> None:
    Cluster("c", {**ARGS, "pod_identity_agent": True}, KEPT)


def protected(declared: Declared, *, whether: bool) -> set[str]:
    """The types of what is protected, or of what is not; without the components."""
    return {
        f":{made.type.rpartition(':')[2]}"
        for made in declared.resources
        if not made.type.startswith("eks-load-balancing:") and bool(made.options.protect) is whether
    }


@pytest.mark.parametrize(("declares", "kept"), [(network, NETWORK), (cluster, CLUSTER)])
def test_item_4_what_holds_data_or_an_identity_is_protected(declares: Callable[[], None], kept: set[str]) -> None:
    declared = declare(declares)

    assert protected(declared, whether=True) == kept
    assert not protected(declared, whether=False) & kept


def test_item_4_an_administrator_can_be_revoked_and_nodes_replaced_without_unprotecting_anything() -> None:
    changeable = protected(declare(cluster), whether=False)

    assert {":AccessEntry", ":AccessPolicyAssociation", ":NodeGroup", ":LaunchTemplate", ":Addon"} <= changeable


def test_item_4_without_protect_nothing_is_protected() -> None:
    assert protected(program("dev"), whether=True) == set()


def test_item_4_the_stack_for_prod_protects_its_network_and_cluster() -> None:
    assert protected(program("prod"), whether=True) >= NETWORK | CLUSTER
