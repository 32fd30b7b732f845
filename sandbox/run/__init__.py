"""Used by every part: the state folder, processes, ports, clients of the sandbox's AWS.

Nothing here knows the APIs of AWS, Kubernetes or Pulumi.
"""
