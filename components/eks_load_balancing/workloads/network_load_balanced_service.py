"""Pods behind an NLB."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output

from eks_load_balancing.arguments import checked
from eks_load_balancing.controller.values import NLB_CLASS
from eks_load_balancing.workloads.annotations import (
    NetworkOptions,
    nlb_annotations,
)
from eks_load_balancing.workloads.common_args import exposed, our_pods
from eks_load_balancing.workloads.created_resources import SERVICE_STACK, host_name, target_group_arns
from eks_load_balancing.workloads.listeners import listeners, refuse_combinations, tls_ports
from eks_load_balancing.workloads.nlb_args import NetworkLoadBalancedServiceArgs
from eks_load_balancing.workloads.workload import deploy

ADDRESS_TYPES = ("ipv4", "dualstack")


class NetworkLoadBalancedService(pulumi.ComponentResource):
    """A Deployment behind a Service of type LoadBalancer: an NLB (L4) whose targets are the pods' own addresses.

    With a `selector` the pods are yours, and only the Service is made.

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
        exposure = exposed(args, ADDRESS_TYPES)
        ports = listeners(args, tls=exposure.has_certificate)
        refuse_combinations(args, exposure.scheme, ports)
        options = NetworkOptions(
            eip_allocation_ids=args.get("eip_allocation_ids"),
            private_ipv4_addresses=args.get("private_ipv4_addresses"),
            preserve_client_ip=args.get("preserve_client_ip"),
            proxy_protocol=args.get("proxy_protocol"),
            tls_ports=tls_ports(ports),
        )
        workload = our_pods(name, args, ports[0].container_port, exposure, more_ports=ports[1:])
        super().__init__("eks-load-balancing:index:NetworkLoadBalancedService", name, opts=opts)
        if "selector" not in args:
            deploy(workload, self)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={**workload.metadata, "annotations": nlb_annotations(exposure, options)},
            spec=kubernetes.core.v1.ServiceSpecArgs(
                type="LoadBalancer",
                load_balancer_class=NLB_CLASS,
                allocate_load_balancer_node_ports=False,  # traffic goes to pods, not through nodes
                load_balancer_source_ranges=args.get("inbound_cidrs"),
                selector=args.get("selector", workload.labels),
                ports=[
                    kubernetes.core.v1.ServicePortArgs(
                        name=one.name, protocol=one.protocol, port=one.port, target_port=one.container_port
                    )
                    for one in ports
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.host_name = service.status.apply(host_name)
        self.target_group_arns = target_group_arns(
            args["cluster_name"],
            SERVICE_STACK,
            [service.metadata.apply(lambda metadata: f"{metadata.namespace}/{metadata.name}")],
            service,
            self,
        )
        self.register_outputs({"host_name": self.host_name, "target_group_arns": self.target_group_arns})
