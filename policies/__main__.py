"""Serves the pack to the engine. `PolicyPack` never returns, so nothing else stands here."""

from pulumi_policy import EnforcementLevel, PolicyPack

from rules import policies

PolicyPack(name="eks-load-balancing", enforcement_level=EnforcementLevel.ADVISORY, policies=policies())
