"""The AWS Load Balancer Controller: the component, its IAM policies, chart values, guard and version moves.

What the controller is asked for, by Services and Ingresses, is in `workloads`.
"""

from eks_load_balancing.controller.controller_args import LoadBalancerControllerArgs
from eks_load_balancing.controller.load_balancer_controller import LoadBalancerController

__all__ = ["LoadBalancerController", "LoadBalancerControllerArgs"]
