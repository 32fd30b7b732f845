"""Which work a change asks for: from changed objects to the keys of groups, Services and bindings."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.controller.annotations import ALB, NLB
from sandbox.controller.endpoints import SERVICE_LABEL, condition
from sandbox.controller.events import Events
from sandbox.controller.gates import PREFIX
from sandbox.controller.kube import Handler
from sandbox.controller.model import groups, service
from sandbox.controller.model.objects import Key, annotations, deleting, finalizers, key
from sandbox.controller.model.stack import Json, StackId
from sandbox.controller.queue import WorkQueue
from sandbox.controller.settings import Settings
from sandbox.controller.watch import Store

log = logging.getLogger(__name__)
# Endpoints become ready in swarms, bindings come together: what happens within so many seconds is one change, with one
# call instead of one for each.
_SWARM_SECONDS = 0.04


def _changed(old: Json | None, new: Json | None, *parts: Callable[[Json], Any]) -> bool:
    return old is None or new is None or any(part(old) != part(new) for part in parts)


def _spec(obj: Json) -> Any:
    return obj.get("spec")


def _labels(obj: Json) -> Any:
    return obj["metadata"].get("labels")


def _node_state(node: Json) -> Any:
    spec = node.get("spec") or {}
    return condition(node, "Ready"), _labels(node), spec.get("taints"), spec.get("providerID")


class Routes:
    """Puts keys into the queues."""

    def __init__(
        self,
        store: Store,
        events: Events,
        settings: Settings,
        ingress: WorkQueue[StackId],
        services: WorkQueue[Key],
        *,
        bindings: WorkQueue[Key],
    ) -> None:
        self._store, self._events, self._settings = store, events, settings
        self._ingress, self._services, self._bindings = ingress, services, bindings
        self.waiting: set[Key] = set()
        self._open = False

    def when_open(self, route: Handler) -> Handler:
        """The route, which leads nowhere before `everything` was asked for: half a cluster would mislead it."""
        return lambda old, new: route(old, new) if self._open else None

    def everything(self) -> None:
        """All work there can be."""
        self._open = True
        for one in self._store.list("Ingress"):
            self._groups_of(one)
        for one in self._store.list("Service"):
            self._service_of(one)
        for one in self._store.list("TargetGroupBinding"):
            self._bindings.add(key(one))

    def ingress(self, old: Json | None, new: Json | None) -> None:
        """An Ingress changed."""
        if new is None or not _changed(old, new, annotations, _spec, deleting):
            return  # what is gone held no finalizer: there is nothing of it in AWS
        if old is not None:
            self._groups_of(old)
        self._groups_of(new)

    def ingress_class(self, old: Json | None, new: Json | None) -> None:
        """An IngressClass changed."""
        if _changed(old, new, annotations, _spec):
            name = key(new or old or {})[1]
            for one in self._store.list("Ingress"):
                if one["spec"].get("ingressClassName") in (name, None):
                    self._groups_of(one)

    def class_params(self, old: Json | None, new: Json | None) -> None:
        """IngressClassParams changed."""
        if _changed(old, new, _spec):
            name = key(new or old or {})[1]
            for one in self._store.list("IngressClass"):
                if (one["spec"].get("parameters") or {}).get("name") == name:
                    self.ingress_class(None, one)

    def namespace(self, old: Json | None, new: Json | None) -> None:
        """A namespace's labels changed."""
        if old is not None and new is not None and _changed(old, new, _labels):
            for one in self._store.list("Ingress", key(new)[1]):
                self._groups_of(one)

    def service(self, old: Json | None, new: Json | None) -> None:
        """A Service changed."""
        if not _changed(old, new, annotations, _spec, deleting):
            return
        obj = new or old or {}
        namespace, name = key(obj)
        if new is not None:
            self._service_of(new)
        for one in self._store.list("Ingress", namespace):
            if name in referenced(one):
                self._groups_of(one)
        for one in self._store.list("Service", namespace):
            if any(k.startswith(f"{NLB}/actions.") and f'"{name}"' in v for k, v in annotations(one).items()):
                self._service_of(one)
        if _changed(old, new, _spec, deleting):
            self._bindings_of(namespace, name)

    def binding(self, old: Json | None, new: Json | None) -> None:
        """A TargetGroupBinding changed."""
        if _changed(old, new, _spec, deleting):
            self._bindings.add(key(new or old or {}), _SWARM_SECONDS)

    def endpoint_slice(self, old: Json | None, new: Json | None) -> None:
        """An EndpointSlice changed."""
        if _changed(old, new, lambda s: (s.get("endpoints"), s.get("ports"), _labels(s))):
            obj = new or old or {}
            self._bindings_of(key(obj)[0], (_labels(obj) or {}).get(SERVICE_LABEL, ""), _SWARM_SECONDS)

    def pod(self, old: Json | None, new: Json | None) -> None:
        """A pod came, or its containers became ready and its readiness gates want to know."""
        if new is None:
            return
        namespace = key(new)[0]
        if old is None:
            for where in [w for w in self.waiting if w[0] == namespace]:
                self._bindings.add(where)
        if _changed(old, new, lambda p: condition(p, "ContainersReady")):
            for gate in new["spec"].get("readinessGates") or []:
                prefix, _, name = gate["conditionType"].partition("/")
                if prefix == PREFIX:
                    self._bindings.add((namespace, name))

    def node(self, old: Json | None, new: Json | None) -> None:
        """A node came, went, or can take traffic now (or cannot)."""
        if not _changed(old, new, _node_state):
            return
        for one in self._store.list("TargetGroupBinding"):
            if one["spec"].get("targetType") == "instance":
                self._bindings.add(key(one))

    def group(self, group: StackId) -> None:
        """A Secret that a group was made with changed."""
        self._ingress.add(group)

    def _groups_of(self, one: Json) -> None:
        found = groups.groups_held(one)
        try:
            member = groups.member(one, self._store, self._settings)
            if member is not None:
                found.append(groups.group_of(member))
        except (groups.ClassError, groups.GroupNameError) as error:
            self._events.warning("Ingress", one, "FailedLoadGroupID", f"failed load groupID due to {error}")
        for group in dict.fromkeys(found):
            self._ingress.add(group)

    def _service_of(self, one: Json) -> None:
        if service.FINALIZER in finalizers(one) or service.ours(one, self._settings):
            self._services.add(key(one))

    def _bindings_of(self, namespace: str, name: str, after: float = 0.0) -> None:
        for one in self._store.list("TargetGroupBinding", namespace):
            if one["spec"]["serviceRef"]["name"] == name:
                self._bindings.add(key(one), after)


def referenced(ingress: Json) -> set[str]:
    """Names of the Services an Ingress sends traffic to, those in its action annotations too (by their text)."""
    spec = ingress["spec"]
    backends: Iterable[Json] = [
        *([spec["defaultBackend"]] if spec.get("defaultBackend") else []),
        *(p["backend"] for r in spec.get("rules") or [] for p in (r.get("http") or {}).get("paths") or []),
    ]
    names = {(backend.get("service") or {}).get("name", "") for backend in backends}
    for annotation, text in annotations(ingress).items():
        if annotation.startswith(f"{ALB}/actions."):
            parts = text.replace("'", '"').split('"')
            names |= {parts[i + 2] for i, part in enumerate(parts[:-2]) if part == "serviceName"}
    return names
