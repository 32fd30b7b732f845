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
from eks_load_balancing.cli_version import require_cli
from eks_load_balancing.cluster.administrators import caller, refuse_lock_out
from eks_load_balancing.cluster.deletion_guard import refuse_deletion
from eks_load_balancing.controller.values import READINESS_GATE_LABEL

require_cli()
settings = configuration.load(configuration.stack_configuration())
if not settings.cluster.kubeconfig_profile:  # before anything is made; a profile of its own is somebody else's
    refuse_lock_out(caller(), settings.cluster.admin_arns, settings.cluster.kubeconfig_role_arn)

kept = pulumi.ResourceOptions(protect=settings.protect)
if settings.network.vpc_id:
    network, vpc_id, subnet_ids = None, settings.network.vpc_id, settings.network.subnet_ids or []
else:
    network = Network("network", {**settings.network.arguments, "tags": settings.tags}, kept)
    vpc_id, subnet_ids = network.vpc_id, network.private_subnet_ids
cluster = Cluster(
    "cluster",
    {
        **settings.cluster.arguments,
        "region": settings.region,
        "vpc_id": vpc_id,
        "subnet_ids": subnet_ids,
        "nodes": settings.nodes.arguments,
        "node_groups": settings.group_arguments,
        **settings.common,
    },
    # Nodes need a way out (NAT, routes) before they can join.
    pulumi.ResourceOptions.merge(kept, pulumi.ResourceOptions(depends_on=[network] if network else [])),
)
# By the ARN: with anything else, a changed endpoint would replace everything on the cluster. After the cluster's nodes:
# by then EKS knows everywhere who its administrators are. Secrets change in place: otherwise a renewed certificate
# would delete the webhook's Secret before it makes the new one.
provider = kubernetes.Provider(
    "kubernetes",
    kubeconfig=cluster.kubeconfig,
    cluster_identifier=cluster.arn,
    enable_secret_mutable=True,
    opts=pulumi.ResourceOptions(depends_on=[cluster]),
)
in_cluster = pulumi.ResourceOptions(provider=provider)
controller = LoadBalancerController(
    "controller",
    {
        **settings.controller.arguments,
        "cluster_name": cluster.cluster_name,
        "region": settings.region,
        "vpc_id": vpc_id,
        "oidc_provider_arn": cluster.oidc_provider_arn,
        "issuer_url": cluster.issuer_url,
        "kubernetes_version": settings.cluster.version,
        "kubeconfig": cluster.kubeconfig,
        **settings.common,
    },
    in_cluster,
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
    {"cluster_name": cluster.cluster_name, "namespace": namespace, **settings.samples.nlb.arguments},
    on_controller,
)
alb = ApplicationLoadBalancedIngress(
    "web-alb",
    {"cluster_name": cluster.cluster_name, "namespace": namespace, **settings.samples.alb.arguments},
    on_controller,
)
everything = [*([network] if network else []), cluster, provider, controller, samples, nlb, alb]
refuse_deletion("deletion-guard", settings.protected, after=everything)

pulumi.export("clusterName", cluster.cluster_name)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("controllerRoleArn", controller.role_arn)
pulumi.export("nlbHostName", nlb.host_name)
pulumi.export("albHostName", alb.host_name)
pulumi.export("targetGroupArns", {"nlb": nlb.target_group_arns, "alb": alb.target_group_arns})
