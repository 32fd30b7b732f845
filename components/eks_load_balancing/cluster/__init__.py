"""The EKS cluster: control plane, nodes, add-ons, access, kubeconfig; and a reference to an existing cluster."""

from eks_load_balancing.cluster.cluster import Cluster
from eks_load_balancing.cluster.cluster_args import ClusterArgs
from eks_load_balancing.cluster.cluster_reference import ClusterReference, ClusterReferenceArgs
from eks_load_balancing.cluster.nodes import NodesArgs

__all__ = ["Cluster", "ClusterArgs", "ClusterReference", "ClusterReferenceArgs", "NodesArgs"]
