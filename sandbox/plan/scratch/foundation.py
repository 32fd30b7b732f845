"""What a planner stands on, made in AWS: the account's network, a cluster with nodes, the controller's user and policy.

Blocking calls; the planner decides when.
"""

import subprocess
import sys
from typing import Any, Final

from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.account import Account, Subnet
from sandbox.plan.scratch.controller import USER
from sandbox.plan.scratch.network import Network

_POLICY_SECONDS: Final = 60
_MACHINE: Final = "m5.8xlarge"
"""So large that EKS allows 250 pods on it."""
_NODES: Final = 3
_ASSUME: Final = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"%s"},"Action":"sts:AssumeRole"}]}'
)
# The components know the policy; the sandbox does not import them (pyproject.toml), so it asks a process.
_POLICY: Final = (
    "import sys; from eks_load_balancing.controller.policy import controller_policy as p; print(p(*sys.argv[1:]))"
)
_SOME_VPC: Final = "vpc-00000000000000000"
"""Stands in a policy for the VPC, which is made later."""


def make_cluster(network: Network) -> None:
    """Begin to make the cluster; the network is there."""
    iam, eks = network.client("iam"), network.client("eks")
    for service in ("eks", "ec2"):
        iam.create_role(RoleName=f"plan-{service}", AssumeRolePolicyDocument=_ASSUME % f"{service}.amazonaws.com")
    eks.create_cluster(
        name=network.account.cluster,
        roleArn=_role(network, "eks"),
        resourcesVpcConfig={"subnetIds": [network.names.inside[s.id] for s in _node_subnets(network)]},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
    )


def make_nodes(network: Network) -> None:
    """Begin to make a node in each of three zones; the cluster is ACTIVE."""
    subnets = [network.names.inside[s.id] for s in _node_subnets(network)][:_NODES]
    size = len(subnets)
    network.client("eks").create_nodegroup(
        clusterName=network.account.cluster,
        nodegroupName="plan",
        subnets=subnets,
        nodeRole=_role(network, "ec2"),
        instanceTypes=[_MACHINE],
        scalingConfig={"minSize": size, "maxSize": size, "desiredSize": size},
    )


def _node_subnets(network: Network) -> list[Subnet]:
    """One subnet a zone, private ones first."""
    zones: dict[str, Subnet] = {}
    for subnet in sorted(network.account.subnets, key=lambda s: s.public):
        zones.setdefault(subnet.zone, subnet)
    return list(zones.values())


def _role(network: Network, service: str) -> str:
    return network.client("iam").get_role(RoleName=f"plan-{service}")["Role"]["Arn"]


def make_user(network: Network, policy: str) -> dict[str, str]:
    """The controller's user with a policy; its keys, as variables of an environment."""
    iam = network.client("iam")
    iam.create_user(UserName=USER)
    made = iam.create_policy(PolicyName=USER, PolicyDocument=_in_vpc(network, policy))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=USER, PolicyArn=made)
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def renew_policy(network: Network, policy: str) -> None:
    """Give the user another policy."""
    iam: Any = network.client("iam")
    (held,) = iam.list_attached_user_policies(UserName=USER)["AttachedPolicies"]
    document = _in_vpc(network, policy)
    iam.create_policy_version(PolicyArn=held["PolicyArn"], PolicyDocument=document, SetAsDefault=True)


def _in_vpc(network: Network, policy: str) -> str:
    return policy.replace(_SOME_VPC, network.vpc)


def policy(account: Account, version: str) -> str:
    """The policy of a release, narrowed to one cluster in a VPC that is not there yet.

    Raises:
        PlanError: there is none for this release.
    """
    from botocore.session import get_session  # noqa: PLC0415 - see `run.clients`

    partition = get_session().get_partition_for_region(account.region)
    command = [sys.executable, "-c", _POLICY, version, partition, account.cluster, account.region, _SOME_VPC]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_POLICY_SECONDS)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise PlanError(f"no IAM policy for controller {version}: {last}")
    return done.stdout
