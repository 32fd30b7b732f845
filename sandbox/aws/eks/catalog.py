"""What the sandbox's EKS has on offer: one Kubernetes version, one node image."""

VERSION = "1.36"
"""The one Kubernetes version whose control plane the sandbox builds."""
PATCH = f"{VERSION}.3"
PLATFORM = "eks.1"
NODE_RELEASE = f"{PATCH}-20260901"
NODE_IMAGE = "ami-0e5a0db0c5a9d1e36"
"""What stands for EKS's node image, of any architecture: nothing boots from it."""
