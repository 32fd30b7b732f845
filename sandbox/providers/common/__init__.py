"""Shared by all stand-in providers: property values as plain Python, clean errors over gRPC, names, differences.

Nothing here knows AWS or Kubernetes.
"""
