"""What every part stands on: the state folder, processes, ports.

Nothing here knows AWS, Kubernetes or Pulumi.
"""
