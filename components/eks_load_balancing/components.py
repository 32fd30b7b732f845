"""Everything a program uses: the components, their arguments, and the error."""

from eks_load_balancing.cluster.cluster import Cluster
from eks_load_balancing.cluster.cluster_args import ClusterArgs
from eks_load_balancing.cluster.cluster_reference import ClusterReference, ClusterReferenceArgs
from eks_load_balancing.cluster.nodes import NodesArgs
from eks_load_balancing.controller.controller_args import LoadBalancerControllerArgs
from eks_load_balancing.controller.load_balancer_controller import LoadBalancerController
from eks_load_balancing.edge.access_logs_bucket import AccessLogsBucket, AccessLogsBucketArgs
from eks_load_balancing.edge.load_balancer_record import LoadBalancerRecord, LoadBalancerRecordArgs
from eks_load_balancing.edge.validated_certificate import ValidatedCertificate, ValidatedCertificateArgs
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.identity.oidc_provider import OidcProvider, OidcProviderArgs
from eks_load_balancing.identity.service_account_role import ServiceAccountRole, ServiceAccountRoleArgs
from eks_load_balancing.network.network import Network, NetworkArgs
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
    "AccessLogsBucket",
    "AccessLogsBucketArgs",
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
    "LoadBalancerRecord",
    "LoadBalancerRecordArgs",
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
    "ValidatedCertificate",
    "ValidatedCertificateArgs",
]
