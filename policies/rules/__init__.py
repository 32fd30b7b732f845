"""The rules, by subject. `RULES` holds all of them; a new subject is one more import here."""

from pulumi_policy import Policy

from pack.configuration import refuse_what_does_not_fit
from pack.once import read_requests_once
from pack.registry import RULES
from rules import (
    bindings,
    cluster,
    controller,
    controller_pods,
    encryption,
    exposure,
    features,
    ingresses,
    network,
    nodes,
    permissions,
    protection,
    trust,
)

SUBJECTS = (
    cluster,
    nodes,
    network,
    trust,
    permissions,
    controller,
    controller_pods,
    exposure,
    encryption,
    protection,
    ingresses,
    features,
    bindings,
)


def policies() -> list[Policy]:
    """Return every rule as a policy of the SDK."""
    read_requests_once()
    refuse_what_does_not_fit()
    return [rule.policy() for rule in RULES.values()]


__all__ = ["RULES", "SUBJECTS", "policies"]
