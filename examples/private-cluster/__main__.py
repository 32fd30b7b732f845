"""A cluster that reaches no registry but its own: images and chart come from mirrors."""

import pulumi

from eks_load_balancing import ApplicationLoadBalancedIngress, ClusterReference, LoadBalancerController

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"))

controller = LoadBalancerController(
    "controller",
    {
        **cluster.arguments,
        "version": config.require("controllerVersion"),
        "image_repository": config.require("controllerImage"),
        "chart": config.require("chart"),
        "disabled_features": ["waf", "shield"],  # neither has an endpoint in a VPC
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)
pages = ApplicationLoadBalancedIngress(
    "pages",
    {"cluster_name": cluster.cluster_name, "namespace": "default", "image": config.require("image")},
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller]),
)

pulumi.export("hostName", pages.host_name)
