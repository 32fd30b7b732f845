"""A target group that outlives clusters."""

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.cluster.cluster_reference import ClusterReference
from eks_load_balancing.tags import named
from eks_load_balancing.workloads.target_group_binding import TargetGroupBinding
from eks_load_balancing.workloads.workload import DEFAULT_DELAY, SAMPLE_PORT

PROTOCOLS: Final = ("HTTP", "HTTPS", "TCP")
_PORT: Final = 80
"""Every target is registered with its own; another one here would be another target group."""


class BoundTargetGroupArgs(TypedDict):
    """What a `BoundTargetGroup` takes."""

    vpc_id: Input[str]
    """The VPC of the load balancer and of every cluster."""
    namespace: Input[str]
    """The namespace of the Service, the same on every cluster."""
    service_name: Input[str]
    """The Service whose ready pods are registered, the same on every cluster."""
    service_port: NotRequired[int]
    """The Service's port. Default 80."""
    container_port: NotRequired[int]
    """The pods' port. Default 8080."""
    protocol: NotRequired[str]
    """`HTTP` (the default) or `HTTPS` behind an ALB, `TCP` behind an NLB."""
    load_balancer_security_group_id: NotRequired[Input[str]]
    """The load balancer's security group: what it may reach the pods from. Give this, or `inbound_cidrs`, or neither
    where rules of yours let it in."""
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may reach the pods: of a load balancer without a security group, or that keeps addresses."""
    health_check_path: NotRequired[str]
    """The path that an ALB asks for. Default `/`."""
    deregistration_delay: NotRequired[int]
    """Seconds that requests have to end after a pod is taken out. Default 30."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the target group."""


class BoundTargetGroup(pulumi.ComponentResource):
    """A target group of this program, bound to a Service on one cluster or on several.

    Load balancer, listener and target group are yours and stay; clusters come and go. In Python `bind` binds it on a
    cluster, in other languages a `TargetGroupBinding` does. From one cluster to the next: bind on the second, wait
    until its targets are healthy, take the first one's `bind` away. Nothing of the load balancer changes.
    """

    arn: Output[str]
    """The target group's ARN, for listeners, and for a controller's `bound_target_group_arns`."""

    @checked
    def __init__(self, name: str, args: BoundTargetGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._prefix, self._args = name, args
        protocol = errors.one_of(args.get("protocol", PROTOCOLS[0]), PROTOCOLS, "protocol")
        errors.subdomain(name, "name")  # the bindings have it
        errors.at_least(args.get("container_port", SAMPLE_PORT), 1, "container_port")
        delay = errors.at_least(args.get("deregistration_delay", DEFAULT_DELAY), 0, "deregistration_delay")
        path = args.get("health_check_path", "/" if protocol != "TCP" else None)
        super().__init__("eks-load-balancing:index:BoundTargetGroup", name, opts=opts)
        group = aws.lb.TargetGroup(
            f"{name}-group",
            vpc_id=args["vpc_id"],
            target_type="ip",
            protocol=protocol,
            port=_PORT,
            deregistration_delay=delay,
            health_check=None if path is None else {"path": path, "protocol": protocol.replace("TCP", "HTTP")},
            tags=named(args.get("tags"), name),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = group.arn
        self.register_outputs({"arn": self.arn})

    def bind(self, cluster: ClusterReference, opts: pulumi.ResourceOptions | None = None) -> TargetGroupBinding:
        """Register the Service's pods of a cluster.

        Args:
            cluster: where the Service is.
            opts: `depends_on` the cluster's controller, at least.
        """
        args = self._args
        on_cluster = pulumi.ResourceOptions(parent=self, provider=cluster.provider)
        return TargetGroupBinding(
            f"{self._prefix}-{cluster.cluster_name}",
            {
                **_networking(args),
                "target_group_arn": self.arn,
                "namespace": args["namespace"],
                "service_name": args["service_name"],
                "service_port": int(args.get("service_port", 80)),
                "binding_name": self._prefix,
                "container_port": int(args.get("container_port", SAMPLE_PORT)),
            },
            pulumi.ResourceOptions.merge(on_cluster, opts),
        )


class _NetworkingArgs(TypedDict):
    load_balancer_security_group_id: NotRequired[Input[str]]
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]


def _networking(args: BoundTargetGroupArgs) -> _NetworkingArgs:
    return cast(_NetworkingArgs, {key: args[key] for key in _NetworkingArgs.__optional_keys__ if key in args})
