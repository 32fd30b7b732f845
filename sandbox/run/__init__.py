"""What every part stands on: the state folder, processes, ports, clients of the sandbox's AWS.

Nothing here knows what AWS, Kubernetes or Pulumi are asked.
"""
