"""The EKS cluster: control plane, nodes, add-ons, access, kubeconfig; and a reference to an existing cluster."""
