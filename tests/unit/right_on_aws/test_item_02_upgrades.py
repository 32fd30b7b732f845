"""Item 2: nodes and add-ons follow the cluster's Kubernetes version, in order; each can be pinned or left to EKS."""

from typing import Any

import pytest

from eks_load_balancing import Cluster, ClusterArgs
from fixtures.declared import Declared, declare
from tests.unit.cluster.test_cluster import ARGS, NODES
from tests.unit.refusals import declares_nothing

ADDON, AMI = "aws:eks/getAddonVersion:getAddonVersion", "aws:ssm/getParameter:getParameter"


def cluster(nodes: dict[str, Any] | None = None, **changes: Any) -> Declared:
    args: ClusterArgs = {**ARGS, **changes, "nodes": {**NODES, **(nodes or {})}}  # pyright: ignore[reportAssignmentType]

    def program() -> None:
        Cluster("c", args)

    return declare(program)


def asked(declared: Declared, token: str) -> list[dict[str, Any]]:
    return [args for called, args in declared.calls if called == token]


@pytest.mark.parametrize("version", ["1.35", "1.36"])
def test_item_2_nodes_and_add_ons_have_the_clusters_version(version: str) -> None:
    declared = cluster(version=version)

    assert declared.one("eks:index:Cluster").inputs["version"] == version
    assert declared.one(":NodeGroup").inputs["version"] == version
    assert {args["kubernetesVersion"] for args in asked(declared, ADDON)} == {version}
    assert {addon.inputs["addonVersion"] for addon in declared.of(":Addon")} == {"v1-default"}


def test_item_2_the_order_is_control_plane_network_nodes_dns() -> None:
    declared = cluster(pod_identity_agent=True)
    before = {one: declared.one(":Addon", f"c-{one}").waits_for for one in ("vpc-cni", "kube-proxy", "coredns")}
    nodes = declared.one(":NodeGroup").waits_for

    assert all("c-eks" in waits for waits in (*before.values(), nodes))
    assert {"c-vpc-cni", "c-kube-proxy", "c-eks-pod-identity-agent"} <= nodes
    assert "c-nodes" in before["coredns"]


def test_item_2_the_nodes_ami_is_the_latest_one_when_that_is_asked_for() -> None:
    declared = cluster(
        {"release_version": "latest", "ami_type": "AL2023_ARM_64_STANDARD", "instance_types": ["m7g.large"]}
    )

    assert declared.one(":NodeGroup").inputs["releaseVersion"] == "1.36.3-20261101"
    assert [args["name"] for args in asked(declared, AMI)] == [
        "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/arm64/standard/recommended/release_version"
    ]


def test_item_2_every_version_can_be_pinned() -> None:
    declared = cluster(
        {"version": "1.35", "release_version": "1.35.2-20260901"},
        addon_versions={"coredns": "v1.13.1-eksbuild.1", "vpc-cni": "latest"},
    )
    group = declared.one(":NodeGroup").inputs

    assert (group["version"], group["releaseVersion"]) == ("1.35", "1.35.2-20260901")
    assert declared.one(":Addon", "c-coredns").inputs["addonVersion"] == "v1.13.1-eksbuild.1"
    assert {args["addonName"]: args.get("mostRecent") for args in asked(declared, ADDON)} == {
        "vpc-cni": True,
        "kube-proxy": False,
    }


def test_item_2_every_version_can_be_left_to_eks() -> None:
    declared = cluster({"version": "eks"}, addon_versions={"coredns": "eks"})

    assert not {"version", "releaseVersion"} & declared.one(":NodeGroup").inputs.keys()
    assert "addonVersion" not in declared.one(":Addon", "c-coredns").inputs


def test_item_2_without_a_release_eks_chooses_the_ami() -> None:
    declared = cluster()

    assert "releaseVersion" not in declared.one(":NodeGroup").inputs
    assert asked(declared, AMI) == []


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ({"version": "1.37"}, "nodes of Kubernetes 1.37 cannot join a cluster of 1.36"),
        ({"version": "1.32"}, "nodes of Kubernetes 1.32 cannot join a cluster of 1.36"),
        ({"version": "36"}, "'36' is not an EKS version"),
        ({"release_version": "1.35.2-20260901"}, "AMI release 1.35.2-20260901 is not for Kubernetes 1.36"),
        ({"version": "eks", "release_version": "latest"}, "the nodes need a version"),
    ],
)
def test_item_2_nodes_that_cannot_join_are_refused(nodes: dict[str, Any], says: str) -> None:
    declares_nothing(lambda: Cluster("c", {**ARGS, "nodes": {**NODES, **nodes}}), says)  # pyright: ignore[reportArgumentType]
