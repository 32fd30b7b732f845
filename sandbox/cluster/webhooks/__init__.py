"""What kube-apiserver asks of EKS: who may enter, and which identity a pod gets."""
