"""Clusters in one account: each controller may change its own cluster's load balancers, and not the others'."""

import pulumi

from eks_load_balancing import ClusterReference, LoadBalancerController, NetworkLoadBalancedService

config = pulumi.Config()
version = config.require("controllerVersion")
for name in config.require_object("clusters"):
    cluster = ClusterReference.lookup(name)
    controller = LoadBalancerController(
        f"{name}-controller",
        {**cluster.arguments, "version": version},
        pulumi.ResourceOptions(provider=cluster.provider),
    )
    web = NetworkLoadBalancedService(
        f"web-{name}",
        {"cluster_name": name, "namespace": "default"},
        pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller]),
    )
    pulumi.export(name, {"controllerRoleArn": controller.role_arn, "targetGroupArns": web.target_group_arns})
