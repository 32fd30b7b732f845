"""Informers: the cluster's objects kept in memory, and a call for every change. List, then watch; no polling.

Written on plain JSON instead of `kubernetes.informer`, whose model objects cost milliseconds an event: the targets of a
scaled Deployment follow its endpoints within tenths of a second only because these events are cheap.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence

import urllib3

from sandbox.controller.kube import KINDS, Handler, Kube, KubeError
from sandbox.controller.model.objects import Key, key
from sandbox.controller.model.stack import Json

log = logging.getLogger(__name__)
_WATCH_SECONDS = 300
_GONE = 410


def trimmed(obj: Json) -> Json:
    """An object without what nobody reads."""
    obj["metadata"].pop("managedFields", None)
    return obj


def trimmed_pod(obj: Json) -> Json:
    """A pod as far as the controller needs it: a thousand of them are kept."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    kept = ("name", "namespace", "uid", "labels", "resourceVersion", "deletionTimestamp")
    interface = (meta.get("annotations") or {}).get("vpc.amazonaws.com/pod-eni")
    return {
        "metadata": {k: meta[k] for k in kept if k in meta}
        | ({"annotations": {"vpc.amazonaws.com/pod-eni": interface}} if interface else {}),
        "spec": {
            "nodeName": spec.get("nodeName", ""),
            "readinessGates": spec.get("readinessGates") or [],
            "ports": [port for container in spec.get("containers") or [] for port in container.get("ports") or []],
        },
        "status": {k: status[k] for k in ("podIP", "conditions", "phase") if k in status},
    }


class Store:
    """Objects by kind, namespace and name; thread-safe; answers `model.objects.Objects`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kinds: dict[str, dict[str, dict[str, Json]]] = {kind: {} for kind in KINDS}

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """One object, None where there is none."""
        with self._changed:
            return self._kinds[kind].get(namespace, {}).get(name)

    def list(self, kind: str, namespace: str | None = None) -> list[Json]:
        """All objects of a kind (in one namespace)."""
        with self._changed:
            if namespace is not None:
                return list(self._kinds[kind].get(namespace, {}).values())
            return [obj for objects in self._kinds[kind].values() for obj in objects.values()]

    def put(self, kind: str, obj: Json) -> Json | None:
        """Keep an object; returns what was kept before."""
        namespace, name = key(obj)
        with self._changed:
            objects = self._kinds[kind].setdefault(namespace, {})
            old, objects[name] = objects.get(name), obj
            self._changed.notify_all()
            return old

    def drop(self, kind: str, where: Key) -> Json | None:
        """Forget an object; returns what was kept."""
        with self._changed:
            old = self._kinds[kind].get(where[0], {}).pop(where[1], None)
            self._changed.notify_all()
            return old

    def keys(self, kind: str) -> set[Key]:
        """Where objects of a kind are kept."""
        with self._changed:
            return {(namespace, name) for namespace, objects in self._kinds[kind].items() for name in objects}

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until `condition`, asked again at every change, holds; whether it did within `seconds`."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)


class Informer:
    """Keeps one kind (or one named object) in a store and tells handlers of every change as (old, new)."""

    def __init__(
        self,
        kube: Kube,
        store: Store,
        kind: str,
        namespace: str = "",
        *,
        name: str = "",
        trim: Callable[[Json], Json] = trimmed,
    ) -> None:
        """Watch a kind in one namespace (all where empty), one object of it if `name` is given."""
        self._kube, self._store, self.kind, self._trim = kube, store, kind, trim
        self._namespace = namespace if KINDS[kind].namespaced else ""
        self._query = {"fieldSelector": f"metadata.name={name}"} if name else {}
        self._name = name
        self._handlers: list[Handler] = []
        self._version = ""
        self.synced = threading.Event()
        self.stopped = threading.Event()

    def handle(self, handler: Handler) -> None:
        """Call `handler(old, new)` at every change; None stands for "was not there", "is gone"."""
        self._handlers.append(handler)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._run, name=f"watch-{self.kind}", daemon=True).start()

    def _run(self) -> None:
        wait = 0.2
        while not self.stopped.is_set():
            try:
                if not self._version:
                    self._version = self._list()
                    self.synced.set()
                self._follow()
                wait = 0.2
            except KubeError as error:
                if error.code == _GONE:
                    self._version = ""  # too old for the server: list anew
                    continue
                log.warning("cannot watch %s: %s", self.kind, error)
                wait = self._pause(wait)
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                log.debug("watch of %s broke: %s", self.kind, error)
                wait = self._pause(wait)

    def _pause(self, wait: float) -> float:
        self.stopped.wait(wait * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        return min(wait * 2, 5.0)

    def _list(self) -> str:
        answer = self._kube.list(self.kind, self._namespace, **self._query)
        found: set[Key] = set()
        for item in answer.get("items") or []:
            obj = self._trim(item)
            found.add(key(obj))
            self._changed(obj)
        mine = {k for k in self._store.keys(self.kind) if not self._name or k == (self._namespace, self._name)}
        for where in mine - found:
            self._gone(where)
        return answer["metadata"]["resourceVersion"]

    def _follow(self) -> None:
        began = time.monotonic()
        for event in self._kube.watch(self.kind, self._namespace, self._version, _WATCH_SECONDS, **self._query):
            obj = event["object"]
            if event["type"] == "ERROR":
                raise KubeError(obj.get("code", 0), obj.get("reason", ""), obj.get("message", ""))
            # A stream that breaks goes on from here: an event that came twice would bring back what is gone.
            self._version = obj["metadata"]["resourceVersion"]
            if event["type"] in ("ADDED", "MODIFIED"):
                self._changed(self._trim(obj))
            elif event["type"] == "DELETED":
                self._gone(key(obj))
            if self.stopped.is_set():
                break
        if time.monotonic() - began < 1:
            self.stopped.wait(0.2)  # a server that ends every stream at once is on its way down

    def _changed(self, obj: Json) -> None:
        old = self._store.put(self.kind, obj)
        if old is None or old["metadata"].get("resourceVersion") != obj["metadata"].get("resourceVersion"):
            self._tell(old, obj)

    def _gone(self, where: Key) -> None:
        old = self._store.drop(self.kind, where)
        if old is not None:
            self._tell(old, None)

    def _tell(self, old: Json | None, new: Json | None) -> None:
        for handler in self._handlers:
            try:
                handler(old, new)
            except Exception:
                # One object that a handler trips over must not end the watch of all others.
                log.exception("handling a change of %s %s", self.kind, key(new or old or {"metadata": {"name": "?"}}))


def start_all(informers: Sequence[Informer], seconds: float, ended: threading.Event) -> bool:
    """Start informers and wait until each has listed its kind; whether all did within `seconds` and before `ended`."""
    for informer in informers:
        informer.start()
    deadline = time.monotonic() + seconds
    while not all(informer.synced.is_set() for informer in informers):
        if ended.wait(0.02) or time.monotonic() > deadline:
            return False
    return True
