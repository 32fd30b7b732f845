"""One EKS cluster of the sandbox: `python -m sandbox.cluster --state-dir D --name NAME` is its agent.

agent           starts everything below and keeps it running
control_plane   etcd, kube-apiserver, controller-manager, scheduler and kwok: the real ones
webhooks        what kube-apiserver asks EKS: who may enter (`access`), which identity a pod gets (`irsa`)
nodes           node objects, and the work of a kubelet and the VPC CNI
pods            pods of known images as processes, instead of a container runtime
egress          kube-apiserver's way into the cluster
api, pki, kubeconfig, spec, status, sockets, images   shared by the others

The agent talks to AWS and to its own control plane. Nothing here knows Pulumi or the inside of the AWS process.
"""
