"""The checks, by subject. Each is a pure function of `facts.Facts`, registered with `registry.check`."""

from typing import Final

from eks_load_balancing.doctor.checks import (
    controller,
    identity,
    ingresses,
    leftovers,
    names,
    objects,
    paths,
    policy,
    security_groups,
    subnets,
    targets,
    webhooks,
)
from eks_load_balancing.doctor.registry import REGISTERED

SUBJECTS = (
    paths,
    controller,
    webhooks,
    identity,
    policy,
    subnets,
    security_groups,
    ingresses,
    objects,
    targets,
    leftovers,
    names,
)
"""In the order of the manual."""

CHECKS: Final = {
    check.name: check
    for subject in SUBJECTS
    for check in REGISTERED.values()
    if subject.__name__.endswith(f".{check.subject}")
}
"""All checks by name, in that order."""
