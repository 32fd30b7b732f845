import json
from collections.abc import Generator
from typing import Any

import pytest

from sandbox.run.processes import Identity, wait_until
from sandbox.run.state import read_json
from tests.sandbox.aws.harness import ACCOUNT, Aws, Stage, make_stage, refusal, service_role


@pytest.fixture(scope="module")
def home(aws: Aws) -> Generator[Stage]:
    """A stage with an active cluster, for tests that do not change it."""
    stage = make_stage(aws, "home")
    stage.create_cluster()
    yield stage
    remove(stage)


def remove(stage: Stage) -> None:
    eks = stage.aws.client("eks")
    for name in eks.list_nodegroups(clusterName=stage.name)["nodegroups"]:
        eks.delete_nodegroup(clusterName=stage.name, nodegroupName=name)
    assert wait_until(lambda: not eks.list_nodegroups(clusterName=stage.name)["nodegroups"], 10)
    eks.delete_cluster(name=stage.name)
    assert wait_until(lambda: stage.name not in eks.list_clusters()["clusters"], 10)


def nodes(stage: Stage) -> list[dict[str, Any]]:
    return read_json(stage.aws.state.cluster(stage.name) / "nodes.json")["nodes"]


def test_a_cluster_becomes_active_when_its_agent_reports_it(stage: Stage) -> None:
    eks = stage.aws.client("eks")
    made = eks.create_cluster(
        name=stage.name, roleArn=stage.cluster_role, resourcesVpcConfig={"subnetIds": stage.subnets}
    )["cluster"]
    assert (made["status"], made.get("endpoint")) == ("CREATING", None)
    assert wait_until(lambda: eks.describe_cluster(name=stage.name)["cluster"]["status"] == "ACTIVE", 10)
    cluster = eks.describe_cluster(name=stage.name)["cluster"]
    assert (cluster["endpoint"], cluster["certificateAuthority"]["data"]) == ("https://127.0.0.1:6443", "Y2E=")
    written = read_json(stage.aws.state.cluster(stage.name) / "cluster.json")
    assert written == {
        "name": stage.name,
        "arn": cluster["arn"],
        "version": "1.36",
        "region": "us-west-2",
        "account": ACCOUNT,
        "vpc_id": stage.vpc,
        "issuer": cluster["identity"]["oidc"]["issuer"],
        "aws_endpoint": stage.aws.url,
        "service_cidr": "172.20.0.0/16",
        "deployer_arn": f"arn:aws:iam::{ACCOUNT}:root",
        "bootstrap_admin": True,
    }
    remove(stage)


def test_a_deleted_cluster_leaves_no_folder_no_agent_and_no_security_group(stage: Stage) -> None:
    cluster = stage.create_cluster()
    folder = stage.aws.state.cluster(stage.name)
    agent = Identity.from_json(read_json(folder / "process.json"))
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    tags = stage.aws.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["Tags"]
    assert {"Key": f"kubernetes.io/cluster/{stage.name}", "Value": "owned"} in tags
    remove(stage)
    assert not folder.exists()
    assert agent
    assert not agent.alive()
    code, _ = refusal(stage.aws.client("ec2").describe_security_groups, GroupIds=[group])
    assert code == "InvalidGroup.NotFound"
    code, message = refusal(stage.aws.client("eks").describe_cluster, name=stage.name)
    assert (code, message) == ("ResourceNotFoundException", f"No cluster found for name: {stage.name}.")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"version": "1.20"}, "unsupported Kubernetes version 1.20"),
        (
            {"version": "1.33", "upgradePolicy": {"supportType": "STANDARD"}},
            "1.33 is in extended support: upgradePolicy.supportType STANDARD is not possible",
        ),
        ({"resourcesVpcConfig": {"subnetIds": ["SUBNET"]}}, "at least two different AZs"),
        ({"resourcesVpcConfig": {"subnetIds": ["subnet-00000000"]}}, "'subnet-00000000' does not exist"),
        ({"roleArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "nobody does not exist"),
        ({"roleArn": "NODE_ROLE"}, "[eks.amazonaws.com] were not found in the trust relationships"),
        ({"name": "-x"}, "cluster name should contain only"),
        ({"kubernetesNetworkConfig": {"ipFamily": "ipv6"}}, "does not support IPv6 clusters"),
        ({"computeConfig": {"enabled": True}}, "does not support computeConfig"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused_in_one_line(stage: Stage, wish: dict[str, Any], message: str) -> None:
    text = json.dumps(wish).replace("SUBNET", stage.subnets[0]).replace("NODE_ROLE", stage.node_role)
    given = {
        "name": stage.name,
        "roleArn": stage.cluster_role,
        "resourcesVpcConfig": {"subnetIds": stage.subnets},
        **json.loads(text),
    }
    _, got = refusal(stage.aws.client("eks").create_cluster, **given)
    assert message in got
    assert stage.name not in stage.aws.client("eks").list_clusters()["clusters"]


def test_the_same_token_gives_the_same_cluster_another_is_refused(home: Stage) -> None:
    eks = home.aws.client("eks")
    given = {
        "name": "twice",
        "roleArn": home.cluster_role,
        "resourcesVpcConfig": {"subnetIds": home.subnets},
        "clientRequestToken": "token",
    }
    first = eks.create_cluster(**given)["cluster"]
    assert eks.create_cluster(**given)["cluster"]["arn"] == first["arn"]
    code, _ = refusal(eks.create_cluster, **{**given, "clientRequestToken": "other"})
    assert code == "ResourceInUseException"
    eks.delete_cluster(name="twice")
    assert wait_until(lambda: "twice" not in eks.list_clusters()["clusters"], 10)


def test_node_groups_make_instances_spread_over_zones_with_one_group_each(stage: Stage) -> None:
    group = stage.create_cluster()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    stage.create_nodegroup(4, labels={"team": "a"}, taints=[{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}])
    machines = stage.instances()
    assert sorted(m["Placement"]["AvailabilityZone"][-1] for m in machines) == ["a", "a", "b", "b"]
    assert all([g["GroupId"] for g in m["SecurityGroups"]] == [group] for m in machines)
    assert all(len(m["NetworkInterfaces"]) == 1 for m in machines)
    tags = {t["Key"]: t["Value"] for t in machines[0]["Tags"]}
    assert tags["eks:nodegroup-name"] == "main"
    assert tags[f"kubernetes.io/cluster/{stage.name}"] == "owned"
    first = next(n for n in nodes(stage) if n["instance_id"] == machines[0]["InstanceId"])
    assert first["name"] == machines[0]["PrivateDnsName"]
    assert first["provider_id"] == f"aws:///{first['zone']}/{machines[0]['InstanceId']}"
    assert first["address"] == machines[0]["PrivateIpAddress"]
    assert first["eni_id"] == machines[0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert first["labels"]["team"] == "a"
    assert first["labels"]["eks.amazonaws.com/nodegroup"] == "main"
    assert first["labels"]["topology.kubernetes.io/zone"] == first["zone"]
    assert first["taints"] == [{"key": "k", "value": "v", "effect": "NoSchedule"}]
    code, message = refusal(stage.aws.client("eks").delete_cluster, name=stage.name)
    assert (code, message) == ("ResourceInUseException", "Cluster has nodegroups attached")
    remove(stage)
    assert stage.instances() == []


def test_a_node_group_scales_and_its_update_can_be_followed(stage: Stage) -> None:
    stage.create_cluster()
    stage.create_nodegroup(1)
    eks = stage.aws.client("eks")
    hold = stage.aws.state.cluster(stage.name) / "hold"
    hold.touch()
    update = eks.update_nodegroup_config(
        clusterName=stage.name, nodegroupName="main", scalingConfig={"desiredSize": 3}
    )["update"]
    group = eks.describe_nodegroup(clusterName=stage.name, nodegroupName="main")["nodegroup"]
    assert (update["status"], group["status"]) == ("InProgress", "UPDATING")
    hold.unlink()
    stage.wait_nodegroup()
    told = eks.describe_update(name=stage.name, nodegroupName="main", updateId=update["id"])["update"]
    assert told["status"] == "Successful"
    assert len(stage.instances()) == len(nodes(stage)) == 3
    eks.update_nodegroup_config(clusterName=stage.name, nodegroupName="main", scalingConfig={"desiredSize": 1})
    stage.wait_nodegroup()
    assert len(stage.instances()) == len(nodes(stage)) == 1
    remove(stage)


def test_a_terminated_instance_is_replaced(stage: Stage) -> None:
    stage.create_cluster()
    stage.create_nodegroup(2)
    before = {m["InstanceId"] for m in stage.instances()}
    victim = min(before)
    stage.aws.client("ec2").terminate_instances(InstanceIds=[victim])
    assert wait_until(lambda: len(stage.instances()) == 2, 10)
    after = {m["InstanceId"] for m in stage.instances()}
    assert victim not in after
    assert len(before & after) == 1
    remove(stage)


def test_a_launch_templates_wishes_are_honoured_and_its_new_version_replaces_the_nodes(stage: Stage) -> None:
    stage.create_cluster()
    ec2, eks = stage.aws.client("ec2"), stage.aws.client("eks")
    group = ec2.create_security_group(GroupName="nodes", Description="x", VpcId=stage.vpc)["GroupId"]
    data = {
        "SecurityGroupIds": [group],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "owner", "Value": "us"}]}],
    }
    template = ec2.create_launch_template(LaunchTemplateName=stage.name, LaunchTemplateData=data)["LaunchTemplate"]
    wish = {"id": template["LaunchTemplateId"], "version": "1"}
    stage.create_nodegroup(2, launchTemplate=wish, instanceTypes=["t3.large"])
    machine = stage.instances()[0]
    assert [g["GroupId"] for g in machine["SecurityGroups"]] == [group]
    assert machine["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    assert machine["InstanceType"] == "t3.large"
    assert {"Key": "owner", "Value": "us"} in machine["Tags"]
    before = {m["InstanceId"] for m in stage.instances()}
    ec2.create_launch_template_version(LaunchTemplateName=stage.name, LaunchTemplateData=data)
    eks.update_nodegroup_version(clusterName=stage.name, nodegroupName="main", launchTemplate={**wish, "version": "2"})
    assert stage.wait_nodegroup()["launchTemplate"]["version"] == "2"
    after = {m["InstanceId"] for m in stage.instances()}
    assert len(after) == 2
    assert not before & after
    remove(stage)
    ec2.delete_security_group(GroupId=group)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 2}}, "desired capacity 2 must be between"),
        ({"subnets": ["subnet-00000000"]}, "'subnet-00000000' does not exist"),
        ({"nodeRole": "CLUSTER_ROLE"}, "[ec2.amazonaws.com] were not found"),
        ({"version": "1.20"}, "unsupported Kubernetes version 1.20"),
        ({"version": "1.35", "releaseVersion": "1.36.3-20260901"}, "is not valid for kubernetes version 1.35"),
        ({"launchTemplate": {"name": "nothing"}}, "Couldn't find launch template nothing"),
    ],
)
def test_a_node_group_that_cannot_be_is_refused(home: Stage, wish: dict[str, Any], message: str) -> None:
    given = {
        "clusterName": home.name,
        "nodegroupName": "wrong",
        "subnets": home.subnets,
        "nodeRole": home.node_role,
        **json.loads(json.dumps(wish).replace("CLUSTER_ROLE", home.cluster_role)),
    }
    _, got = refusal(home.aws.client("eks").create_nodegroup, **given)
    assert message in got
    assert home.aws.client("eks").list_nodegroups(clusterName=home.name)["nodegroups"] == []


def test_who_makes_a_cluster_administers_it_and_its_nodes_may_join(home: Stage) -> None:
    eks = home.aws.client("eks")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    told = eks.list_associated_access_policies(clusterName=home.name, principalArn=root)
    policy = told["associatedAccessPolicies"][0]
    assert policy["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert policy["accessScope"] == {"type": "cluster", "namespaces": []}
    home.create_nodegroup(0)
    entry = eks.describe_access_entry(clusterName=home.name, principalArn=home.node_role)["accessEntry"]
    assert (entry["type"], entry["kubernetesGroups"]) == ("EC2_LINUX", ["system:nodes"])
    eks.delete_nodegroup(clusterName=home.name, nodegroupName="main")
    assert wait_until(lambda: eks.list_access_entries(clusterName=home.name)["accessEntries"] == [root], 10)


def test_without_bootstrap_nobody_is_let_in(stage: Stage) -> None:
    wish = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    stage.create_cluster(accessConfig=wish)
    assert stage.aws.client("eks").list_access_entries(clusterName=stage.name)["accessEntries"] == []
    assert read_json(stage.aws.state.cluster(stage.name) / "cluster.json")["bootstrap_admin"] is False
    remove(stage)


def test_access_entries_and_policies_come_change_and_go(home: Stage) -> None:
    eks = home.aws.client("eks")
    role = service_role(home.aws, "team", "ec2.amazonaws.com")
    entry = eks.create_access_entry(clusterName=home.name, principalArn=role, kubernetesGroups=["team"])["accessEntry"]
    assert entry["username"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/team/{{{{SessionName}}}}"
    changed = eks.update_access_entry(clusterName=home.name, principalArn=role, kubernetesGroups=["other"])
    assert changed["accessEntry"]["kubernetesGroups"] == ["other"]
    view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    scope = {"type": "namespace", "namespaces": ["a"]}
    eks.associate_access_policy(clusterName=home.name, principalArn=role, policyArn=view, accessScope=scope)
    told = eks.list_access_entries(clusterName=home.name, associatedPolicyArn=view)["accessEntries"]
    assert told == [role]
    eks.disassociate_access_policy(clusterName=home.name, principalArn=role, policyArn=view)
    eks.delete_access_entry(clusterName=home.name, principalArn=role)
    code, _ = refusal(eks.describe_access_entry, clusterName=home.name, principalArn=role)
    assert code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"kubernetesGroups": ["system:masters"]}, "cannot start with"),
        ({"principalArn": "somebody"}, "format is not valid"),
        ({"principalArn": f"arn:aws:iam::{ACCOUNT}:role/nobody"}, "invalid principal"),
        ({"type": "EC2_LINUX", "username": "x"}, "takes neither"),
    ],
)
def test_an_access_entry_that_cannot_be_is_refused(home: Stage, wish: dict[str, Any], message: str) -> None:
    given = {"clusterName": home.name, "principalArn": home.cluster_role, **wish}
    assert message in refusal(home.aws.client("eks").create_access_entry, **given)[1]


def test_addons_of_the_catalog_come_change_and_go(home: Stage) -> None:
    eks = home.aws.client("eks")
    (*_, default) = eks.describe_addon_versions(addonName="vpc-cni")["addons"][0]["addonVersions"]
    offered = default["addonVersion"]
    made = eks.create_addon(clusterName=home.name, addonName="vpc-cni", tags={"a": "b"})["addon"]
    assert (made["addonVersion"], made["status"]) == (offered, "ACTIVE")
    update = eks.update_addon(clusterName=home.name, addonName="vpc-cni", configurationValues="{}")["update"]
    told = eks.describe_update(name=home.name, addonName="vpc-cni", updateId=update["id"])["update"]
    assert told["status"] == "Successful"
    assert eks.list_addons(clusterName=home.name)["addons"] == ["vpc-cni"]
    eks.delete_addon(clusterName=home.name, addonName="vpc-cni")
    code, _ = refusal(eks.describe_addon, clusterName=home.name, addonName="vpc-cni")
    assert code == "ResourceNotFoundException"
    _, message = refusal(eks.create_addon, clusterName=home.name, addonName="unheard-of")
    assert "unheard-of specified is not supported: there are ['aws-ebs-csi-driver'" in message


def test_pod_identity_associations_come_change_and_go(home: Stage) -> None:
    eks = home.aws.client("eks")
    role = service_role(home.aws, "home-pods", "pods.eks.amazonaws.com")
    given = {"clusterName": home.name, "namespace": "a", "serviceAccount": "b", "roleArn": role}
    made = eks.create_pod_identity_association(**given)["association"]
    assert refusal(eks.create_pod_identity_association, **given)[0] == "ResourceInUseException"
    told = eks.list_pod_identity_associations(clusterName=home.name, namespace="a")["associations"]
    assert [a["associationId"] for a in told] == [made["associationId"]]
    eks.delete_pod_identity_association(clusterName=home.name, associationId=made["associationId"])
    assert eks.list_pod_identity_associations(clusterName=home.name)["associations"] == []
    _, message = refusal(
        eks.create_pod_identity_association, **{**given, "roleArn": home.node_role, "serviceAccount": "c"}
    )
    assert "[pods.eks.amazonaws.com] were not found" in message


def test_a_clusters_configuration_changes_one_subject_at_a_time(home: Stage) -> None:
    eks = home.aws.client("eks")
    wish = {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}]}
    update = eks.update_cluster_config(name=home.name, logging=wish)["update"]
    assert eks.describe_update(name=home.name, updateId=update["id"])["update"]["status"] == "Successful"
    told = eks.describe_cluster(name=home.name)["cluster"]["logging"]["clusterLogging"]
    assert told[0] == {"types": ["api", "audit"], "enabled": True}
    eks.update_cluster_config(
        name=home.name, resourcesVpcConfig={"endpointPrivateAccess": True, "publicAccessCidrs": ["192.0.2.0/24"]}
    )
    network = eks.describe_cluster(name=home.name)["cluster"]["resourcesVpcConfig"]
    assert (network["endpointPrivateAccess"], network["publicAccessCidrs"]) == (True, ["192.0.2.0/24"])
    assert network["clusterSecurityGroupId"].startswith("sg-")
    code, _ = refusal(eks.update_cluster_config, name=home.name, accessConfig={"authenticationMode": "CONFIG_MAP"})
    assert code == "InvalidParameterException"


def test_deletion_protection_protects_a_cluster(home: Stage) -> None:
    eks = home.aws.client("eks")
    eks.update_cluster_config(name=home.name, deletionProtection=True)
    assert refusal(eks.delete_cluster, name=home.name)[0] == "InvalidRequestException"
    eks.update_cluster_config(name=home.name, deletionProtection=False)


def test_tags_come_and_go(home: Stage) -> None:
    eks = home.aws.client("eks")
    arn = eks.describe_cluster(name=home.name)["cluster"]["arn"]
    eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


def test_the_versions_are_those_that_eks_supports(aws: Aws) -> None:
    versions = aws.client("eks").describe_cluster_versions()["clusterVersions"]
    support = {v["clusterVersion"]: v["versionStatus"] for v in versions}
    assert support == {
        "1.36": "STANDARD_SUPPORT",
        "1.35": "STANDARD_SUPPORT",
        "1.34": support["1.34"],
        "1.33": "EXTENDED_SUPPORT",
        "1.32": "EXTENDED_SUPPORT",
    }
    assert [v["clusterVersion"] for v in versions if v["defaultVersion"]] == ["1.36"]


def test_what_the_sandboxs_eks_does_not_do_it_says(home: Stage) -> None:
    code, message = refusal(home.aws.client("eks").list_fargate_profiles, clusterName=home.name)
    assert (code, message) == ("NotImplemented", "the sandbox's EKS does not support ListFargateProfiles")


def test_a_cluster_whose_agent_fails_says_why_and_can_be_deleted(stage: Stage) -> None:
    eks, name = stage.aws.client("eks"), f"{stage.name}-fails"
    eks.create_cluster(name=name, roleArn=stage.cluster_role, resourcesVpcConfig={"subnetIds": stage.subnets})
    assert wait_until(lambda: eks.describe_cluster(name=name)["cluster"]["status"] == "FAILED", 10)
    issue = eks.describe_cluster(name=name)["cluster"]["health"]["issues"][0]
    assert issue["message"] == "etcd did not start"
    eks.delete_cluster(name=name)
    assert wait_until(lambda: name not in eks.list_clusters()["clusters"], 10)
