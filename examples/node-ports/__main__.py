"""The same application behind a Classic ELB, an NLB and an ALB that know nodes, not pods: a contrast."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_load_balancing import ClusterReference, NodePortLoadBalancedService
from eks_load_balancing.controller.values import SERVICE_WEBHOOK_LABEL

cluster = ClusterReference.lookup(pulumi.Config().require("cluster"))
in_cluster = pulumi.ResourceOptions(provider=cluster.provider)
# In this namespace a Service without a class is the cloud controller's, which makes Classic ELBs.
namespace = kubernetes.core.v1.Namespace(
    "in-tree", metadata={"name": "in-tree", "labels": {SERVICE_WEBHOOK_LABEL: "disabled"}}, opts=in_cluster
)
for balancer in ("classic", "nlb", "alb"):
    web = NodePortLoadBalancedService(
        f"web-{balancer}",
        {"namespace": namespace.metadata.apply(lambda metadata: str(metadata.name)), "balancer": balancer},
        in_cluster,
    )
    pulumi.export(balancer, web.host_name)
