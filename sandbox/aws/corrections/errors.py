"""Errors of EC2 and Elastic Load Balancing that moto lacks or words differently."""

from sandbox.aws.refusal import Refusal


def depends(what: str) -> Refusal:
    """`what` cannot be deleted while something depends on it."""
    return Refusal("DependencyViolation", what)
