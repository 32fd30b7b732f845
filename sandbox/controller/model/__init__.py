"""Decisions: from Kubernetes objects to the AWS resources that should exist. Pure functions, no I/O."""
