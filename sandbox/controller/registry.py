"""What is registered in target groups: asked once, then known by what we did ourselves, asked anew after minutes."""

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code
from sandbox.controller.endpoints import Target
from sandbox.controller.model.stack import Json

log = logging.getLogger(__name__)
_SECONDS = 300.0
_A_CALL = 200
GONE = ("TargetGroupNotFound", "ValidationError", "InvalidTarget")


class Registry:
    """Targets of target groups. Thread-safe as long as one thread works on one target group."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, set[Target]]] = {}
        self._doomed: set[str] = set()

    def doom(self, groups: Iterable[str]) -> None:
        """These target groups are about to be deleted: their targets need not be taken out one by one."""
        with self._lock:
            self._doomed = set(groups) | self._doomed

    def doomed(self, group: str) -> bool:
        """Whether the target group is about to be deleted."""
        with self._lock:
            return group in self._doomed

    def forget(self, group: str | None = None) -> None:
        """Ask AWS anew about one target group, or all."""
        with self._lock:
            if group is None:
                self._known.clear()
                self._doomed.clear()
            else:
                self._known.pop(group, None)

    def targets(self, group: str) -> set[Target]:
        """What is registered and not on its way out."""
        with self._lock:
            taken, known = self._known.get(group, (float("-inf"), set[Target]()))
        if time.monotonic() - taken > _SECONDS:
            known = {target for target, health in self._describe(group) if health["State"] != "draining"}
            self._keep(group, known, time.monotonic())
        return set(known)

    def health(self, group: str, targets: Iterable[Target]) -> dict[Target, Json]:
        """The health of some targets, asked now."""
        wanted = sorted(targets)
        result: dict[Target, Json] = {}
        for start in range(0, len(wanted), _A_CALL):
            chunk = [_shape(target) for target in wanted[start : start + _A_CALL]]
            result |= dict(self._describe(group, Targets=chunk))
        return result

    def register(self, group: str, targets: Iterable[Json]) -> None:
        """Register targets (AWS's shape)."""
        self._change(self._aws.elb.register_targets, group, list(targets), add=True)

    def deregister(self, group: str, targets: Iterable[Target]) -> None:
        """Deregister targets."""
        self._change(self._aws.elb.deregister_targets, group, [_shape(t) for t in sorted(targets)], add=False)

    def _change(self, call: Any, group: str, targets: list[Json], *, add: bool) -> None:
        for start in range(0, len(targets), _A_CALL):
            chunk = targets[start : start + _A_CALL]
            try:
                call(TargetGroupArn=group, Targets=chunk)
            except ClientError:
                self.forget(group)
                raise
            changed = {Target(t["Id"], t["Port"]) for t in chunk}
            with self._lock:
                taken, known = self._known.get(group, (float("-inf"), set[Target]()))
                self._known[group] = taken, known | changed if add else known - changed
            log.info("%s %d targets: %s", "registered" if add else "deregistered", len(chunk), group)

    def _describe(self, group: str, **which: Any) -> list[tuple[Target, Json]]:
        answer = self._aws.elb.describe_target_health(TargetGroupArn=group, **which)
        return [
            (Target(d["Target"]["Id"], d["Target"]["Port"]), d["TargetHealth"])
            for d in answer["TargetHealthDescriptions"]
        ]

    def _keep(self, group: str, targets: set[Target], taken: float) -> None:
        with self._lock:
            self._known[group] = taken, set(targets)


def _shape(target: Target) -> Json:
    return {"Id": target.id, "Port": target.port}


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the target group is not there."""
    return code(error) in GONE
