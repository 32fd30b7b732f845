"""One EKS cluster of the sandbox: `python -m sandbox.cluster --state-dir D --name NAME` is its agent.

agent           starts everything below and keeps it running
control_plane   etcd, kube-apiserver, controller-manager, scheduler and kwok: the real ones
webhooks        what kube-apiserver asks of EKS: who may enter (`access`), which identity a pod gets (`irsa`)
nodes           node objects, and what a kubelet and the VPC CNI would do
pods            pods of known images as processes, in place of a container runtime
egress          the way from kube-apiserver into the cluster
api, pki, kubeconfig, spec, status, sockets, images   what the others share

The agent talks to AWS and to its own control plane. Nothing here knows Pulumi or how the AWS process works inside.
"""
