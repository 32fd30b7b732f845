"""What was asked of AWS, and what IAM said, as items. Pure. The shapes that come in: `sandbox.iam.questions`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.view.items import Item, Json, item

KEPT = 200
"""How many of the last calls the page has."""
_NAMES = {"targetgroup": 0, "loadbalancer": 1, "listener": 1, "listener-rule": 1}
"""Where in an ARN of ELB, after its kind, the name stands."""


def who(principal: str) -> str:
    """Who calls, as people say it: the role behind a session, or the last part of an ARN."""
    parts = principal.split("/")
    return parts[1] if ":assumed-role/" in principal and len(parts) > 1 else principal.rpartition(":")[2]


def is_root(principal: str) -> bool:
    """Whether it is the account's root: the sandbox itself, and people."""
    return principal.endswith(":root")


def recent(entries: Iterable[Json]) -> list[Json]:
    """The decisions that are worth a line: those of roles."""
    return [entry for entry in entries if not is_root(entry["principal"])]


def section(entries: list[Json], counts: Mapping[str, Any]) -> dict[str, list[Item]]:
    """The page's middle column: the last calls, newest first, and how often each caller did what."""
    return {"recent": [call(entry) for entry in reversed(entries[-KEPT:])], "counts": totals(counts)}


def call(entry: Json) -> Item:
    """One call, as IAM judged it."""
    resource: str = entry["resource"]
    denied = entry["verdict"] != "allowed"
    at = datetime.fromtimestamp(entry["time"], UTC)
    by = "; ".join(f"{s['sid'] or 'statement ' + str(s['index'])} of {s['policy']}" for s in entry["statements"])
    return item(
        f"{entry['time']} {entry['action']} {resource}",
        entry["action"],
        " ".join([*(["denied"] if denied else []), short(resource)]),
        "bad" if denied else "",
        refs=[resource, balancer_name(resource)],
        details=[
            ("at", f"{at:%H:%M:%S}.{at.microsecond // 1000:03} UTC"),
            ("who", who(entry["principal"])),
            ("resource", resource),
            ("IAM", f"{entry['verdict']}: {entry['why']}"),
            ("by", by),
            *((key, ", ".join(values)) for key, values in sorted(entry["keys"].items())),
        ],
    )


def totals(counts: Mapping[str, Any]) -> list[Item]:
    """Calls by caller and action, most first; `counts` as `/_sandbox/calls` gives them."""
    callers: dict[str, Any] = {}
    for arn, told in counts.get("callers", {}).items():
        if not is_root(arn):
            callers.setdefault(who(arn), []).append(told)
    return [
        item(
            caller,
            caller,
            f"{sum(t['all'] for t in told)} calls, {sum(t['writes'] for t in told)} of them write",
            details=[(action, str(n)) for action, n in sorted(_summed(told).items(), key=lambda e: (-e[1], e[0]))],
        )
        for caller, told in sorted(callers.items())
    ]


def short(resource: str) -> str:
    """An ARN without account and region, and what ELB has without the ids at its end."""
    if not resource.startswith("arn:"):
        return resource.replace("*", "")
    name = resource.split(":", 5)[-1]
    kind, *rest = name.split("/")
    return rest[_NAMES[kind]] if kind in _NAMES and len(rest) > _NAMES[kind] else name


def balancer_name(resource: str) -> str:
    """What an ARN of a load balancer, listener or rule shares with its load balancer; empty for any other."""
    kind, *rest = resource.split(":", 5)[-1].split("/")
    return f"balancer {rest[1]}" if _NAMES.get(kind) == 1 and len(rest) > 1 else ""


def _summed(told: Iterable[Json]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in told:
        for action, count in each["actions"].items():
            found[action] = found.get(action, 0) + count
    return found
