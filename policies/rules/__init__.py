"""The rules, by subject. `RULES` holds all of them; a new subject is one more import here."""

from pack.registry import RULES
from rules.balancers import bindings, encryption, exposure, features, gateways, ingresses, protection, sharing
from rules.eks import access, cluster, network, nodes
from rules.iam import irsa, permissions, role_permissions, trust, workloads
from rules.installs import controller, controller_pods, controller_webhooks

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
