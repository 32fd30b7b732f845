"""The VPC and its subnets. Nothing here knows of clusters beyond the tags that load balancers' subnets carry."""

from eks_load_balancing.network.network import Network, NetworkArgs

__all__ = ["Network", "NetworkArgs"]
