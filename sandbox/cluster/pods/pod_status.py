"""The status of a process pod, as its kubelet would write it."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.cluster.api import Object

_LONGEST_MESSAGE = 2048
"""How much of the log a kubelet uses as a termination message."""


@dataclass
class ContainerState:
    """The state of one container."""

    name: str
    image: str
    restarts: int = 0
    started_at: str | None = None
    """None: it is not running."""
    ready: bool = False
    waiting: tuple[str, str] = ("ContainerCreating", "")
    """Reason and message, while it is not running."""
    last: dict[str, Any] | None = field(default=None)
    """How its last process ended: exitCode, reason, startedAt, finishedAt."""

    def to_status(self) -> Object:
        """Its entry in `containerStatuses`, as a merge patch: its other states are null."""
        state: dict[str, Any] = {"running": None, "waiting": None, "terminated": None}
        if self.started_at is not None:
            state["running"] = {"startedAt": self.started_at}
        else:
            state["waiting"] = {"reason": self.waiting[0], "message": self.waiting[1]}
        return {
            "name": self.name,
            "image": self.image,
            "imageID": "",
            "ready": self.ready and self.started_at is not None,
            "started": self.started_at is not None,
            "restartCount": self.restarts,
            "state": state,
            "lastState": {"terminated": self.last} if self.last else {},
        }


def terminated(exit_code: int, started_at: str, finished_at: str, message: str = "") -> dict[str, Any]:
    """How a process ended, with its last output. A signal counts as 128 plus its number, as in shells and kubelets."""
    code = 128 - exit_code if exit_code < 0 else exit_code
    reason = "Completed" if code == 0 else "Error"
    ended = {"exitCode": code, "reason": reason, "startedAt": started_at, "finishedAt": finished_at}
    return {**ended, "message": message[-_LONGEST_MESSAGE:]} if code and message else ended


def _condition(kind: str, reason: str, message: str) -> dict[str, Any]:
    # Null removes a reason, because the patch is merged into the current status.
    return {"type": kind, "status": "False" if reason else "True", "reason": reason or None, "message": message or None}


def conditions(pod: Object, containers: list[ContainerState]) -> list[dict[str, Any]]:
    """Initialized, ContainersReady and Ready; Ready also waits for the readiness gates."""
    unready = [c.name for c in containers if not (c.ready and c.started_at)]
    present = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions") or []}
    gates = [g["conditionType"] for g in pod["spec"].get("readinessGates") or []]
    closed = [gate for gate in gates if present.get(gate) != "True"]
    not_ready = ("ContainersNotReady", f"containers with unready status: {unready}") if unready else ("", "")
    gated = ("ReadinessGatesNotReady", f"readiness gates that are not True: {closed}") if closed else ("", "")
    return [
        _condition("Initialized", "", ""),
        _condition("ContainersReady", *not_ready),
        _condition("Ready", *(not_ready if unready else gated)),
    ]


def pod_status(pod: Object, containers: list[ContainerState], now: str) -> Object:
    """The status to merge into the pod's. Transition times change only when the condition's status changes."""
    before = {c["type"]: c for c in pod.get("status", {}).get("conditions") or []}
    made = conditions(pod, containers)
    for condition in made:
        old = before.get(condition["type"], {})
        same = old.get("status") == condition["status"]
        condition["lastTransitionTime"] = old.get("lastTransitionTime", now) if same else now
    phase = "Running" if any(c.started_at or c.restarts for c in containers) else "Pending"
    return {
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or now,
        "conditions": made,
        "containerStatuses": [c.to_status() for c in containers],
    }


def backoff(restarts: int) -> float:
    """Seconds to wait before the nth restart of a container: at once, then 1, 2, 4... 30.

    A kubelet begins with 10 and ends with 300; here a person at a laptop is waiting.
    """
    return 0.0 if restarts <= 1 else min(2.0 ** (restarts - 2), 30.0)
