"""The controller, an NLB and an ALB on a cluster that is known by its name alone."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_load_balancing import (
    ApplicationLoadBalancedIngress,
    ClusterReference,
    LoadBalancerController,
    NetworkLoadBalancedService,
)

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"))
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)

controller = LoadBalancerController(
    "controller", {**cluster.arguments, "version": config.require("controllerVersion")}, on_cluster
)
namespace = kubernetes.core.v1.Namespace(
    "shop",
    metadata={"name": "shop", "labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}},
    opts=on_cluster,
)

samples = pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller])
where = namespace.metadata.name
nlb = NetworkLoadBalancedService("feed", {"cluster_name": cluster.cluster_name, "namespace": where}, samples)
alb = ApplicationLoadBalancedIngress("pages", {"cluster_name": cluster.cluster_name, "namespace": where}, samples)

pulumi.export("nlbHostName", nlb.host_name)
pulumi.export("albHostName", alb.host_name)
pulumi.export("targetGroupArns", [nlb.target_group_arns, alb.target_group_arns])
