"""What a run at scale has measured, as docs/measured/scale.json keeps it."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Part:
    """What a process used."""

    cpu: float
    """Seconds."""
    memory: float
    """The largest resident set in MiB."""


@dataclass(frozen=True)
class Sample:
    """One look at a run."""

    at: float
    """Seconds since its begin."""
    hosts: int
    """Ingresses with a host name."""
    targets: int
    """Targets that the controller has registered."""
    cpu: dict[str, float]
    """CPU seconds so far, by part."""


@dataclass(frozen=True)
class Action:
    """An AWS action as the controller sees it, from its own metrics."""

    calls: int
    seconds: float
    """All answers together."""
    quick: int
    """Answers within 5 ms, the smallest bound that the controller counts by."""


@dataclass(frozen=True)
class Workers:
    """The controller's workers for one kind of object."""

    count: int
    busy: float
    """Seconds, all workers together."""


@dataclass(frozen=True)
class Read:
    """A read as one client sees it, while the controller is idle."""

    median: float
    """Milliseconds, as the next."""
    p99: float


@dataclass(frozen=True)
class Run:
    """One run, from the first object to the last target."""

    what: str
    pods: int
    hosts: int
    """Host names that it waits for."""
    hosts_after: float
    """Seconds until all of them are there; 0 if there are none."""
    targets_after: float
    """Seconds until every target is registered."""
    applied_after: float
    """Seconds until the last object was given to the cluster."""
    cores: int
    machine_busy: float
    """CPU seconds of everything on the machine."""
    parts: dict[str, Part]
    samples: list[Sample]
    actions: dict[str, Action]
    """By `service:action`."""
    waited: float
    """Seconds that all calls took in the controller, with what it waits before it sends a request."""
    workers: dict[str, Workers]
    reads: dict[str, Read] = field(default_factory=dict[str, Read])

    @property
    def seconds(self) -> float:
        """Until everything was there."""
        return max(self.hosts_after, self.targets_after)


@dataclass(frozen=True)
class Figures:
    """All runs, and where they were made."""

    date: str
    commit: str
    machine: str
    runs: list[Run]


_FORMAT = TypeAdapter(Figures)


def to_json(figures: Figures) -> str:
    """The figures as text, numbers rounded."""
    return _FORMAT.dump_json(_FORMAT.validate_python(_rounded(_FORMAT.dump_python(figures)))).decode() + "\n"


def from_json(text: str) -> Figures:
    """The figures from the output of `to_json`."""
    return _FORMAT.validate_json(text)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return round(value, 3) if isinstance(value, float) else value
