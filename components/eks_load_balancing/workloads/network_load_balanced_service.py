"""Pods behind an NLB."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.workloads.annotations import (
    DEFAULT_TLS_POLICY,
    NLB_CLASS,
    SCHEMES,
    Exposure,
    NetworkOptions,
    nlb_annotations,
)
from eks_load_balancing.workloads.host_names import host_name
from eks_load_balancing.workloads.listeners import listeners, refuse_combinations, tls_ports
from eks_load_balancing.workloads.nlb_args import NetworkLoadBalancedServiceArgs
from eks_load_balancing.workloads.target_groups import SERVICE_STACK, target_group_arns
from eks_load_balancing.workloads.workload import DEFAULT_DELAY, DEFAULT_USER, SAMPLE_IMAGE, Workload, deploy


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
        delay = errors.at_least(args.get("deregistration_delay", DEFAULT_DELAY), 0, "deregistration_delay")
        scheme = errors.one_of(args.get("scheme", SCHEMES[0]), SCHEMES, "scheme")
        addresses = args.get("ip_address_type")
        exposure = Exposure(
            scheme=scheme,
            deregistration_delay=delay,
            health_check_path=args.get("health_check_path"),
            certificate_arn=args.get("certificate_arn"),
            certificate_arns=args.get("certificate_arns", ()),
            tls_policy=args.get("tls_policy", DEFAULT_TLS_POLICY),
            deletion_protection=args.get("deletion_protection", False),
            access_logs_bucket=args.get("access_logs_bucket"),
            ip_address_type=addresses and errors.one_of(addresses, ("ipv4", "dualstack"), "ip_address_type"),
            subnet_ids=args.get("subnet_ids"),
            security_group_ids=args.get("security_group_ids"),
            attributes=args.get("load_balancer_attributes", {}),
            target_group_attributes=args.get("target_group_attributes", {}),
            annotations=args.get("annotations", {}),
        )
        ports = listeners(args, tls=exposure.has_certificate)
        refuse_combinations(args, scheme, ports)
        options = NetworkOptions(
            eip_allocation_ids=args.get("eip_allocation_ids"),
            private_ipv4_addresses=args.get("private_ipv4_addresses"),
            preserve_client_ip=args.get("preserve_client_ip"),
            proxy_protocol=args.get("proxy_protocol"),
            tls_ports=tls_ports(ports),
        )
        workload = Workload(
            name=errors.label(name, "name"),
            namespace=args["namespace"],
            image=args.get("image") or SAMPLE_IMAGE,
            container_port=ports[0].container_port,
            replicas=args.get("replicas", 2),
            deregistration_delay=delay,
            health_check_path=exposure.health_check_path or "/",
            more_ports=ports[1:],
            environment=args.get("environment", {}),
            resources=args.get("resources"),
            user_id=args.get("user_id", DEFAULT_USER),
        )
        super().__init__("eks-load-balancing:index:NetworkLoadBalancedService", name, opts=opts)
        if "selector" not in args:
            deploy(workload, self)
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata={
                "name": name,
                "namespace": args["namespace"],
                "labels": workload.labels,
                "annotations": nlb_annotations(exposure, options),
            },
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
