"""What differs between two states: a tree of what is added, changed in place, replaced and removed, and why. Pure.

Whether a thing is replaced is not guessed: it is another thing (another ARN) under the same key.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.plan.result.words import children, fields, title

Json = dict[str, Any]

ADD, CHANGE, REPLACE, REMOVE, KEEP = "add", "change", "replace", "remove", "keep"
ACTIONS: Final = (ADD, CHANGE, REPLACE, REMOVE)
# What AWS has no call to change. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
_FIXED: Final = {
    "load balancer": ("type", "scheme", "name"),
    "target group": ("target type", "protocol", "protocol version", "address type", "port", "health check"),
}
_DNS: Final = (
    "its DNS name changes: traffic to the old name stops when the old load balancer is deleted;"
    " records that point at it have to follow"
)
_ANEW: Final = "its targets register anew: behind it nothing is healthy until health checks have passed"


@dataclass
class Change:
    """What happens to one thing, and to what is below it."""

    kind: str
    """`load balancer`, `listener`, `rule`, `target group`, `security group`."""
    key: str
    title: str
    action: str
    fields: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict[str, tuple[list[str], list[str]]])
    """Name -> values before and after; only what differs, unless all of it is new or goes."""
    reasons: list[str] = field(default_factory=list[str])
    """Why it is replaced."""
    warnings: list[str] = field(default_factory=list[str])
    """What it does to traffic."""
    children: "list[Change]" = field(default_factory=list)  # pyright: ignore[reportUnknownVariableType]

    def to_json(self) -> Json:
        """As the document of a plan has it."""
        return {
            "kind": self.kind,
            "key": self.key,
            "action": self.action,
            "fields": {name: {"before": a, "after": b} for name, (a, b) in self.fields.items()},
            "reasons": self.reasons,
            "warnings": self.warnings,
            "children": [child.to_json() for child in self.children],
        }


@dataclass(frozen=True)
class Difference:
    """All of it."""

    changes: list[Change]
    """Load balancers, and target groups without one."""
    moved: list[Json]
    """Objects whose host name changes: `{"object", "before", "after"}` with the keys of load balancers."""

    @property
    def summary(self) -> dict[str, int]:
        """How many load balancers are added, changed, replaced and removed."""
        counted = Counter(c.action for c in self.changes if c.kind == "load balancer")
        return {action: counted[action] for action in ACTIONS}

    @property
    def empty(self) -> bool:
        """Whether nothing happens."""
        return all(change.action == KEEP for change in self.changes)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """What leads from one state to another."""
    old, new = (state.get("loadBalancers") or [] for state in (before, after))
    changes = _compared("load balancer", old, new)
    loose = _compared("target group", before.get("targetGroups") or [], after.get("targetGroups") or [])
    _warn_of_moved_targets(changes)
    return Difference([*changes, *loose], _moved(old, new))


def _compared(kind: str, old: Iterable[Json], new: Iterable[Json], *, parent: str = CHANGE) -> list[Change]:
    before, after = {_key(kind, e): e for e in old}, {_key(kind, e): e for e in new}
    keys = [*after, *(key for key in before if key not in after)]
    return [_change(kind, key, before.get(key), after.get(key), parent) for key in keys]


def _key(kind: str, entity: Json) -> str:
    """What makes a thing the same one before and after."""
    match kind:
        case "listener":
            # Its protocol may change; only TCP and UDP share a port.
            return f"{'UDP ' if entity['protocol'] == 'UDP' else ''}{entity['port']}"
        case "rule":
            return " and ".join(entity["conditions"]) or f"priority {entity['priority']}"
        case "security group":
            return entity["name"]
        case _:
            return entity["key"]


def _change(kind: str, key: str, before: Json | None, after: Json | None, parent: str) -> Change:
    one = after or before or {}
    old, new = (fields(kind, entity) if entity else {} for entity in (before, after))
    below = [
        change
        for name in dict.fromkeys([*(children(kind, before or {})), *(children(kind, after or {}))])
        for change in _compared(
            name, children(kind, before or {}).get(name, []), children(kind, after or {}).get(name, []),
            parent=_action(before, after, parent),
        )
    ]  # fmt: skip
    action = _action(before, after, parent)
    differ = {n: (old.get(n, []), new.get(n, [])) for n in dict.fromkeys([*new, *old]) if old.get(n) != new.get(n)}
    if action == KEEP and (differ or any(c.action != KEEP for c in below)):
        action = CHANGE
    change = Change(kind, key, title(kind, one), action, differ, children=below)
    if action == REPLACE:
        change.reasons = _reasons(kind, differ, parent)
        change.warnings.append(_DNS if kind == "load balancer" else _ANEW)
    if kind == "listener" and action == CHANGE and "protocol" in differ:
        (was,), (becomes,) = differ["protocol"]
        change.warnings.append(f"it changes its protocol from {was} to {becomes}: clients of the old one fail")
    return change


def _action(before: Json | None, after: Json | None, parent: str) -> str:
    if before is None:
        return ADD
    if after is None:
        return REMOVE
    if before.get("identity") == after.get("identity"):
        return KEEP
    # A listener of a load balancer that is replaced says nothing new by being another one.
    return KEEP if parent == REPLACE and after["identity"].rpartition(":")[2].startswith("listener/") else REPLACE


def _reasons(kind: str, differ: Mapping[str, tuple[list[str], list[str]]], parent: str) -> list[str]:
    fixed = [name for name in _FIXED.get(kind, ()) if name in differ]
    if fixed:
        return [
            f"{name} {', '.join(differ[name][0]) or 'none'} -> {', '.join(differ[name][1]) or 'none'}:"
            " the controller cannot change it in place"
            for name in fixed
            if name != "name" or len(fixed) == 1
        ]
    if parent in (REPLACE, ADD):
        return ["its load balancer is replaced"]
    return ["the controller makes it anew, for what it belongs to has changed"]


def _warn_of_moved_targets(changes: Sequence[Change]) -> None:
    """Mark removed target groups whose targets move to another group: they are replaced, under another key."""
    groups = [child for change in changes for child in change.children if child.kind == "target group"]
    added = {target: g for g in groups if g.action == ADD for target in g.fields.get("targets", ([], []))[1]}
    for group in groups:
        if group.action == REMOVE:
            follows = next((added[t] for t in group.fields.get("targets", ([], []))[0] if t in added), None)
            if follows is not None:
                group.warnings.append(f"its targets go to target group {follows.key}")
                follows.warnings.append(_ANEW)


def _moved(old: Iterable[Json], new: Iterable[Json]) -> list[Json]:
    before = {owner: b for b in old for owner in b.get("owners", [])}
    after = {owner: b for b in new for owner in b.get("owners", [])}
    return [
        {"object": owner, "before": before[owner]["key"], "after": after[owner]["key"]}
        for owner in sorted(before.keys() & after.keys())
        if before[owner]["identity"] != after[owner]["identity"]
    ]
