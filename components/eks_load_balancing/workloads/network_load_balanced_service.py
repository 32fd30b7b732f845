"""Pods behind an NLB."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.workloads.annotations import NLB_CLASS, SCHEMES, Exposure, nlb_annotations
from eks_load_balancing.workloads.host_names import host_name
from eks_load_balancing.workloads.target_groups import SERVICE_STACK, target_group_arns
from eks_load_balancing.workloads.workload import DEFAULT_DELAY, SAMPLE_IMAGE, SAMPLE_PORT, Workload, deploy

HTTP_PORT = 80
TLS_PORT = 443


class NetworkLoadBalancedServiceArgs(TypedDict):
    """What a `NetworkLoadBalancedService` takes."""

    cluster_name: Input[str]
    """The cluster's name, which the controller tags the load balancer with."""
    namespace: Input[str]
    """The namespace; label it `elbv2.k8s.aws/pod-readiness-gate-inject: enabled` for rollouts that lose no request."""
    image: NotRequired[Input[str]]
    """The container's image; it must run as a user other than root, on a read-only root with a writable `/tmp`.
    Default: a small web server."""
    container_port: NotRequired[int]
    """The port that the container listens on. Default 8080."""
    port: NotRequired[int]
    """The port that the NLB listens on. Default 80, or 443 with a certificate."""
    replicas: NotRequired[Input[int]]
    """Pods. Default 2."""
    scheme: NotRequired[str]
    """`internal` (the default) or `internet-facing`."""
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may connect. Default: any."""
    certificate_arn: NotRequired[Input[str]]
    """An ACM certificate: the listener becomes a TLS listener."""
    health_check_path: NotRequired[str]
    """The path that kubelet asks for, and the NLB too. Default: kubelet asks for `/`, the NLB opens a connection."""
    deregistration_delay: NotRequired[int]
    """Seconds that connections have to end after a pod is taken out. Default 30."""
    deletion_protection: NotRequired[bool]
    """Whether AWS refuses to delete the NLB. Default no."""
    access_logs_bucket: NotRequired[Input[str]]
    """An S3 bucket for access logs (of TLS listeners). Default none."""


class NetworkLoadBalancedService(pulumi.ComponentResource):
    """A Deployment behind a Service of type LoadBalancer: an NLB (L4) whose targets are the pods' own addresses.

    Let it depend on the controller: the Service cannot be made before the controller's webhooks answer, and its
    finalizer is the controller's to take off.
    """

    host_name: Output[str]
    """The NLB's DNS name."""
    target_group_arns: Output[Sequence[str]]
    """The NLB's target groups."""

    @checked
    def __init__(
        self, name: str, args: NetworkLoadBalancedServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        certificate = args.get("certificate_arn")
        delay = errors.at_least(args.get("deregistration_delay", DEFAULT_DELAY), 0, "deregistration_delay")
        container_port = errors.at_least(args.get("container_port", SAMPLE_PORT), 1, "container_port")
        port = errors.at_least(args.get("port", HTTP_PORT if certificate is None else TLS_PORT), 1, "port")
        exposure = Exposure(
            scheme=errors.one_of(args.get("scheme", SCHEMES[0]), SCHEMES, "scheme"),
            deregistration_delay=delay,
            health_check_path=args.get("health_check_path"),
            certificate_arn=certificate,
            deletion_protection=args.get("deletion_protection", False),
            access_logs_bucket=args.get("access_logs_bucket"),
        )
        workload = Workload(
            name=errors.label(name, "name"),
            namespace=args["namespace"],
            image=args.get("image") or SAMPLE_IMAGE,
            container_port=container_port,
            replicas=args.get("replicas", 2),
            deregistration_delay=delay,
            health_check_path=exposure.health_check_path or "/",
        )
        super().__init__("eks-load-balancing:index:NetworkLoadBalancedService", name, opts=opts)
        deploy(workload, self)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={
                "name": name,
                "namespace": args["namespace"],
                "labels": workload.labels,
                "annotations": nlb_annotations(exposure),
            },
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="LoadBalancer",
                load_balancer_class=NLB_CLASS,
                allocate_load_balancer_node_ports=False,  # traffic goes to pods, not through nodes
                load_balancer_source_ranges=args.get("inbound_cidrs"),
                selector=workload.labels,
                ports=[
                    kubernetes.core.v1.ServicePortArgs(
                        name="traffic", protocol="TCP", port=port, target_port=container_port
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.host_name = service.status.apply(host_name)
        self.target_group_arns = target_group_arns(
            args["cluster_name"],
            SERVICE_STACK,
            service.metadata.apply(lambda metadata: f"{metadata.namespace}/{metadata.name}"),
            service,
            self,
        )
        self.register_outputs({"host_name": self.host_name, "target_group_arns": self.target_group_arns})
