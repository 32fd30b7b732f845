"""Pulumi components that bring traffic straight to pods on EKS."""

from eks_load_balancing.application_load_balanced_ingress import (
    ApplicationLoadBalancedIngress,
    ApplicationLoadBalancedIngressArgs,
)
from eks_load_balancing.bound_target_group import BoundTargetGroup, BoundTargetGroupArgs
from eks_load_balancing.cluster import Cluster, ClusterArgs
from eks_load_balancing.cluster_reference import ClusterReference, ClusterReferenceArgs
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs
from eks_load_balancing.network import Network, NetworkArgs
from eks_load_balancing.network_load_balanced_service import NetworkLoadBalancedService, NetworkLoadBalancedServiceArgs
from eks_load_balancing.node_port_load_balanced_service import (
    NodePortLoadBalancedService,
    NodePortLoadBalancedServiceArgs,
)
from eks_load_balancing.nodes import NodesArgs
from eks_load_balancing.oidc_provider import OidcProvider, OidcProviderArgs
from eks_load_balancing.service_account_role import ServiceAccountRole, ServiceAccountRoleArgs
from eks_load_balancing.target_group_binding import TargetGroupBinding, TargetGroupBindingArgs

__all__ = [
    "ApplicationLoadBalancedIngress",
    "ApplicationLoadBalancedIngressArgs",
    "BoundTargetGroup",
    "BoundTargetGroupArgs",
    "Cluster",
    "ClusterArgs",
    "ClusterReference",
    "ClusterReferenceArgs",
    "InvalidInputError",
    "LoadBalancerController",
    "LoadBalancerControllerArgs",
    "Network",
    "NetworkArgs",
    "NetworkLoadBalancedService",
    "NetworkLoadBalancedServiceArgs",
    "NodePortLoadBalancedService",
    "NodePortLoadBalancedServiceArgs",
    "NodesArgs",
    "OidcProvider",
    "OidcProviderArgs",
    "ServiceAccountRole",
    "ServiceAccountRoleArgs",
    "TargetGroupBinding",
    "TargetGroupBindingArgs",
]
