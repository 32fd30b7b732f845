import json
from typing import Any

import pulumi
import pytest

from eks_load_balancing import Cluster, ClusterArgs, NodesArgs
from fixtures.declared import ACCOUNT, DEPLOYER, ISSUER_URL, Declared, Resource, declare
from tests.unit.refusals import declares_nothing

NODES: NodesArgs = {"instance_types": ["m7i.large"], "min_size": 2, "desired_size": 2, "max_size": 4}
ARGS: ClusterArgs = {
    "cluster_name": "dev",
    "region": "us-west-2",
    "version": "1.36",
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "nodes": NODES,
}


def cluster(**changes: Any) -> Declared:
    args: ClusterArgs = {**ARGS, **changes}  # pyright: ignore[reportAssignmentType]

    def program() -> dict[str, object]:
        made = Cluster("c", args)
        return {"arn": made.arn, "name": made.cluster_name, "secret": pulumi.Output.is_secret(made.kubeconfig)}

    return declare(program)


@pytest.fixture(scope="module")
def declared() -> Declared:
    return cluster()


def control_plane(declared: Declared) -> dict[str, Any]:
    return declared.one("eks:index:Cluster").inputs


def test_the_endpoint_is_private_unless_ranges_are_given(declared: Declared) -> None:
    inputs = control_plane(declared)

    assert (inputs["endpointPrivateAccess"], inputs["endpointPublicAccess"]) == (True, False)
    assert "publicAccessCidrs" not in inputs


def test_given_ranges_and_no_others_reach_the_endpoint_from_outside() -> None:
    inputs = control_plane(cluster(public_access_cidrs=["203.0.113.7/32"]))

    assert (inputs["endpointPrivateAccess"], inputs["endpointPublicAccess"]) == (True, True)
    assert inputs["publicAccessCidrs"] == ["203.0.113.7/32"]


def test_secrets_are_encrypted_with_a_key_that_rotates(declared: Declared) -> None:
    assert control_plane(declared)["encryptionConfigKeyArn"] == f"arn:aws:kms:us-west-2:{ACCOUNT}:key/c-secrets-key"
    assert declared.one(":Key").inputs["enableKeyRotation"] is True


def test_a_key_that_is_given_is_used_and_none_made() -> None:
    declared = cluster(secrets_key_arn="arn:aws:kms:us-west-2:123456789012:key/a")

    assert control_plane(declared)["encryptionConfigKeyArn"] == "arn:aws:kms:us-west-2:123456789012:key/a"
    assert declared.of(":Key") == []


def test_all_five_kinds_of_logs_are_kept_for_a_time(declared: Declared) -> None:
    assert control_plane(declared)["enabledClusterLogTypes"] == [
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    ]
    group = declared.one(":LogGroup").inputs
    assert (group["name"], group["retentionInDays"]) == ("/aws/eks/dev/cluster", 90)


def test_pulumi_eks_makes_nothing_but_the_control_plane_and_its_role(declared: Declared) -> None:
    inputs = control_plane(declared)

    assert inputs["skipDefaultNodeGroup"] is True
    assert inputs["skipDefaultSecurityGroups"] is True
    assert inputs["createOidcProvider"] is False
    assert inputs["useDefaultVpcCni"] is True
    assert inputs["bootstrapSelfManagedAddons"] is False
    assert inputs["kubeProxyAddonOptions"] == inputs["corednsAddonOptions"] == {"enabled": False}


def test_access_is_by_the_api_and_support_is_standard(declared: Declared) -> None:
    inputs = control_plane(declared)

    assert inputs["authenticationMode"] == "API"
    assert inputs["upgradePolicy"] == {"supportType": "STANDARD"}
    assert (inputs["name"], inputs["version"]) == ("dev", "1.36")


def transformed(resource: Resource, kind: str, props: dict[str, Any]) -> dict[str, Any]:
    """What is left of a child's inputs after the transforms of its component."""
    opts = pulumi.ResourceOptions()
    for transform in resource.transforms:
        result = transform(pulumi.ResourceTransformArgs(custom=True, type_=kind, name="child", props=props, opts=opts))
        assert not hasattr(result, "__await__")
        if isinstance(result, pulumi.ResourceTransformResult):
            props = {**result.props}
    return props


def test_whoever_makes_the_cluster_is_not_its_administrator_for_good(declared: Declared) -> None:
    hard_coded = {"accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}}

    props = transformed(declared.one("eks:index:Cluster"), "aws:eks/cluster:Cluster", hard_coded)

    assert props["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }


def test_the_control_planes_role_gets_the_boundary_of_all_roles() -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    declared = cluster(permissions_boundary_arn=boundary)
    resource = declared.one("eks:index:Cluster")

    assert transformed(resource, "aws:iam/role:Role", {})["permissionsBoundary"] == boundary
    assert transformed(resource, "aws:iam/policy:Policy", {}) == {}
    assert {role.inputs["permissionsBoundary"] for role in declared.of(":Role")} == {boundary}


def test_without_a_boundary_the_control_planes_role_is_left_alone(declared: Declared) -> None:
    assert transformed(declared.one("eks:index:Cluster"), "aws:iam/role:Role", {"path": "/"}) == {"path": "/"}


def test_the_deployers_role_administers_and_not_its_session(declared: Declared) -> None:
    (entry,) = declared.of(":AccessEntry")

    assert entry.inputs["principalArn"] == DEPLOYER
    assert declared.one(":AccessPolicyAssociation").inputs == {
        "clusterName": "dev",
        "principalArn": DEPLOYER,
        "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        "accessScope": {"type": "cluster"},
    }


def test_named_administrators_take_the_deployers_place() -> None:
    admins = [DEPLOYER, "arn:aws:iam::123456789012:user/jo"]
    declared = cluster(admin_arns=admins)

    assert {e.name: e.inputs["principalArn"] for e in declared.of(":AccessEntry")} == {
        "c-admin-123456789012-role-ops-deployer": admins[0],
        "c-admin-123456789012-user-jo": admins[1],
    }
    assert "aws:iam/getSessionContext:getSessionContext" not in [token for token, _ in declared.calls]


def test_nodes_answer_imdsv2_only_and_not_to_pods(declared: Declared) -> None:
    assert declared.one(":LaunchTemplate").inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_nodes_carry_the_clusters_own_security_group_and_no_other(declared: Declared) -> None:
    assert declared.one(":LaunchTemplate").inputs["vpcSecurityGroupIds"] == ["sg-of-the-cluster"]
    assert [t for t in declared.types() if "ecurityGroup" in t] == []


def test_a_nodes_disk_is_encrypted_gp3(declared: Declared) -> None:
    (disk,) = declared.one(":LaunchTemplate").inputs["blockDeviceMappings"]

    assert disk == {
        "deviceName": "/dev/xvda",
        "ebs": {"volumeType": "gp3", "volumeSize": 30, "encrypted": "true", "deleteOnTermination": "true"},
    }


def test_nodes_run_in_private_subnets_from_the_latest_template(declared: Declared) -> None:
    group = declared.one(":NodeGroup").inputs

    assert group["subnetIds"] == ["subnet-a", "subnet-b"]
    assert group["launchTemplate"] == {"id": "c-nodes-template-id", "version": "7"}
    assert group["scalingConfig"] == {"minSize": 2, "desiredSize": 2, "maxSize": 4}
    assert "remoteAccess" not in group


def test_the_node_role_may_neither_change_the_network_nor_load_balancers(declared: Declared) -> None:
    attached = {
        a.inputs["policyArn"].rpartition("/")[2]
        for a in declared.of(":RolePolicyAttachment")
        if a.inputs["role"] == "c-nodes-role"
    }

    assert attached == {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"}


def test_the_cni_has_a_role_that_only_its_pods_assume(declared: Declared) -> None:
    role = declared.one(":Role", "c-cni-role")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]

    assert statement["Condition"]["StringEquals"] == {
        f"{ISSUER_URL.removeprefix('https://')}:aud": "sts.amazonaws.com",
        f"{ISSUER_URL.removeprefix('https://')}:sub": "system:serviceaccount:kube-system:aws-node",
    }
    assert declared.one(":Addon", "c-vpc-cni").inputs["serviceAccountRoleArn"].endswith(":role/c-cni-role")
    assert declared.one(":RolePolicyAttachment", "c-cni-policy").inputs["policyArn"].endswith("/AmazonEKS_CNI_Policy")


def test_the_add_ons_are_those_that_nodes_and_pods_need(declared: Declared) -> None:
    assert sorted(a.inputs["addonName"] for a in declared.of(":Addon")) == ["coredns", "kube-proxy", "vpc-cni"]


def test_pod_identitys_agent_is_there_on_request() -> None:
    assert "eks-pod-identity-agent" in [a.inputs["addonName"] for a in cluster(pod_identity_agent=True).of(":Addon")]


@pytest.mark.parametrize(
    ("region", "partition"), [("us-west-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_every_arn_is_of_the_regions_partition(region: str, partition: str) -> None:
    declared = cluster(region=region)
    policies = [r.inputs["policyArn"] for r in [*declared.of("Attachment"), *declared.of("Association")]]

    assert {arn.split(":")[1] for arn in policies} == {partition}
    assert declared.outputs["arn"] == f"arn:{partition}:eks:{region}:{ACCOUNT}:cluster/dev"


def test_the_kubeconfig_is_a_secret_and_the_name_is_none(declared: Declared) -> None:
    assert declared.outputs["secret"] is True
    assert declared.outputs["name"] == "dev"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cluster_name": "no spaces"}, "is not one that EKS takes"),
        ({"version": "1.20"}, "Kubernetes version '1.20' is not in this package's table"),
        (
            {"nodes": {**NODES, "desired_size": 9}},
            r"9 nodes wanted, which is not between 2 \(the fewest\) and 4 \(the most\)",
        ),
        ({"nodes": {**NODES, "instance_types": []}}, "have no instance type"),
        ({"nodes": {**NODES, "ami_type": "AL2_x86_64"}}, "AMI type 'AL2_x86_64' is not known"),
        ({"nodes": {**NODES, "disk_size": 5}}, r"disk size \(GiB\) 5 .* give 20 or more"),
    ],
)
def test_nothing_is_declared_when_the_arguments_cannot_work(changes: dict[str, Any], says: str) -> None:
    declares_nothing(lambda: Cluster("c", {**ARGS, **changes}), says)  # pyright: ignore[reportArgumentType]
