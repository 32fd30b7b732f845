"""Issue 16: EKS changes versions of nodes and add-ons only on request, and is as strict as AWS."""

from collections.abc import Generator
from typing import Any

import pytest

from sandbox.run.processes import wait_until
from tests.sandbox.aws.harness import Aws, Stage, make_stage, refusal
from tests.sandbox.aws.test_eks import remove


@pytest.fixture(scope="module")
def old(aws: Aws) -> Generator[Stage]:
    """A stage with a cluster of 1.34, a node group and add-ons; the tests upgrade it, one after the other."""
    stage = make_stage(aws, "old")
    stage.create_cluster(version="1.34")
    stage.create_nodegroup(1)
    for addon in ("kube-proxy", "coredns"):
        aws.client("eks").create_addon(clusterName=stage.name, addonName=addon)
    yield stage
    remove(stage)


def version(stage: Stage) -> str:
    return stage.aws.client("eks").describe_cluster(name=stage.name)["cluster"]["version"]


def nodes(stage: Stage) -> tuple[str, str]:
    group = stage.aws.client("eks").describe_nodegroup(clusterName=stage.name, nodegroupName="main")["nodegroup"]
    return group["version"], group["releaseVersion"]


def addon(stage: Stage, name: str) -> str:
    return stage.aws.client("eks").describe_addon(clusterName=stage.name, addonName=name)["addon"]["addonVersion"]


def move(stage: Stage, to: str) -> None:
    stage.aws.client("eks").update_cluster_version(name=stage.name, version=to)
    assert version(stage) == to


def test_the_control_plane_moves_alone_and_by_one_minor_version(old: Stage) -> None:
    eks = old.aws.client("eks")
    before = nodes(old), addon(old, "kube-proxy")
    assert before == (("1.34", "1.34.3-20260901"), "v1.34.0-eksbuild.1")
    _, message = refusal(eks.update_cluster_version, name=old.name, version="1.36")
    assert message == "Unsupported Kubernetes minor version update from 1.34 to 1.36"
    move(old, "1.35")
    assert (nodes(old), addon(old, "kube-proxy")) == before
    _, message = refusal(eks.update_cluster_version, name=old.name, version="1.34")
    assert "from 1.35 to 1.34" in message
    _, message = refusal(eks.update_cluster_version, name=old.name, version="1.35")
    assert message == "Cluster is already at the desired configuration with version 1.35"


def test_the_control_plane_moves_to_no_version_that_eks_does_not_offer(old: Stage) -> None:
    move(old, "1.36")
    eks = old.aws.client("eks")
    code, message = refusal(eks.update_cluster_version, name=old.name, version="1.37")
    assert (code, message) == ("InvalidParameterException", "unsupported Kubernetes version 1.37")
    assert nodes(old)[0] == "1.34"


def test_nodes_upgrade_on_request_and_never_go_back_or_ahead(old: Stage) -> None:
    eks = old.aws.client("eks")
    group: dict[str, Any] = {"clusterName": old.name, "nodegroupName": "main"}
    eks.update_nodegroup_version(**group, version="1.35")
    old.wait_nodegroup()
    assert nodes(old) == ("1.35", "1.35.3-20260901")
    assert "is older than its current version" in refusal(eks.update_nodegroup_version, **group, version="1.34")[1]
    assert "unsupported" in refusal(eks.update_nodegroup_version, **group, version="1.37")[1]
    eks.update_nodegroup_version(**group)
    old.wait_nodegroup()
    assert nodes(old) == ("1.36", "1.36.3-20260901")


def test_add_ons_have_versions_for_each_kubernetes_version_and_a_default(old: Stage) -> None:
    eks = old.aws.client("eks")
    asked = {"addonName": "kube-proxy", "kubernetesVersion": "1.36"}
    offered = eks.describe_addon_versions(**asked)["addons"][0]["addonVersions"]
    defaults = {one["addonVersion"]: one["compatibilities"][0]["defaultVersion"] for one in offered}
    assert defaults == {"v1.36.2-eksbuild.1": False, "v1.36.0-eksbuild.1": True}
    wrong = {"clusterName": old.name, "addonName": "kube-proxy", "addonVersion": "v1.33.0-eksbuild.1"}
    assert "is not supported on Kubernetes 1.36" in refusal(eks.update_addon, **wrong)[1]
    eks.update_addon(clusterName=old.name, addonName="kube-proxy", addonVersion="v1.36.2-eksbuild.1")
    assert addon(old, "kube-proxy") == "v1.36.2-eksbuild.1"


def test_nodes_two_minor_versions_behind_keep_the_control_plane_where_it_is(aws: Aws) -> None:
    stage = make_stage(aws, "lagging")
    stage.create_cluster(version="1.33")
    stage.create_nodegroup(0)
    move(stage, "1.34")
    move(stage, "1.35")
    code, message = refusal(aws.client("eks").update_cluster_version, name=stage.name, version="1.36")
    assert code == "InvalidRequestException"
    assert message.startswith("Nodegroups main (1.33) must be updated to match cluster version 1.35")
    remove(stage)


def test_eks_makes_the_log_group_and_writes_to_it_again_after_it_was_deleted(aws: Aws) -> None:
    stage, logs = make_stage(aws, "logs"), aws.client("logs")
    group = f"/aws/eks/{stage.name}/cluster"

    def found() -> list[dict[str, Any]]:
        return logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    stage.create_cluster(logging={"clusterLogging": [{"types": ["audit"], "enabled": True}]})
    assert wait_until(lambda: len(found()) == 1, 10)
    assert "retentionInDays" not in found()[0]
    logs.put_retention_policy(logGroupName=group, retentionInDays=90)
    remove(stage)
    logs.delete_log_group(logGroupName=group)
    assert [one.get("retentionInDays") for one in found()] == [None]
    logs.delete_log_group(logGroupName=group)
    assert found() == []
