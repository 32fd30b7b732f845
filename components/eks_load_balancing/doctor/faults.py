"""A fault with its remedy, and the remedies that several checks share."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from eks_load_balancing.controller.values import CHART, REPOSITORY
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import key

REFRESH: Final = "`pulumi up --refresh --run-program`"
"""What restores a resource that Pulumi made. A plain `up` compares the program with Pulumi's state, not with what
exists, and reports everything unchanged."""
_MANAGER: Final = "pulumi-"
"""What the field manager of an object that Pulumi made begins with (server-side apply)."""


class Remedy(NamedTuple):
    """What to do about a fault."""

    fix: str
    """One line. A command in backticks changes something, and removes the fault."""
    see: str = ""
    """A command that shows more, if the doctor cannot see the fault's cause; otherwise ""."""


@dataclass(frozen=True)
class Fault:
    """Why something does not work, and what to do: the fields of a `Remedy`."""

    why: str
    """One line, with the values."""
    fix: str
    see: str = ""


def restart(facts: Facts) -> str:
    """Return how to make the controller check every object again now; by itself it does so every ten hours."""
    if not facts.deployments:
        return "install the controller, which creates it"
    namespace, name = key(facts.deployments[0])
    return f"`kubectl rollout restart -n {namespace} deployment/{name}`: the controller looks at every object again"


def log(facts: Facts) -> str:
    """Return the command that shows the controller's log; "" without a controller."""
    if not facts.deployments:
        return ""
    namespace, name = key(facts.deployments[0])
    return f"kubectl logs -n {namespace} deployment/{name} --tail=100"


def reported(facts: Facts) -> Remedy:
    """Return the remedy for faults that only the controller's log explains."""
    return Remedy("correct what the controller's log names", log(facts)) if log(facts) else Remedy(restart(facts))


def helm_upgrade(facts: Facts) -> str:
    """Return how to restore the chart's objects, if Helm installed it."""
    namespace, name = key(facts.deployments[0]) if facts.deployments else ("kube-system", CHART)
    labels = (facts.deployments[0]["metadata"].get("labels") or {}) if facts.deployments else {}
    release = labels.get("app.kubernetes.io/instance", name)
    return f"`helm upgrade {release} {CHART} --repo {REPOSITORY} -n {namespace} --reuse-values`"


def by_pulumi(thing: Object) -> bool:
    """Return whether Pulumi made an object: its field manager's name says so."""
    managers = [entry.get("manager", "") for entry in thing["metadata"].get("managedFields") or []]
    return any(manager.startswith(_MANAGER) for manager in managers)


def restored(thing: Object) -> str:
    """Return how to restore an object that Pulumi made, as an alternative to another remedy; "" for others."""
    return f"; {REFRESH} restores it" if by_pulumi(thing) else ""
