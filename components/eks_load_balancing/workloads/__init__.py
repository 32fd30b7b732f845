"""What brings traffic to pods: Services, Ingresses, target groups and bindings, with the pods of the samples."""

from eks_load_balancing.workloads.alb_args import ApplicationLoadBalancedIngressArgs
from eks_load_balancing.workloads.application_load_balanced_ingress import ApplicationLoadBalancedIngress
from eks_load_balancing.workloads.bound_target_group import BoundTargetGroup, BoundTargetGroupArgs
from eks_load_balancing.workloads.network_load_balanced_service import NetworkLoadBalancedService
from eks_load_balancing.workloads.nlb_args import NetworkLoadBalancedServiceArgs
from eks_load_balancing.workloads.node_port_load_balanced_service import (
    NodePortLoadBalancedService,
    NodePortLoadBalancedServiceArgs,
)
from eks_load_balancing.workloads.target_group_binding import TargetGroupBinding, TargetGroupBindingArgs

__all__ = [
    "ApplicationLoadBalancedIngress",
    "ApplicationLoadBalancedIngressArgs",
    "BoundTargetGroup",
    "BoundTargetGroupArgs",
    "NetworkLoadBalancedService",
    "NetworkLoadBalancedServiceArgs",
    "NodePortLoadBalancedService",
    "NodePortLoadBalancedServiceArgs",
    "TargetGroupBinding",
    "TargetGroupBindingArgs",
]
