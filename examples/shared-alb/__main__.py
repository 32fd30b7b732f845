"""Services behind one ALB: an IngressClass of their own puts them into one IngressGroup."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_load_balancing import ApplicationLoadBalancedIngress, ClusterReference

NAME = "shared"

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"), irsa=False)
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)

# The group is the class's. By annotation whoever may write an Ingress could join any load balancer.
params = kubernetes.apiextensions.CustomResource(
    "params",
    api_version="elbv2.k8s.aws/v1beta1",
    kind="IngressClassParams",
    metadata={"name": NAME},
    spec={"group": {"name": NAME}, "scheme": "internal"},
    opts=on_cluster,
)
ingress_class = kubernetes.networking.v1.IngressClass(
    "class",
    metadata={"name": NAME},
    spec={
        "controller": "ingress.k8s.aws/alb",
        "parameters": {"api_group": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": NAME},
    },
    opts=pulumi.ResourceOptions(provider=cluster.provider, depends_on=[params]),
)
namespace = kubernetes.core.v1.Namespace(
    "services",
    metadata={"name": "services", "labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}},
    opts=on_cluster,
)
for service in config.require_object("services"):
    behind = ApplicationLoadBalancedIngress(
        service,
        {
            "cluster_name": cluster.cluster_name,
            "namespace": namespace.metadata.name,
            "ingress_class": NAME,
            "host": f"{service}.example.com",
        },
        pulumi.ResourceOptions(provider=cluster.provider, depends_on=[ingress_class]),
    )
    pulumi.export(service, {"alb": behind.host_name, "targetGroups": behind.target_group_arns})
