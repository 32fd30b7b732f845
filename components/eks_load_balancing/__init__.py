"""Pulumi components that bring traffic straight to pods on EKS."""

from eks_load_balancing.cluster import Cluster, ClusterArgs, ClusterReference, ClusterReferenceArgs, NodesArgs
from eks_load_balancing.controller import LoadBalancerController, LoadBalancerControllerArgs
from eks_load_balancing.edge import (
    AccessLogsBucket,
    AccessLogsBucketArgs,
    LoadBalancerRecord,
    LoadBalancerRecordArgs,
    ValidatedCertificate,
    ValidatedCertificateArgs,
)
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.identity import OidcProvider, OidcProviderArgs, ServiceAccountRole, ServiceAccountRoleArgs
from eks_load_balancing.network import Network, NetworkArgs
from eks_load_balancing.workloads import (
    ApplicationLoadBalancedIngress,
    ApplicationLoadBalancedIngressArgs,
    BoundTargetGroup,
    BoundTargetGroupArgs,
    NetworkLoadBalancedService,
    NetworkLoadBalancedServiceArgs,
    NodePortLoadBalancedService,
    NodePortLoadBalancedServiceArgs,
    TargetGroupBinding,
    TargetGroupBindingArgs,
)

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
