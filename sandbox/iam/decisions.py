"""IAM's decisions: who asked for what, and which statement decided."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sandbox.iam.language.evaluate import Policy, Statement
from sandbox.iam.language.patterns import like

_KEPT = 50_000


@dataclass(frozen=True)
class Entry:
    """One decision."""

    time: float
    principal: str
    """The ARN that GetCallerIdentity returns."""
    source: str
    """The user or role behind it."""
    action: str
    resource: str
    keys: Mapping[str, Sequence[str]]
    """The condition keys of action and resource, without the caller's."""
    allowed: bool
    why: str
    """`root`, or the reason that the caller gets."""
    statements: tuple[Statement, ...] = ()
    """All statements that allowed it, or the one that denied it."""

    def to_json(self) -> dict[str, Any]:
        """The entry as it appears in the log."""
        return {
            "time": round(self.time, 3),
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "keys": {key: list(values) for key, values in self.keys.items()},
            "verdict": "allowed" if self.allowed else "denied",
            "why": self.why,
            "statements": [{"policy": s.policy, "index": s.index, "sid": s.sid} for s in self.statements],
        }


@dataclass
class Decisions:
    """The last decisions, and counts of all. With a path, every decision is also written to that file as a line."""

    path: Path | None = None
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_KEPT))
    counts: Counter[tuple[str, str, bool]] = field(default_factory=Counter[tuple[str, str, bool]])
    """By source, action and verdict."""
    uses: Counter[tuple[str, str, int, str]] = field(default_factory=Counter[tuple[str, str, int, str]])
    """By source, policy, statement and action: how often that statement allowed it."""
    _file: IO[str] | None = None

    def add(self, entry: Entry) -> None:
        """Record one decision."""
        self.entries.append(entry)
        self.counts[entry.source, entry.action, entry.allowed] += 1
        if entry.allowed:
            for each in entry.statements:
                self.uses[entry.source, each.policy, each.index, entry.action] += 1
        if self.path:
            if self._file is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = self.path.open("a", buffering=1)
            self._file.write(json.dumps(entry.to_json(), separators=(",", ":")) + "\n")

    def clear(self) -> None:
        """Clear the log; the file stays."""
        self.entries.clear()
        self.counts.clear()
        self.uses.clear()

    def denied(self) -> Iterator[Entry]:
        """The refusals, oldest first."""
        return (entry for entry in self.entries if not entry.allowed)

    def unused(self, source: str, policies: Iterable[Policy]) -> Iterator[tuple[Statement, str]]:
        """What a principal's policies grant and it never used: statement and action, with wildcards unexpanded."""
        for each in policies:
            for statement in each.statements:
                used = {a for s, p, i, a in self.uses if (s, p, i) == (source, each.name, statement.index)}
                for pattern in statement.actions if statement.allows else ():
                    if not any(like(action.lower(), pattern) for action in used):
                        yield statement, pattern

    def to_json(self) -> dict[str, Any]:
        """`{"entries": [...], "callers": {source: {action: {"allowed": n, "denied": n}}}}`."""
        callers: dict[str, dict[str, dict[str, int]]] = {}
        for (source, action, allowed), count in sorted(self.counts.items()):
            row = callers.setdefault(source, {}).setdefault(action, {"allowed": 0, "denied": 0})
            row["allowed" if allowed else "denied"] += count
        return {"entries": [entry.to_json() for entry in self.entries], "callers": callers}
