"""The rules, by subject. `RULES` holds all of them; a new subject is one more import here."""

from pack.registry import RULES
from rules import (
    access,
    bindings,
    cluster,
    controller,
    controller_pods,
    controller_webhooks,
    encryption,
    exposure,
    features,
    gateways,
    ingresses,
    irsa,
    network,
    nodes,
    permissions,
    protection,
    role_permissions,
    sharing,
    trust,
    workloads,
)

SUBJECTS = (
    cluster,
    nodes,
    network,
    irsa,
    trust,
    permissions,
    role_permissions,
    access,
    workloads,
    controller,
    controller_pods,
    controller_webhooks,
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
