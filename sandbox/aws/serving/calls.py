"""A counter of calls, for benchmarks: who made which calls, how many, and how many of them may change something."""

from collections import Counter
from typing import Any

from sandbox.iam.wire.call import Call

CALLS = "calls"
"""The service whose version changes with every call, including reads (see `changes`), for those who display calls."""


class Calls:
    """Counts by caller and action since the last reset."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, bool]] = Counter()

    def add(self, call: Call, arn: str) -> None:
        """Count one call."""
        self._counts[arn, f"{call.service}:{call.action}", call.writes] += 1

    def reset(self) -> None:
        """Reset the counts."""
        self._counts.clear()

    def to_json(self) -> dict[str, Any]:
        """`{"all", "writes", "callers": {ARN: {"all", "writes", "actions": {"service:Action": n}}}}`."""
        callers: dict[str, Any] = {}
        for (arn, action, writes), count in sorted(self._counts.items()):
            caller = callers.setdefault(arn, {"all": 0, "writes": 0, "actions": {}})
            caller["all"] += count
            caller["writes"] += count if writes else 0
            caller["actions"][action] = count
        return {
            "all": sum(c["all"] for c in callers.values()),
            "writes": sum(c["writes"] for c in callers.values()),
            "callers": callers,
        }
