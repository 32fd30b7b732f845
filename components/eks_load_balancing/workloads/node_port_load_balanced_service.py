"""Pods behind node ports: the way that this package is there to spare you, for comparison."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.controller.values import NLB_CLASS
from eks_load_balancing.workloads.annotations import ALB_CLASS, SCHEMES, instance_annotations
from eks_load_balancing.workloads.created_resources import host_name
from eks_load_balancing.workloads.workload import DEFAULT_DELAY, SAMPLE_IMAGE, SAMPLE_PORT, Workload, deploy

BALANCERS = ("classic", "nlb", "alb")
POLICIES = ("Cluster", "Local")
PORT = 80


class NodePortLoadBalancedServiceArgs(TypedDict):
    """What a `NodePortLoadBalancedService` takes."""

    namespace: Input[str]
    """The namespace. For `classic` it must be labelled `elbv2.k8s.aws/service-webhook: disabled`; otherwise the load
    balancer controller takes the Service."""
    balancer: NotRequired[str]
    """`classic` (the default): a Classic ELB, made by EKS's own cloud controller; `nlb` or `alb`: made by the load
    balancer controller, with target type `instance`."""
    external_traffic_policy: NotRequired[str]
    """`Cluster` (the default): any node takes a packet and may send it on to another, under its own address; `Local`:
    only nodes with a ready pod take it."""
    image: NotRequired[Input[str]]
    """The container's image. Default: a small web server."""
    container_port: NotRequired[int]
    """The port that the container listens on. Default 8080."""
    replicas: NotRequired[Input[int]]
    """Pods. Default 2."""
    scheme: NotRequired[str]
    """`internal` (the default) or `internet-facing`."""
    deregistration_delay: NotRequired[int]
    """Seconds that connections have to end after a node is taken out. Default 30."""


class NodePortLoadBalancedService(pulumi.ComponentResource):
    """A Deployment behind a load balancer that knows nodes, not pods: a contrast, and nothing to build on.

    A packet arrives at a node's port, is rewritten there by kube-proxy's rules, leaves an entry in the connection
    table, and is perhaps sent on to another node. The load balancer's health checks ask nodes, and no readiness gate
    knows of them. `NetworkLoadBalancedService` and `ApplicationLoadBalancedIngress` do without all of it.
    """

    host_name: Output[str]
    """The load balancer's DNS name."""

    @checked
    def __init__(
        self, name: str, args: NodePortLoadBalancedServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        balancer = errors.one_of(args.get("balancer", BALANCERS[0]), BALANCERS, "balancer")
        policy = errors.one_of(args.get("external_traffic_policy", POLICIES[0]), POLICIES, "external_traffic_policy")
        scheme = errors.one_of(args.get("scheme", SCHEMES[0]), SCHEMES, "scheme")
        delay = errors.at_least(args.get("deregistration_delay", DEFAULT_DELAY), 0, "deregistration_delay")
        container_port = errors.at_least(args.get("container_port", SAMPLE_PORT), 1, "container_port")
        workload = Workload(
            name=errors.label(name, "name"),
            namespace=args["namespace"],
            image=args.get("image") or SAMPLE_IMAGE,
            container_port=container_port,
            replicas=args.get("replicas", 2),
            deregistration_delay=delay,
            health_check_path="/",
        )
        super().__init__("eks-load-balancing:index:NodePortLoadBalancedService", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        deploy(workload, self)
        asks = instance_annotations(balancer, scheme, delay)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={**workload.metadata, "annotations": {} if balancer == "alb" else asks},
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="NodePort" if balancer == "alb" else "LoadBalancer",
                load_balancer_class=NLB_CLASS if balancer == "nlb" else None,
                external_traffic_policy=policy,
                selector=workload.labels,
                ports=[
                    kubernetes.core.v1.ServicePortArgs(
                        name="http", protocol="TCP", port=PORT, target_port=container_port
                    )
                ],
            ),
            opts=child,
        )
        if balancer == "alb":
            ingress = kubernetes.networking.v1.Ingress(
                f"{name}-ingress",
                metadata={**workload.metadata, "annotations": asks},
                spec={
                    "ingress_class_name": ALB_CLASS,
                    "default_backend": {
                        "service": {
                            "name": service.metadata.apply(lambda metadata: str(metadata.name)),
                            "port": {"number": PORT},
                        }
                    },
                },
                opts=child,
            )
            self.host_name = ingress.status.apply(host_name)
        else:
            self.host_name = service.status.apply(host_name)
        self.register_outputs({"host_name": self.host_name})
