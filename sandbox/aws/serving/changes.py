"""Clients that want to know when something may have changed in AWS wait here instead of polling.

A version is the number of writes that the services have executed. It continues after a restart, because the journal
repeats the same writes.
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
        """A service has executed a write."""
        with self._changed:
            self._writes[service] += 1
            self._changed.notify_all()

    def wait(self, services: Collection[str], since: int, seconds: float) -> int:
        """Return the version of `services` when it differs from `since`, or after `seconds`.

        Args:
            services: signing names, `ec2`, `elasticloadbalancing`, ...
            since: an earlier version; -1 to get an answer at once.
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
            ValueError: `services` is missing, or a number is invalid.
        """
        services = [s for s in query.get("services", "").split(",") if s]
        if not services:
            raise ValueError("name the services to wait for: ?services=ec2,elasticloadbalancing")
        return {"version": self.wait(services, int(query.get("since", -1)), float(query.get("seconds", 30)))}
