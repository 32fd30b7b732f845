"""The checks, by subject. Each is a pure function of `facts.Facts`, under `registry.check`."""

from typing import Final

from eks_load_balancing.doctor.checks import (
    controller,
    identity,
    leftovers,
    names,
    objects,
    policy,
    security_groups,
    subnets,
    targets,
    webhooks,
)
from eks_load_balancing.doctor.registry import REGISTERED

SUBJECTS = (controller, webhooks, identity, policy, subnets, security_groups, objects, targets, leftovers, names)
"""In the order of the manual."""

CHECKS: Final = {
    check.name: check
    for subject in SUBJECTS
    for check in REGISTERED.values()
    if subject.__name__.endswith(check.subject)
}
"""All of them by name, in that order."""
