"""IAM's resource types."""
