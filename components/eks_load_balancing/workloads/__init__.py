"""What brings traffic to pods: Services, Ingresses, target groups and bindings, with the pods of the samples."""
