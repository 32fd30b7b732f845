"""Node objects, and the work of a kubelet and the VPC CNI."""
