"""Node objects, and what a kubelet and the VPC CNI would do for them."""
