"""What a plan is made of: manifests, what they refer to, and the account. Nothing here talks to AWS or to a cluster."""
