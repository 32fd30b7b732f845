"""Wiring only: settings -> components -> exports."""

import pulumi
import pulumi_kubernetes as kubernetes

import settings as configuration
from eks_load_balancing import (
    ApplicationLoadBalancedIngress,
    Cluster,
    LoadBalancerController,
    Network,
    NetworkLoadBalancedService,
)
from eks_load_balancing.controller_values import READINESS_GATE_LABEL

settings = configuration.load(configuration.stack_configuration())

kept = pulumi.ResourceOptions(protect=settings.protect)
network = Network("network", {**settings.network.arguments, "tags": settings.tags}, kept)
cluster = Cluster(
    "cluster",
    {
        "cluster_name": settings.cluster.name,
        "region": settings.region,
        "version": settings.cluster.version,
        "vpc_id": network.vpc_id,
        "subnet_ids": network.private_subnet_ids,
        "nodes": settings.nodes.arguments,
        "public_access_cidrs": settings.cluster.public_access_cidrs,
        "admin_arns": settings.cluster.admin_arns,
        "log_retention_days": settings.cluster.log_retention_days,
        "deletion_protection": settings.cluster.deletion_protection,
        "pod_identity_agent": settings.cluster.pod_identity_agent,
        **settings.cluster.boundary,
        "tags": settings.tags,
    },
    # Nodes need a way out (NAT, routes) before they can join.
    pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[network])),
)
# By the ARN: with anything else, a changed endpoint would replace everything on the cluster.
in_cluster = pulumi.ResourceOptions(
    provider=kubernetes.Provider("kubernetes", kubeconfig=cluster.kubeconfig, cluster_identifier=cluster.arn)
)
controller = LoadBalancerController(
    "controller",
    {
        "cluster_name": cluster.cluster_name,
        "region": settings.region,
        "vpc_id": network.vpc_id,
        "oidc_provider_arn": cluster.oidc_provider_arn,
        "issuer_url": cluster.issuer_url,
        "version": settings.controller.version,
        "kubernetes_version": settings.cluster.version,
        "replicas": settings.controller.replicas,
        "disabled_features": settings.controller.disabled_features,
        "legacy_annotations": settings.controller.legacy_annotations,
        **settings.controller.mirror,
        **settings.cluster.boundary,
        "tags": settings.tags,
    },
    pulumi.ResourceOptions.merge(in_cluster, pulumi.ResourceOptions(depends_on=[cluster])),
)
samples = kubernetes.core.v1.Namespace(
    "samples",
    metadata={"name": settings.samples.namespace, "labels": {READINESS_GATE_LABEL: "enabled"}},
    opts=in_cluster,
)
# The controller is there before its webhooks are asked, and until the last finalizer is gone.
on_controller = pulumi.ResourceOptions.merge(in_cluster, pulumi.ResourceOptions(depends_on=[controller]))
namespace = samples.metadata.apply(lambda metadata: str(metadata.name))
nlb = NetworkLoadBalancedService(
    "web-nlb",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": namespace,
        **settings.samples.nlb.arguments,
    },
    on_controller,
)
alb = ApplicationLoadBalancedIngress(
    "web-alb",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": namespace,
        **settings.samples.alb.arguments,
        **settings.samples.alb.web_acl,
    },
    on_controller,
)

pulumi.export("clusterName", cluster.cluster_name)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("controllerRoleArn", controller.role_arn)
pulumi.export("nlbHostName", nlb.host_name)
pulumi.export("albHostName", alb.host_name)
pulumi.export("targetGroupArns", {"nlb": nlb.target_group_arns, "alb": alb.target_group_arns})
