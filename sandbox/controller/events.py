"""Kubernetes Events about what the controller does, written beside the work and never in its way."""

import datetime as dt
import logging
import queue
import threading
from collections import OrderedDict

import urllib3

from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.objects import key
from sandbox.controller.model.stack import Json

log = logging.getLogger(__name__)
_API = {
    "Service": "v1",
    "Ingress": "networking.k8s.io/v1",
    "TargetGroupBinding": "elbv2.k8s.aws/v1beta1",
    "Gateway": "gateway.networking.k8s.io/v1",
}
_COMPONENT = {
    "Service": "service",
    "Ingress": "ingress",
    "TargetGroupBinding": "targetGroupBinding",
    "Gateway": "gateway",
}
_REMEMBERED, _WAITING, _LONGEST = 4096, 10000, 1024
_Same = tuple[str, str, str, str]


class Events:
    """Records events; the same one again only counts up, as Kubernetes' own recorder does."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._queue: queue.Queue[tuple[str, Json, str, str, str]] = queue.Queue(_WAITING)
        self._known: OrderedDict[_Same, tuple[str, int]] = OrderedDict()
        threading.Thread(target=self._run, name="events", daemon=True).start()

    def normal(self, kind: str, obj: Json, reason: str, message: str) -> None:
        """Say that something went as it should."""
        self._put(kind, obj, "Normal", reason, message)

    def warning(self, kind: str, obj: Json, reason: str, message: str) -> None:
        """Say that something did not."""
        log.warning("%s %s: %s: %s", kind, "/".join(key(obj)), reason, message)
        self._put(kind, obj, "Warning", reason, message)

    def _put(self, kind: str, obj: Json, severity: str, reason: str, message: str) -> None:
        try:
            self._queue.put_nowait((kind, obj, severity, reason, message[:_LONGEST]))
        except queue.Full:
            log.debug("event dropped: %s", message)

    def _run(self) -> None:
        while True:
            kind, obj, severity, reason, message = self._queue.get()
            try:
                self._write(kind, obj, severity, reason, message)
            except (KubeError, urllib3.exceptions.HTTPError, OSError) as error:
                log.debug("event not written: %s", error)

    def _write(self, kind: str, obj: Json, severity: str, reason: str, message: str) -> None:
        namespace, name = key(obj)
        uid = obj["metadata"].get("uid", "")
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        same = (uid, severity, reason, message)
        if same in self._known:
            event, count = self._known[same]
            self._known.move_to_end(same)
            self._known[same] = (event, count + 1)
            try:
                self._kube.patch("Event", namespace, event, {"count": count + 1, "lastTimestamp": now})
            except KubeError as error:
                if not error.missing:
                    raise
                del self._known[same]
            else:
                return
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{name}.", "namespace": namespace},
            "involvedObject": {
                "apiVersion": _API[kind],
                "kind": kind,
                "namespace": namespace,
                "name": name,
                "uid": uid,
                "resourceVersion": obj["metadata"].get("resourceVersion", ""),
            },
            "type": severity,
            "reason": reason,
            "message": message,
            "source": {"component": _COMPONENT[kind]},
            "reportingComponent": _COMPONENT[kind],
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        created = self._kube.create("Event", namespace, body)
        self._known[same] = (created["metadata"]["name"], 1)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
