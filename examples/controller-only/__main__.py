"""The controller alone, on a cluster whose workloads come from elsewhere (kubectl, Argo CD, another stack)."""

import pulumi

from eks_load_balancing import ClusterReference, LoadBalancerController

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"))
controller = LoadBalancerController(
    "controller",
    # With the kubeconfig it is not destroyed while somebody's load balancers still need it.
    {
        **cluster.arguments,
        "version": config.require("controllerVersion"),
        "kubeconfig": cluster.kubeconfig,
        "disabled_features": ["waf", "shield"],
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)

pulumi.export("controllerRoleArn", controller.role_arn)
