"""Rules about the EKS cluster: its control plane, nodes, subnets and administrators."""
