"""Pods of one cluster in a target group that the cluster does not own."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.outputs import applied, given


class TargetGroupBindingArgs(TypedDict):
    """What a `TargetGroupBinding` takes."""

    target_group_arn: Input[str]
    """The target group, of target type `ip`, in the cluster's VPC."""
    namespace: Input[str]
    """The Service's namespace, and the binding's."""
    service_name: Input[str]
    """The Service whose ready pods are registered."""
    service_port: Input[int]
    """The Service's port."""
    binding_name: NotRequired[str]
    """The binding's name in the namespace. Default: the component's."""
    load_balancer_security_group_id: NotRequired[Input[str]]
    """The load balancer's security group: what it may reach the pods from. Give this, or `inbound_cidrs`, or neither
    where rules of yours let it in: the controller makes none for a binding that does not ask."""
    inbound_cidrs: NotRequired[Input[Sequence[Input[str]]]]
    """IPv4 ranges that may reach the pods: of a load balancer without a security group, or that keeps addresses."""
    container_port: NotRequired[Input[int]]
    """The pods' port that is let in. Default: all of TCP."""


class TargetGroupBinding(pulumi.ComponentResource):
    """A TargetGroupBinding: the ready pods of a Service, kept registered by the controller of their cluster.

    It takes part in a target group that other clusters may serve too (`multiClusterTargetGroup`): the controller
    deregisters only what it registered. Without that, a binding takes out every target that it does not know.

    Let it depend on the controller, and declare the Service beside it.
    """

    target_group_arn: Output[str]
    """The target group."""

    @checked
    def __init__(self, name: str, args: TargetGroupBindingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        binding_name = errors.subdomain(args.get("binding_name", name), "binding name")
        group, cidrs = args.get("load_balancer_security_group_id"), args.get("inbound_cidrs", ())
        if group is not None and given(cidrs):
            raise InvalidInputError(
                f"binding {binding_name!r} is given load_balancer_security_group_id and inbound_cidrs: give one of them"
            )
        super().__init__("eks-load-balancing:index:TargetGroupBinding", name, opts=opts)
        binding = kubernetes.apiextensions.CustomResource(
            f"{name}-binding",
            api_version="elbv2.k8s.aws/v1beta1",
            kind="TargetGroupBinding",
            metadata={"name": binding_name, "namespace": args["namespace"]},
            spec={
                "targetGroupARN": args["target_group_arn"],
                "targetType": "ip",
                "multiClusterTargetGroup": True,
                "serviceRef": {"name": args["service_name"], "port": args["service_port"]},
                **networking(group, cidrs, args.get("container_port")),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        group_arn = Output.from_input(args["target_group_arn"])
        self.target_group_arn = cast(Output[str], Output.all(group_arn, binding.id).apply(lambda known: known[0]))
        self.register_outputs({"target_group_arn": self.target_group_arn})


def networking(
    security_group_id: Input[str] | None, cidrs: Input[Sequence[Input[str]]], port: Input[int] | None
) -> Mapping[str, Any]:
    """Return `networking` of a binding's spec: whom the controller lets reach the pods; nothing if nobody is named.

    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/spec/

    Args:
        security_group_id: a load balancer's.
        cidrs: IPv4 ranges.
        port: the pods'; None for all of TCP.
    """
    if security_group_id is None and not given(cidrs):
        return {}
    peers: Any = applied(lambda known: [{"ipBlock": {"cidr": cidr}} for cidr in known], cidrs)
    if security_group_id is not None:
        peers = [{"securityGroup": {"groupID": security_group_id}}]
    ports = [{"protocol": "TCP"} if port is None else {"protocol": "TCP", "port": port}]
    return {"networking": {"ingress": [{"from": peers, "ports": ports}]}}
