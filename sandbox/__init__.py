"""A laptop-size AWS and EKS. See docs/sandbox.md."""
