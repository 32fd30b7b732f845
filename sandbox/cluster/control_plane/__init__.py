"""A cluster's control plane: etcd, kube-apiserver and their companions, started and kept running."""
