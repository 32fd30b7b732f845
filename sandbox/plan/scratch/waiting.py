"""When the controller is done: decided from its metrics, from what AWS was asked and what the cluster shows. Pure.

A look is taken again and again. Done is: every object that asks for a load balancer has an outcome; the controller's
queues are empty and no reconciliation runs, twice in a row with nothing written between. What failed is tried again and
again, so that a controller with failures is never idle: then done is when nothing but failures has come for a while,
and each of them has come again.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Object = dict[str, Any]

PATIENCE: Final = 8.0
"""Seconds of silence after which what is missing will not come."""
_AGAIN: Final = 1.0
"""Seconds in which nothing but failures comes. After twice as many a failure counts although it came once only: retries
come ever more seldom."""
_METRIC: Final = re.compile(r"^(\w+)(?:\{(.*)\})? ([-+\d.eE]+)$", re.MULTILINE)
ASKING: Final = ("Ingress", "Service", "Gateway", "TargetGroupBinding")
_SPEAKERS: Final = ("ingress", "service", "targetGroupBinding", "gateway.k8s.aws/alb", "gateway.k8s.aws/nlb")
"""The controller's names in its Events. Kubernetes reports on the same objects too.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/main.go
"""
_BUSY: Final = ("workqueue_depth", "controller_runtime_active_workers")
_DONE: Final = "controller_runtime_reconcile_total"


@dataclass(frozen=True)
class Outcome:
    """The controller's last word on an object: an Event."""

    reason: str
    message: str
    failed: bool
    version: int
    """The Event's resource version: later ones are larger."""


@dataclass(frozen=True)
class Look:
    """What there is at one moment."""

    busy: bool
    """Whether something is queued or reconciled."""
    done: int
    """Reconciliations that succeeded so far."""
    writes: int
    """Calls to AWS that change something, so far."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict[str, Outcome])
    """Object -> the controller's last word."""
    waiting: tuple[str, ...] = ()
    """What else is on its way: pods that start or end, objects that are being deleted."""

    @property
    def signature(self) -> Any:
        """What does not change any more when the controller is done."""
        words = {name: (o.reason, "" if o.failed else o.version) for name, o in self.outcomes.items()}
        return self.done, 0 if self.failed else self.writes, words, self.waiting

    @property
    def failed(self) -> list[int]:
        """The versions of the outcomes that are failures."""
        return [outcome.version for outcome in self.outcomes.values() if outcome.failed]


@dataclass
class Watch:
    """Follows looks until nothing happens any more."""

    expected: Mapping[str, int]
    """Object -> the resource version that its outcome has to be later than."""
    _last: Any = None
    _since: float = 0.0
    _seen: int = 0

    def missing(self, look: Look) -> list[str]:
        """What has no outcome yet."""
        return [
            name for name, version in self.expected.items()
            if name not in look.outcomes or look.outcomes[name].version <= version
        ]  # fmt: skip

    def finished(self, look: Look, now: float) -> bool:
        """Whether the controller is done, as far as this look tells."""
        if (look.busy and not look.failed) or look.signature != self._last:
            self._last, self._since = look.signature, now
            self._seen = max((o.version for o in look.outcomes.values()), default=0)
            return False
        quiet = now - self._since
        if quiet >= PATIENCE:
            return True
        if self.missing(look) or look.waiting:
            return False
        again = all(version > self._seen for version in look.failed)
        return not look.failed or quiet >= 2 * _AGAIN or (quiet >= _AGAIN and again)


def metrics(text: str) -> tuple[bool, int]:
    """Whether the controller has work, and how many reconciliations succeeded, by its own metrics."""
    busy, done = False, 0.0
    for name, labels, value in _METRIC.findall(text):
        busy = busy or (name in _BUSY and float(value) > 0)
        if name == _DONE and 'result="success"' in labels:
            done += float(value)
    return busy, int(done)


def named(document: Object) -> str:
    """`Ingress shop/web`."""
    metadata = document["metadata"]
    namespace = metadata.get("namespace")
    return (
        f"{document['kind']} {namespace}/{metadata['name']}" if namespace else f"{document['kind']} {metadata['name']}"
    )


def outcomes(events: Iterable[Object], there: Iterable[Object]) -> dict[str, Outcome]:
    """The controller's last word on each object that it has spoken of and that is still there.

    Events outlive their objects: a kept planner has those of earlier plans.
    """
    known = {one["metadata"]["uid"] for one in there}
    found: dict[str, Outcome] = {}
    for event in events:
        about = event["involvedObject"]
        speaker = (event.get("source") or {}).get("component") or event.get("reportingComponent")
        if about.get("kind") not in ASKING or about.get("uid") not in known or speaker not in _SPEAKERS:
            continue
        name = f"{about['kind']} {about.get('namespace')}/{about.get('name')}"
        version = int(event["metadata"]["resourceVersion"])
        if name not in found or found[name].version < version:
            failed = event.get("type") == "Warning"
            found[name] = Outcome(event.get("reason", ""), event.get("message", ""), failed, version)
    return found


def unready(pods: Iterable[Object]) -> list[str]:
    """Pods that are on their way: neither ready nor known to have no place."""
    found = list[str]()
    for pod in pods:
        conditions = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or []}
        going = bool(pod["metadata"].get("deletionTimestamp"))
        ready = conditions.get("Ready", {}).get("status") == "True"
        gated = any(
            t.startswith("target-health.")
            for t in (g["conditionType"] for g in pod["spec"].get("readinessGates") or [])
        )
        ready = ready or (gated and conditions.get("ContainersReady", {}).get("status") == "True")
        ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if going or not (ready or ended):
            found.append(named({**pod, "kind": "Pod"}))
    return found


def described(pod: Object) -> str:
    """A pod's name and phase, and what its status says is missing."""
    status: Object = pod.get("status") or {}
    words = [
        f"{c['type']} is False: {c.get('reason', '')} {c.get('message', '')}".strip()
        for c in status.get("conditions") or []
        if c["status"] == "False"
    ]
    for container in status.get("containerStatuses") or []:
        words += [
            f"container {container['name']} {key}: {json.dumps(container[key])}"
            for key in ("state", "lastState")
            if container.get(key)
        ]
    return f"{named({**pod, 'kind': 'Pod'})} is {status.get('phase', 'Pending')}: {', '.join(words) or 'not ready'}"


def unobserved(bindings: Iterable[Object]) -> list[str]:
    """TargetGroupBindings that the controller has not handled yet."""
    return [
        named(b) for b in bindings if (b.get("status") or {}).get("observedGeneration", 0) < b["metadata"]["generation"]
    ]


def incomplete(workloads: Iterable[Object]) -> list[str]:
    """Workloads that have not made their pods yet, or not ended the old ones."""
    found = list[str]()
    for one in workloads:
        spec, status = one["spec"], one.get("status") or {}
        wanted = status.get("desiredNumberScheduled") if one["kind"] == "DaemonSet" else spec.get("replicas", 1)
        have = status.get("currentNumberScheduled" if one["kind"] == "DaemonSet" else "replicas", 0)
        if status.get("observedGeneration", 0) < one["metadata"]["generation"] or wanted != have:
            found.append(named(one))
    return found
