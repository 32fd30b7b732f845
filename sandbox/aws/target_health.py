"""What load balancers that carry traffic report about their targets, and DescribeTargetHealth returns.

Before the first report, no traffic flows and every target that is in use is healthy at once. Reports are neither
journaled nor kept: after a restart, the reporter's next one arrives.
"""

from dataclasses import dataclass
from typing import Any

Key = tuple[str, int | None]
"""Id and port of a target."""


@dataclass(frozen=True)
class Health:
    """State, reason and description as in DescribeTargetHealth; the last two are None for a healthy target."""

    state: str
    reason: str | None = None
    description: str | None = None


REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_IN_USE = Health(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)


class Reports:
    """The last report: the health of every target that a load balancer checks."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[Key, Health]] = {}
        self.carried = False
        """Whether somebody carries traffic, and so reports health."""
        self._listening: set[str] = set()

    def listens(self, balancer: str) -> bool:
        """Whether a load balancer, by its ARN, is ready for traffic; without traffic every one is."""
        return not self.carried or balancer in self._listening

    def take(self, document: dict[str, Any]) -> bool:
        """Replace the last report; return whether the new one differs.

        Args:
            document: `{"carried": bool, "listening": [ARN of a load balancer that is ready for traffic],
                "targets": [{"group", "id", "port", "state", "reason", "description"}]}`; `group` is a target group's
                ARN or a Classic load balancer's name.

        Raises:
            ValueError: it has another shape.
        """
        groups: dict[str, dict[Key, Health]] = {}
        try:
            for target in document["targets"]:
                health = Health(target["state"], target.get("reason"), target.get("description"))
                groups.setdefault(target["group"], {})[target["id"], target.get("port")] = health
            carried, listening = bool(document["carried"]), set(document["listening"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"a report is {{carried, targets: [{{group, id, port, state}}]}}: {error}") from error
        news = (groups, carried, listening) != (self._groups, self.carried, self._listening)
        self._groups, self.carried, self._listening = groups, carried, listening
        return news

    def of(self, group: str, key: Key) -> Health | None:
        """A target's reported health; None if there is no report."""
        return self._groups.get(group, {}).get(key)

    def forget(self, group: str, key: Key) -> None:
        """A target is registered or deregistered: its old health no longer counts."""
        self._groups.get(group, {}).pop(key, None)


reports = Reports()
"""The reports of this process: like moto's backends, which are corrected in place, they are global."""
