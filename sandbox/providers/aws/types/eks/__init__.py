"""EKS's resource types."""
