"""The AWS Load Balancer Controller: the component, its IAM policies, chart values, guard and version moves.

What the controller is asked for, by Services and Ingresses, is in `workloads`.
"""
