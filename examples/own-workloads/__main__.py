"""An NLB and two ALBs in front of pods and a Service that this package did not make."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_load_balancing import ApplicationLoadBalancedIngress, ClusterReference, NetworkLoadBalancedService

LABELS = {"app": "shop"}

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"), irsa=False)
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)
kubernetes.apps.v1.Deployment(
    "shop",
    metadata={"name": "shop"},
    spec={
        "replicas": 2,
        "selector": {"match_labels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "shop", "image": "registry.example/shop:1"}]},
        },
    },
    opts=on_cluster,
)
service = kubernetes.core.v1.Service(
    "shop",
    metadata={"name": "shop"},
    spec={"selector": LABELS, "ports": [{"port": 80, "target_port": 8080}]},
    opts=on_cluster,
)
named = service.metadata.name

feed = NetworkLoadBalancedService(
    "feed",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "selector": LABELS,
        "ports": [{"port": 80, "container_port": 8080}, {"port": 514, "protocol": "UDP"}],
        "preserve_client_ip": True,
        "load_balancer_attributes": {"dns_record.client_routing_policy": "availability_zone_affinity"},
    },
    on_cluster,
)
pages = ApplicationLoadBalancedIngress(
    "pages",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "service_name": named,
        "paths": [{"path": "/shop"}, {"path": "/cart", "path_type": "Exact"}],
    },
    on_cluster,
)
canary = ApplicationLoadBalancedIngress(
    "canary",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "weighted_services": [{"service_name": named, "weight": 90}, {"service_name": named, "weight": 10}],
    },
    on_cluster,
)

pulumi.export("feed", feed.host_name)
pulumi.export("pages", pages.host_name)
pulumi.export("canary", canary.host_name)
