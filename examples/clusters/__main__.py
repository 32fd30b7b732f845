"""Clusters of two nodes each in one VPC, without a controller: what somebody else may have made."""

import json

import pulumi
import pulumi_aws as aws

from eks_load_balancing import Network

POLICIES = {
    "eks": ["AmazonEKSClusterPolicy"],
    "ec2": ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"],
}


def role(service: str) -> aws.iam.Role:
    """A role that a service of AWS may assume, with what EKS asks for."""
    principal = {"Service": f"{service}.amazonaws.com"}
    trust = [{"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]}]
    made = aws.iam.Role(service, assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": trust}))
    for policy in POLICIES[service]:
        arn = f"arn:aws:iam::aws:policy/{policy}"
        aws.iam.RolePolicyAttachment(policy, role=made.name, policy_arn=arn)
    return made


config = pulumi.Config()
network = Network("network", {"cidr": "10.64.0.0/16", "zones": config.require_object("zones"), "nat": "single"})
control_plane, nodes = role("eks"), role("ec2")
for name in config.require_object("clusters"):
    cluster = aws.eks.Cluster(
        name,
        name=name,
        role_arn=control_plane.arn,
        vpc_config={"subnet_ids": network.private_subnet_ids},
        access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True},
    )
    aws.eks.NodeGroup(
        f"{name}-nodes",
        cluster_name=cluster.name,
        node_role_arn=nodes.arn,
        subnet_ids=network.private_subnet_ids,
        instance_types=["m6i.large"],
        scaling_config={"min_size": 2, "max_size": 2, "desired_size": 2},
    )
    pulumi.export(name, cluster.arn)
