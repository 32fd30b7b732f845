"""The arguments that an ALB and an NLB workload have in common, read and checked once."""

from collections.abc import Sequence

from eks_load_balancing import errors
from eks_load_balancing.workloads.alb_args import ApplicationLoadBalancedIngressArgs
from eks_load_balancing.workloads.annotations import DEFAULT_TLS_POLICY, SCHEMES, Exposure
from eks_load_balancing.workloads.nlb_args import NetworkLoadBalancedServiceArgs
from eks_load_balancing.workloads.workload import DEFAULT_DELAY, DEFAULT_USER, SAMPLE_IMAGE, Listener, Workload

ExposedArgs = ApplicationLoadBalancedIngressArgs | NetworkLoadBalancedServiceArgs


def exposed(args: ExposedArgs, address_types: tuple[str, ...]) -> Exposure:
    """Return how the load balancer exposes the pods.

    Raises:
        InvalidInputError: the first argument that cannot be.
    """
    delay = errors.at_least(args.get("deregistration_delay", DEFAULT_DELAY), 0, "deregistration_delay")
    addresses = args.get("ip_address_type")
    return Exposure(
        scheme=errors.one_of(args.get("scheme", SCHEMES[0]), SCHEMES, "scheme"),
        deregistration_delay=delay,
        health_check_path=args.get("health_check_path"),
        certificate_arn=args.get("certificate_arn"),
        certificate_arns=args.get("certificate_arns", ()),
        tls_policy=args.get("tls_policy", DEFAULT_TLS_POLICY),
        deletion_protection=args.get("deletion_protection", False),
        access_logs_bucket=args.get("access_logs_bucket"),
        ip_address_type=addresses and errors.one_of(addresses, address_types, "ip_address_type"),
        subnet_ids=args.get("subnet_ids"),
        security_group_ids=args.get("security_group_ids"),
        attributes=args.get("load_balancer_attributes", {}),
        target_group_attributes=args.get("target_group_attributes", {}),
        annotations=args.get("annotations", {}),
    )


def our_pods(
    name: str, args: ExposedArgs, container_port: int, exposure: Exposure, more_ports: Sequence[Listener] = ()
) -> Workload:
    """Return the pods that are made here, if the program brings none.

    Raises:
        InvalidInputError: Kubernetes does not take the name.
    """
    return Workload(
        name=errors.label(name, "name"),
        namespace=args["namespace"],
        image=args.get("image") or SAMPLE_IMAGE,
        container_port=container_port,
        replicas=args.get("replicas", 2),
        deregistration_delay=exposure.deregistration_delay,
        health_check_path=exposure.health_check_path or "/",
        more_ports=more_ports,
        environment=args.get("environment", {}),
        resources=args.get("resources"),
        user_id=args.get("user_id", DEFAULT_USER),
    )
