"""Several node groups, add-ons with a configuration, and properties of AWS's resources that have no argument here."""

import json
from typing import Any

import pytest
from pulumi import Output

from eks_load_balancing import Cluster, InvalidInputError
from eks_load_balancing.cluster.control_plane import CLUSTER
from eks_load_balancing.cluster.node_groups import release_parameter
from eks_load_balancing.cluster.properties import over
from fixtures.declared import declare
from tests.unit.cluster.test_cluster import ARGS, NODES, cluster, transformed

SPOT: dict[str, Any] = {
    **NODES,
    "capacity_type": "SPOT",
    "labels": {"pool": "spot"},
    "taints": [{"key": "spot", "value": "yes", "effect": "NO_SCHEDULE"}],
    "ami_type": "BOTTLEROCKET_ARM_64",
    "instance_types": ["m7g.large"],
    "disk_size": 80,
    "subnet_ids": ["subnet-c"],
    "max_unavailable": 2,
}
ROLE = "arn:aws:iam::123456789012:role/mine"


def test_every_group_has_its_own_nodes_and_all_share_a_role() -> None:
    declared = cluster(node_groups={"spot": SPOT})
    first, second = declared.one(":NodeGroup", "c-nodes").inputs, declared.one(":NodeGroup", "c-nodes-spot").inputs

    assert first["nodeRoleArn"] == second["nodeRoleArn"]
    assert not {"labels", "taints", "capacityType"} & first.keys()
    assert (second["capacityType"], second["labels"], second["amiType"]) == (
        "SPOT",
        {"pool": "spot"},
        "BOTTLEROCKET_ARM_64",
    )
    assert second["taints"] == [{"key": "spot", "value": "yes", "effect": "NO_SCHEDULE"}]
    assert (second["subnetIds"], second["updateConfig"]) == (["subnet-c"], {"maxUnavailable": 2})


def test_a_disk_is_bottlerockets_data_volume_and_both_are_encrypted() -> None:
    template = cluster(node_groups={"spot": SPOT}).one(":LaunchTemplate", "c-nodes-spot-template").inputs
    disks = {disk["deviceName"]: disk["ebs"] for disk in template["blockDeviceMappings"]}

    assert disks["/dev/xvdb"]["volumeSize"] == 80
    assert {disk["encrypted"] for disk in disks.values()} == {"true"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"capacity_type": "CHEAP"}, "node_groups.spot: capacity type 'CHEAP' is not known: give one of ON_DEMAND"),
        ({"labels": {"a b": "c"}}, "node_groups.spot: labels a b=c is not one that Kubernetes takes"),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "effect of the taint a 'NoSchedule' is not known"),
        ({"instance_types": ["m7i.large"]}, "m7i.large has another architecture than the AMI, BOTTLEROCKET_ARM_64"),
        ({"max_unavailable": 0}, "max_unavailable 0 is too small"),
        ({"node_group_properties": {"labels": {}}}, "node_group_properties.labels {} has an argument of its own"),
        ({"launch_template_properties": {"key_name": "x"}}, "launch_template_properties.key_name is not a property's"),
    ],
)
def test_a_group_that_cannot_be_is_refused_with_its_name(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        cluster(node_groups={"spot": {**SPOT, **changes}})


@pytest.mark.parametrize(
    ("ami_type", "parameter"),
    [
        (
            "AL2023_x86_64_STANDARD",
            "eks/optimized-ami/1.36/amazon-linux-2023/x86_64/standard/recommended/release_version",
        ),
        ("AL2023_ARM_64_NVIDIA", "eks/optimized-ami/1.36/amazon-linux-2023/arm64/nvidia/recommended/release_version"),
        ("BOTTLEROCKET_x86_64", "bottlerocket/aws-k8s-1.36/x86_64/latest/image_version"),
        ("BOTTLEROCKET_ARM_64_FIPS", "bottlerocket/aws-k8s-1.36-fips/arm64/latest/image_version"),
    ],
)
def test_the_latest_release_is_looked_up_where_aws_publishes_it(ami_type: str, parameter: str) -> None:
    assert release_parameter(ami_type, "1.36") == f"/aws/service/{parameter}"


def test_addons_are_configured_and_others_come_after_the_nodes() -> None:
    prefixes = {"env": {"ENABLE_PREFIX_DELEGATION": "true"}, "enableNetworkPolicy": "true"}
    declared = cluster(
        addons={
            "vpc-cni": {"configuration": Output.from_input(prefixes), "version": "latest"},
            "aws-ebs-csi-driver": {"pod_identity_role_arns": {"ebs-csi-controller-sa": ROLE}},
        }
    )
    network, disks = declared.one(":Addon", "c-vpc-cni"), declared.one(":Addon", "c-aws-ebs-csi-driver")

    assert json.loads(network.inputs["configurationValues"]) == prefixes
    assert network.inputs["addonVersion"] == "v1-latest"
    assert "configurationValues" not in declared.one(":Addon", "c-coredns").inputs
    assert disks.inputs["podIdentityAssociations"] == [{"serviceAccount": "ebs-csi-controller-sa", "roleArn": ROLE}]
    assert "c-coredns" in disks.waits_for


def test_the_network_addon_can_have_a_role_of_the_programs_own() -> None:
    declared = cluster(addons={"vpc-cni": {"role_arn": ROLE}})

    assert declared.one(":Addon", "c-vpc-cni").inputs["serviceAccountRoleArn"] == ROLE
    assert [role.name for role in declared.of(":Role")] == ["c-nodes-role"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"addons": {"EBS": {}}}, "add-on 'EBS' is not an add-on's name: give one such as aws-ebs-csi-driver"),
        ({"addons": {"coredns": {"version": "1"}}}, "coredns '1' is not an add-on's version"),
        (
            {"addons": {"coredns": {"version": "latest"}}, "addon_versions": {"coredns": "eks"}},
            "coredns has a version in addons and another in addon_versions: give one of them",
        ),
        ({"cluster_properties": {"version": "1.30"}}, "cluster_properties.version '1.30' has an argument of its own"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        cluster(**changes)


def test_properties_go_over_those_of_the_component() -> None:
    assert over({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2], "e": 4}) == {
        "a": {"b": 3, "c": 2},
        "d": [2],
        "e": 4,
    }
    group = cluster(nodes={**NODES, "node_group_properties": {"nodeRepairConfig": {"enabled": True}}})
    template = cluster(nodes={**NODES, "launch_template_properties": {"metadataOptions": {"httpTokens": "optional"}}})

    made = group.one(":NodeGroup")
    assert transformed(made, made.type, {})["nodeRepairConfig"] == {"enabled": True}
    made = template.one(":LaunchTemplate")
    options = transformed(made, made.type, made.inputs)["metadataOptions"]
    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("optional", 1)
    zonal = cluster(cluster_properties={"zonalShiftConfig": {"enabled": True}}).one("eks:index:Cluster")
    assert transformed(zonal, CLUSTER, {})["zonalShiftConfig"] == {"enabled": True}


def test_what_others_ask_of_a_cluster_is_told() -> None:
    def program() -> dict[str, object]:
        made = Cluster("c", {**ARGS, "node_groups": {"spot": SPOT}})  # pyright: ignore[reportArgumentType]
        return {
            "endpoint": made.endpoint,
            "authority": made.certificate_authority,
            "role": made.node_role_name,
        }

    assert declare(program).outputs == {
        "endpoint": "https://api.example",
        "authority": "Q0E=",
        "role": "c-nodes-role",
    }


def test_outputs_do_as_well_as_plain_values() -> None:
    changes: dict[str, Any] = {
        "region": "us-gov-west-1",
        "cluster_name": "dev",
        "public_access_cidrs": ["203.0.113.0/24"],
    }
    plain, later = cluster(**changes), cluster(**{key: Output.from_input(value) for key, value in changes.items()})

    assert {r.name: r.inputs for r in later.resources} == {r.name: r.inputs for r in plain.resources}


def test_an_administrator_that_is_known_later_is_named_by_its_place() -> None:
    entry = cluster(admin_arns=[Output.from_input(ROLE)]).one(":AccessEntry")

    assert (entry.name, entry.inputs["principalArn"]) == ("c-admin-0", ROLE)
