"""Pods behind an ALB."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.workloads.alb_actions import WEIGHTED
from eks_load_balancing.workloads.alb_args import ApplicationLoadBalancedIngressArgs
from eks_load_balancing.workloads.annotations import (
    ALB_CLASS,
    DEFAULT_TLS_POLICY,
    SCHEMES,
    Exposure,
    alb_annotations,
)
from eks_load_balancing.workloads.host_names import host_name
from eks_load_balancing.workloads.rules import SERVICE_PORT, actions, backends, refuse_combinations, rules, services
from eks_load_balancing.workloads.target_groups import INGRESS_RESOURCE, target_group_arns
from eks_load_balancing.workloads.workload import (
    DEFAULT_DELAY,
    DEFAULT_USER,
    SAMPLE_IMAGE,
    SAMPLE_PORT,
    Workload,
    deploy,
)

ADDRESS_TYPES = ("ipv4", "dualstack", "dualstack-without-public-ipv4")


class ApplicationLoadBalancedIngress(pulumi.ComponentResource):
    """A Deployment and its Service behind an Ingress: an ALB (L7) whose targets are the pods' own addresses.

    With a `selector`, a `service_name` or `weighted_services` the pods are yours, and no Deployment is made.

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
        addresses = args.get("ip_address_type")
        exposure = Exposure(
            scheme=errors.one_of(args.get("scheme", SCHEMES[0]), SCHEMES, "scheme"),
            deregistration_delay=delay,
            health_check_path=args.get("health_check_path"),
            certificate_arn=args.get("certificate_arn"),
            certificate_arns=args.get("certificate_arns", ()),
            tls_policy=args.get("tls_policy", DEFAULT_TLS_POLICY),
            deletion_protection=args.get("deletion_protection", False),
            access_logs_bucket=args.get("access_logs_bucket"),
            ip_address_type=addresses and errors.one_of(addresses, ADDRESS_TYPES, "ip_address_type"),
            subnet_ids=args.get("subnet_ids"),
            security_group_ids=args.get("security_group_ids"),
            attributes=args.get("load_balancer_attributes", {}),
            target_group_attributes=args.get("target_group_attributes", {}),
            annotations=args.get("annotations", {}),
        )
        refuse_combinations(args, tls=exposure.has_certificate)
        asked = actions(args)
        workload = Workload(
            name=errors.label(name, "name"),
            namespace=args["namespace"],
            image=args.get("image") or SAMPLE_IMAGE,
            container_port=container_port,
            replicas=args.get("replicas", 2),
            deregistration_delay=delay,
            health_check_path=exposure.health_check_path or "/",
            environment=args.get("environment", {}),
            resources=args.get("resources"),
            user_id=args.get("user_id", DEFAULT_USER),
        )
        super().__init__("eks-load-balancing:index:ApplicationLoadBalancedIngress", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        behind = self._service(name, args, workload)
        found = backends(args, behind)
        ingress = kubernetes.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                "name": name,
                "namespace": args["namespace"],
                "labels": workload.labels,
                "annotations": alb_annotations(exposure, args.get("inbound_cidrs"), args.get("web_acl_arn"), asked),
            },
            spec={"ingress_class_name": ingress_class, "rules": rules(found)},
            opts=child,
        )
        self.host_name = ingress.status.apply(host_name)
        where = ingress.metadata.apply(lambda metadata: f"{metadata.namespace}/{metadata.name}")
        self.target_group_arns = target_group_arns(
            args["cluster_name"],
            INGRESS_RESOURCE,
            [
                Output.all(where, service, port).apply(lambda known: f"{known[0]}-{known[1]}:{known[2]}")
                for service, port in services(args, found)
            ],
            ingress,
            self,
        )
        self.register_outputs({"host_name": self.host_name, "target_group_arns": self.target_group_arns})

    def _service(self, name: str, args: ApplicationLoadBalancedIngressArgs, workload: Workload) -> Input[str]:
        """Return the name of the Service behind the ALB: one that is there, or one that is made here.

        It is the output of the one that is made: so the Ingress is deleted before the Service.
        """
        if "service_name" in args:
            return args["service_name"]
        if "weighted_services" in args:
            return WEIGHTED
        if "selector" not in args:
            deploy(workload, self)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={"name": name, "namespace": args["namespace"], "labels": workload.labels},
            spec={
                "type": "ClusterIP",
                "selector": args.get("selector", workload.labels),
                "ports": [
                    {"name": "http", "protocol": "TCP", "port": SERVICE_PORT, "target_port": workload.container_port}
                ],
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        return service.metadata.apply(lambda metadata: str(metadata.name))
