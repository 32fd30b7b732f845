"""Pods behind an ALB."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.workloads.annotations import ALB_CLASS, SCHEMES, Exposure, alb_annotations
from eks_load_balancing.workloads.host_names import host_name
from eks_load_balancing.workloads.target_groups import INGRESS_RESOURCE, target_group_arns
from eks_load_balancing.workloads.workload import DEFAULT_DELAY, SAMPLE_IMAGE, SAMPLE_PORT, Workload, deploy

SERVICE_PORT = 80


class ApplicationLoadBalancedIngressArgs(TypedDict):
    """What an `ApplicationLoadBalancedIngress` takes."""

    cluster_name: Input[str]
    """The cluster's name, which the controller tags the load balancer with."""
    namespace: Input[str]
    """The namespace; label it `elbv2.k8s.aws/pod-readiness-gate-inject: enabled` for rollouts that lose no request."""
    image: NotRequired[Input[str]]
    """The container's image; it must run as a user other than root, on a read-only root with a writable `/tmp`.
    Default: a small web server."""
    container_port: NotRequired[int]
    """The port that the container listens on. Default 8080."""
    replicas: NotRequired[Input[int]]
    """Pods. Default 2."""
    ingress_class: NotRequired[str]
    """The IngressClass. Default `alb`: an ALB of its own. With a class whose IngressClassParams name a group, all
    Ingresses of the class share one."""
    scheme: NotRequired[str]
    """`internal` (the default) or `internet-facing`."""
    host: NotRequired[Input[str]]
    """The host that requests must ask for. Default: any."""
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may connect. Default: any."""
    certificate_arn: NotRequired[Input[str]]
    """An ACM certificate: the ALB listens on 443, and redirects 80 there."""
    web_acl_arn: NotRequired[Input[str]]
    """A WAF (v2) web ACL to put before the ALB. Default none."""
    health_check_path: NotRequired[str]
    """The path that kubelet and the ALB ask for. Default `/`."""
    deregistration_delay: NotRequired[int]
    """Seconds that requests have to end after a pod is taken out. Default 30."""
    deletion_protection: NotRequired[bool]
    """Whether AWS refuses to delete the ALB. Default no."""
    access_logs_bucket: NotRequired[Input[str]]
    """An S3 bucket for access logs. Default none."""


class ApplicationLoadBalancedIngress(pulumi.ComponentResource):
    """A Deployment and its Service behind an Ingress: an ALB (L7) whose targets are the pods' own addresses.

    Let it depend on the controller: the Ingress cannot be made before the controller's webhooks answer, and its
    finalizer is the controller's to take off.
    """

    host_name: Output[str]
    """The ALB's DNS name."""
    target_group_arns: Output[Sequence[str]]
    """The ALB's target groups."""

    @checked
    def __init__(
        self, name: str, args: ApplicationLoadBalancedIngressArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        delay = errors.at_least(args.get("deregistration_delay", DEFAULT_DELAY), 0, "deregistration_delay")
        container_port = errors.at_least(args.get("container_port", SAMPLE_PORT), 1, "container_port")
        ingress_class = errors.subdomain(args.get("ingress_class", ALB_CLASS), "ingress class")
        exposure = Exposure(
            scheme=errors.one_of(args.get("scheme", SCHEMES[0]), SCHEMES, "scheme"),
            deregistration_delay=delay,
            health_check_path=args.get("health_check_path"),
            certificate_arn=args.get("certificate_arn"),
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
        super().__init__("eks-load-balancing:index:ApplicationLoadBalancedIngress", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        deploy(workload, self)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args["namespace"], "labels": workload.labels},
            spec={
                "type": "ClusterIP",
                "selector": workload.labels,
                "ports": [{"name": "http", "protocol": "TCP", "port": SERVICE_PORT, "target_port": container_port}],
            },
            opts=child,
        )
        ingress = kubernetes.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                "name": name,
                "namespace": args["namespace"],
                "labels": workload.labels,
                "annotations": alb_annotations(exposure, args.get("inbound_cidrs"), args.get("web_acl_arn")),
            },
            spec={"ingress_class_name": ingress_class, "rules": [_rule(service, args.get("host"))]},
            opts=child,
        )
        self.host_name = ingress.status.apply(host_name)
        self.target_group_arns = target_group_arns(
            args["cluster_name"],
            INGRESS_RESOURCE,
            ingress.metadata.apply(lambda metadata: f"{metadata.namespace}/{metadata.name}-{name}:{SERVICE_PORT}"),
            ingress,
            self,
        )
        self.register_outputs({"host_name": self.host_name, "target_group_arns": self.target_group_arns})


def _rule(
    service: kubernetes.core.v1.Service, host: pulumi.Input[str] | None
) -> kubernetes.networking.v1.IngressRuleArgsDict:
    """A rule that sends every path to a Service, named by its output: so the Ingress is deleted before the Service."""
    name = service.metadata.apply(lambda metadata: str(metadata.name))
    rule: kubernetes.networking.v1.IngressRuleArgsDict = {
        "http": {
            "paths": [
                {
                    "path": "/",
                    "path_type": "Prefix",
                    "backend": {"service": {"name": name, "port": {"number": SERVICE_PORT}}},
                }
            ]
        }
    }
    if host is not None:
        rule["host"] = host
    return rule
