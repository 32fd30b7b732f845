"""Rules of listeners: their conditions, actions and transforms."""

from sandbox.aws.corrections.elbv2.rules.rules import install

__all__ = ["install"]
