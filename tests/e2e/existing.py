"""Clusters and a VPC that none of our programs created, for the examples."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from sandbox.run.processes import wait_until
from tests.conformance.stage import _ASSUME, _network
from tests.conftest import Sandbox

NAMES = ("blue", "green")
_POLICIES = {"eks": ("AmazonEKSClusterPolicy",), "ec2": ("AmazonEKSWorkerNodePolicy",)}


def _role(sandbox: Sandbox, service: str) -> str:
    iam, name = sandbox.aws("iam"), f"existing-{service}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_ASSUME % f"{service}.amazonaws.com")
    for policy in _POLICIES[service]:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return made["Role"]["Arn"]


@contextmanager
def existing_clusters(sandbox: Sandbox) -> Generator[dict[str, Sandbox], None, None]:
    """Two clusters with two nodes each in one VPC, without a controller; everything is removed at the end."""
    eks = sandbox.aws("eks")
    _, subnets = _network(sandbox.aws("ec2"), sandbox.state.settings().region)
    control_plane, nodes = _role(sandbox, "eks"), _role(sandbox, "ec2")
    access = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}
    scaling = {"minSize": 2, "maxSize": 2, "desiredSize": 2}
    for name in NAMES:
        eks.create_cluster(
            name=name, roleArn=control_plane, resourcesVpcConfig={"subnetIds": subnets}, accessConfig=access
        )
    for name in NAMES:
        assert wait_until(lambda name=name: eks.describe_cluster(name=name)["cluster"]["status"] == "ACTIVE", 180, 0.5)
        eks.create_nodegroup(
            clusterName=name, nodegroupName="main", subnets=subnets, nodeRole=nodes, scalingConfig=scaling
        )

    def ready(name: str) -> bool:
        return eks.describe_nodegroup(clusterName=name, nodegroupName="main")["nodegroup"]["status"] == "ACTIVE"

    try:
        assert wait_until(lambda: all(map(ready, NAMES)), 180, 0.5)
        yield {name: replace(sandbox, cluster=name) for name in NAMES}
    finally:
        for name in NAMES:
            eks.delete_nodegroup(clusterName=name, nodegroupName="main")
        for name in NAMES:
            wait_until(lambda name=name: not eks.list_nodegroups(clusterName=name)["nodegroups"], 60, 0.5)
            eks.delete_cluster(name=name)
        wait_until(lambda: not set(NAMES) & set(eks.list_clusters()["clusters"]), 60, 0.5)
