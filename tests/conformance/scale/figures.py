"""What a run at scale has measured, as docs/measured/scale.json keeps it."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from tests.conformance.place import Usage


@dataclass(frozen=True)
class Sample:
    """One look at a run.

    Attributes:
        at: Seconds since its begin.
        hosts: Ingresses with a host name.
        targets: Targets that the controller has registered.
        cpu: CPU seconds so far, by part.
    """

    at: float
    hosts: int
    targets: int
    cpu: dict[str, float]


@dataclass(frozen=True)
class Action:
    """An AWS action as the controller sees it, from its own metrics.

    Attributes:
        calls: How often it was called.
        seconds: All answers together.
        quick: Answers within 5 ms, the smallest bound that the controller counts by.
    """

    calls: int
    seconds: float
    quick: int


@dataclass(frozen=True)
class Workers:
    """The controller's workers for one kind of object, and the seconds that all of them together were busy."""

    count: int
    busy: float


@dataclass(frozen=True)
class Read:
    """A read as one client sees it while the controller is idle, in milliseconds."""

    median: float
    p99: float


@dataclass(frozen=True)
class Run:
    """One run, from the first object to the last target.

    Attributes:
        what: What is made.
        pods: How many targets it has.
        hosts: Host names that it waits for.
        hosts_after: Seconds until all of them are there; 0 if there are none.
        targets_after: Seconds until every target is registered.
        applied_after: Seconds until the last object was given to the cluster.
        cores: The machine's.
        machine_busy: CPU seconds of everything on the machine.
        parts: By name.
        samples: In order.
        actions: By `service:action`.
        waited: Seconds that all calls took in the controller, with what it waits before it sends a request.
        workers: By kind of object.
        reads: By what is read.
    """

    what: str
    pods: int
    hosts: int
    hosts_after: float
    targets_after: float
    applied_after: float
    cores: int
    machine_busy: float
    parts: dict[str, Usage]
    samples: list[Sample]
    actions: dict[str, Action]
    waited: float
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
