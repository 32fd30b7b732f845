"""What was asked of AWS, and what IAM said, as items. Pure. The shapes that come in: `sandbox.iam.questions`."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.observe.view.items import Item, Json, item

KEPT = 200
"""How many of the last calls the page has."""
_MOSTLY = "elasticloadbalancing:"
"""The service that is not named in front of each action: most are its."""
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
    """The page's middle column: the last calls, newest first, those refused by themselves; how often who did what."""
    runs = [[*run] for _, run in itertools.groupby(entries[-KEPT:], _same)]
    recent = [call(run) for run in reversed(runs)]
    return {"denied": [each for each in recent if each["mood"]], "recent": recent, "counts": totals(counts)}


def call(run: Sequence[Json]) -> Item:
    """A call, or several in a row that were the same, as IAM judged them, from the first time to the last."""
    first, last = run[0], run[-1]
    resource: str = last["resource"]
    denied = last["verdict"] != "allowed"
    by = "; ".join(f"{s['sid'] or 'statement ' + str(s['index'])} of {s['policy']}" for s in last["statements"])
    times = f"{len(run)} times," if len(run) > 1 else ""
    return item(
        f"{first['time']} {last['action']} {resource}",
        last["action"].removeprefix(_MOSTLY),
        " ".join(w for w in (times, "denied" if denied else "", short(resource)) if w),
        "bad" if denied else "",
        time=clock(last["time"]),
        refs=[resource, balancer_name(resource)],
        details=[
            ("action", last["action"]),
            ("at", " to ".join(dict.fromkeys(clock(t["time"]) for t in (first, last))) + " UTC"),
            ("who", who(last["principal"])),
            ("resource", resource),
            ("IAM", f"{last['verdict']}: {last['why']}"),
            ("by", by),
            *((key, ", ".join(values)) for key, values in sorted(last["keys"].items())),
        ],
    )


def clock(seconds: float) -> str:
    """A time of the day, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"


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
            f"{sum(t['all'] for t in told)} calls, {sum(t['writes'] for t in told)} write",
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


def _same(entry: Json) -> tuple[str, ...]:
    return entry["principal"], entry["action"], entry["resource"], entry["verdict"]


def _summed(told: Iterable[Json]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in told:
        for action, count in each["actions"].items():
            found[action] = found.get(action, 0) + count
    return found
