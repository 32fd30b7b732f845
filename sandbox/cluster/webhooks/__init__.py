"""What kube-apiserver asks EKS: who may enter, and which identity a pod gets."""
