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
    alb_annotations,
)
from eks_load_balancing.workloads.common_args import exposed, our_pods
from eks_load_balancing.workloads.created_resources import INGRESS_RESOURCE, host_name, target_group_arns
from eks_load_balancing.workloads.rules import SERVICE_PORT, actions, backends, refuse_combinations, rules, services
from eks_load_balancing.workloads.workload import (
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
        exposure = exposed(args, ADDRESS_TYPES)
        container_port = errors.at_least(args.get("container_port", SAMPLE_PORT), 1, "container_port")
        ingress_class = errors.subdomain(args.get("ingress_class", ALB_CLASS), "ingress class")
        refuse_combinations(args, tls=exposure.has_certificate)
        asked = actions(args)
        workload = our_pods(name, args, container_port, exposure)
        super().__init__("eks-load-balancing:index:ApplicationLoadBalancedIngress", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        behind = self._service(name, args, workload)
        found = backends(args, behind)
        ingress = kubernetes.networking.v1.Ingress(
            f"{name}-ingress",
            metadata={
                **workload.metadata,
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
            metadata=workload.metadata,
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
