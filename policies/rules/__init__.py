"""The rules, by subject. `RULES` holds all of them; a new subject is one more import here."""

from pack.registry import RULES
from rules import (
    bindings,
    cluster,
    controller,
    controller_pods,
    encryption,
    exposure,
    features,
    gateways,
    ingresses,
    network,
    nodes,
    permissions,
    protection,
    sharing,
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
    sharing,
    features,
    bindings,
    gateways,
)

__all__ = ["RULES", "SUBJECTS"]
