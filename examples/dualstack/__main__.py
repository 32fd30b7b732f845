"""An ALB with IPv4 and IPv6 addresses, in subnets that have both. The pods keep their IPv4 addresses."""

from ipaddress import IPv6Network

import pulumi
import pulumi_aws as aws

from eks_load_balancing import ApplicationLoadBalancedIngress, ClusterReference

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"), irsa=False)
zones, blocks = config.require_object("zones"), config.require_object("blocks")

ipv6 = aws.ec2.VpcIpv6CidrBlockAssociation("ipv6", vpc_id=cluster.vpc_id, assign_generated_ipv6_cidr_block=True)
parts = ipv6.ipv6_cidr_block.apply(lambda whole: [str(part) for part in IPv6Network(whole).subnets(new_prefix=64)])
subnets = [
    aws.ec2.Subnet(
        f"dualstack-{zone}",
        vpc_id=cluster.vpc_id,
        availability_zone=zone,
        cidr_block=blocks[number],
        ipv6_cidr_block=parts[number],
    )
    for number, zone in enumerate(zones)
]
everywhere = ApplicationLoadBalancedIngress(
    "everywhere",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "ip_address_type": "dualstack",
        "subnet_ids": [subnet.id for subnet in subnets],
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)

pulumi.export("subnetIds", [subnet.id for subnet in subnets])
pulumi.export("everywhere", everywhere.host_name)
