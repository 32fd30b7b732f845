"""How facts are read: calls to AWS and Kubernetes, and the permissions that they need. It draws no conclusions."""
