"""A fault with its remedy, and the remedies that several checks share."""

from dataclasses import dataclass
from typing import Final

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.lookups import key

REFRESH: Final = "`pulumi up --refresh --run-program`"
"""What restores a resource that Pulumi made. A plain `up` compares the program with Pulumi's state, not with what
exists, and reports everything unchanged."""


@dataclass(frozen=True)
class Fault:
    """Why something does not work, and what to do."""

    why: str
    """One line, with the values."""
    fix: str
    """One line; commands are in backticks."""


def restart(facts: Facts) -> str:
    """Return how to make the controller look at every object again, at once; by itself it does so every ten hours."""
    if not facts.deployments:
        return "install the controller, which makes it"
    namespace, name = key(facts.deployments[0])
    return f"`kubectl rollout restart -n {namespace} deployment/{name}` makes the controller create it again"


def log(facts: Facts) -> str:
    """Return how to read the controller's log."""
    if not facts.deployments:
        return "install the controller"
    namespace, name = key(facts.deployments[0])
    return f"`kubectl logs -n {namespace} deployment/{name} --tail=100` shows why"
