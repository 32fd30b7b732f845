"""A cluster in subnets that are there, with two groups of nodes, and add-ons that are configured."""

import pulumi
import pulumi_aws as aws

from eks_load_balancing import Cluster

config = pulumi.Config()
vpc: pulumi.Output[str] = aws.eks.get_cluster_output(name=config.require("neighbour")).vpc_config.vpc_id
private = aws.ec2.get_subnets_output(
    filters=vpc.apply(
        lambda found: [
            aws.ec2.GetSubnetsFilterArgs(name="vpc-id", values=[found]),
            aws.ec2.GetSubnetsFilterArgs(name="tag-key", values=["kubernetes.io/role/internal-elb"]),
        ]
    )
)
cluster = Cluster(
    "grouped",
    {
        "cluster_name": "grouped",
        "region": aws.get_region_output().region,
        "version": config.require("version"),
        "vpc_id": vpc,
        "subnet_ids": private.ids,
        "public_access_cidrs": ["203.0.113.0/24"],
        "nodes": {"instance_types": ["m7i.large"], "min_size": 1, "desired_size": 1, "max_size": 2},
        "node_groups": {
            "spot": {
                "instance_types": ["m7g.large", "m6g.large"],
                "ami_type": "BOTTLEROCKET_ARM_64",
                "capacity_type": "SPOT",
                "disk_size": 50,
                "labels": {"pool": "spot"},
                "taints": [{"key": "spot", "value": "yes", "effect": "NO_SCHEDULE"}],
                "min_size": 1,
                "desired_size": 1,
                "max_size": 4,
                "node_group_properties": {"nodeRepairConfig": {"enabled": True}},
            },
        },
        "addons": {
            "vpc-cni": {
                "configuration": {"env": {"ENABLE_PREFIX_DELEGATION": "true"}, "enableNetworkPolicy": "true"},
            },
            "metrics-server": {"version": "latest"},
        },
    },
)

pulumi.export("nodeGroupNames", cluster.node_group_names)
pulumi.export("nodeRoleName", cluster.node_role_name)
pulumi.export("endpoint", cluster.endpoint)
