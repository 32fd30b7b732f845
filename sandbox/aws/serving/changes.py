"""Who wants to know when something may have changed in AWS waits here, and need not ask again and again.

A version is the number of writes that the services in question have carried out: it counts on over a restart, for the
journal brings the same writes back.
"""

import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

LONGEST_SECONDS = 60.0


class Changes:
    """Counts writes by service."""

    def __init__(self) -> None:
        self._writes: Counter[str] = Counter()
        self._changed = threading.Condition()

    def add(self, service: str) -> None:
        """A service has carried out a write."""
        with self._changed:
            self._writes[service] += 1
            self._changed.notify_all()

    def wait(self, services: Collection[str], since: int, seconds: float) -> int:
        """The version of `services` as soon as it is not `since`, after `seconds` in any case.

        Args:
            services: signing names, `ec2`, `elasticloadbalancing`, ...
            since: a version that this gave before; -1 to be told at once.
            seconds: how long to wait, at most `LONGEST_SECONDS`.
        """
        deadline = time.monotonic() + min(seconds, LONGEST_SECONDS)
        with self._changed:
            while (version := sum(self._writes[s] for s in services)) == since:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            return version

    def ask(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Answer `GET /_sandbox/changes?services=ec2,elasticloadbalancing&since=N&seconds=30`: `{"version": N}`.

        Raises:
            ValueError: `services` is missing, or a number is none.
        """
        services = [s for s in query.get("services", "").split(",") if s]
        if not services:
            raise ValueError("name the services to wait for: ?services=ec2,elasticloadbalancing")
        return {"version": self.wait(services, int(query.get("since", -1)), float(query.get("seconds", 30)))}
