"""EC2's resource types."""
