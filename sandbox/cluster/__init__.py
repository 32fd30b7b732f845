"""One EKS cluster of the sandbox: `python -m sandbox.cluster --state-dir D --name NAME` is its agent.

The control plane is the real one (etcd, kube-apiserver, controller-manager, scheduler). What stands in for the rest:
kwok for kubelets, `cni` for the VPC CNI, `pods` for the container runtime of the few images the sandbox knows,
`irsa` for EKS's pod identity webhook, `access` for its authenticator. The agent talks to AWS and to its own
control plane; it knows nothing of Pulumi and nothing of how the AWS process works inside.
"""
