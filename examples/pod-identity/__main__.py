"""The controller gets its role by EKS Pod Identity; `identity` is the step on the way there from IRSA."""

import pulumi
import pulumi_aws as aws

from eks_load_balancing import ClusterReference, LoadBalancerController, NetworkLoadBalancedService

config = pulumi.Config()
identity = config.get("identity") or "pod-identity"
cluster = ClusterReference.lookup(config.require("cluster"), irsa=identity != "pod-identity")

agent = aws.eks.Addon("agent", cluster_name=cluster.cluster_name, addon_name="eks-pod-identity-agent")
controller = LoadBalancerController(
    "controller",
    {**cluster.arguments, "version": config.require("controllerVersion"), "identity": identity},
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[agent]),
)
web = NetworkLoadBalancedService(
    "web",
    {"cluster_name": cluster.cluster_name, "namespace": "default"},
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller]),
)

pulumi.export("controllerRoleArn", controller.role_arn)
pulumi.export("targetGroupArns", web.target_group_arns)
