"""Which work a change asks for: from changed objects of the Gateway API to the keys of Gateways and configurations."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.controller.gateway.backends import service_references
from sandbox.controller.gateway.flavors import CONFIGURATIONS, FLAVORS
from sandbox.controller.gateway.reconcilers import Work
from sandbox.controller.gateway.users import routes
from sandbox.controller.kube import Handler
from sandbox.controller.model.objects import Key, annotations, deleting, finalizers, key
from sandbox.controller.model.stack import Json
from sandbox.controller.queue import WorkQueue
from sandbox.controller.watch import Store

# Manifests come together: what is applied within so many seconds is one change.
_SWARM_SECONDS = 0.04


def _changed(old: Json | None, new: Json | None, *parts: Callable[[Json], Any]) -> bool:
    return old is None or new is None or any(part(old) != part(new) for part in parts)


def _spec(obj: Json) -> Any:
    return obj.get("spec")


def _status(obj: Json) -> Any:
    return obj.get("status")


def _labels(obj: Json) -> Any:
    return obj["metadata"].get("labels")


class Changes:
    """Puts keys into the queues; nothing before `everything` was asked for."""

    def __init__(self, store: Store, gateways: Mapping[str, WorkQueue[Key]], configurations: WorkQueue[Work]) -> None:
        """`gateways` are the queues of Gateways by controller name, `configurations` that of all else."""
        self._store, self._gateways, self._configurations = store, gateways, configurations
        self._open = False

    def handlers(self) -> Mapping[str, Handler]:
        """What to call when an object of a kind changes."""
        own: dict[str, Callable[[Json | None, Json | None], None]] = {
            "Gateway": self._gateway,
            "GatewayClass": self._gateway_class,
            "ListenerSet": self._listener_set,
            "ReferenceGrant": self._for_all,
            "Namespace": self._namespace,
            "Service": self._service,
        }
        own |= dict.fromkeys(CONFIGURATIONS, self._configuration)
        own |= {kind: self._route for flavor in FLAVORS.values() for kind in flavor.routes}
        return {kind: self._when_open(handler) for kind, handler in own.items()}

    def everything(self) -> None:
        """All work there can be."""
        self._open = True
        for kind in ("GatewayClass", *CONFIGURATIONS):
            for obj in self._store.list(kind):
                self._configurations.add((kind, *key(obj)))
        self._all()

    def again(self, where: Key) -> None:
        """A Secret that a Gateway was made with changed."""
        self._add(self._store.get("Gateway", *where))

    def _when_open(self, handler: Callable[[Json | None, Json | None], None]) -> Handler:
        return lambda old, new: handler(old, new) if self._open else None

    def _add(self, gateway: Json | None) -> None:
        if gateway is None:
            return
        gateway_class = self._store.get("GatewayClass", "", gateway["spec"]["gatewayClassName"])
        wanted = {gateway_class["spec"]["controllerName"]} if gateway_class else set[str]()
        # One that goes is taken away by whoever made it, whatever its class says now.
        for controller in wanted | set(finalizers(gateway)):
            if controller in self._gateways:
                self._gateways[controller].add(key(gateway), _SWARM_SECONDS)

    def _all(self) -> None:
        """Every Gateway: one that finds everything as it should be makes no call."""
        for gateway in self._store.list("Gateway"):
            self._add(gateway)

    def _leaving(self) -> None:
        """Somebody may have let go of what wants to go."""
        for kind in ("GatewayClass", *CONFIGURATIONS):
            for obj in self._store.list(kind):
                if deleting(obj):
                    self._configurations.add((kind, *key(obj)), _SWARM_SECONDS)

    def _gateway(self, old: Json | None, new: Json | None) -> None:
        if _changed(old, new, annotations, _spec, deleting):
            self._add(new)
            self._leaving()

    def _gateway_class(self, old: Json | None, new: Json | None) -> None:
        if not _changed(old, new, _spec, deleting, _status):
            return
        obj = new or old or {}
        self._configurations.add(("GatewayClass", *key(obj)))
        for gateway in self._store.list("Gateway"):
            if gateway["spec"]["gatewayClassName"] == key(obj)[1]:
                self._add(gateway)
        self._leaving()

    def _listener_set(self, old: Json | None, new: Json | None) -> None:
        if _changed(old, new, _spec, deleting):
            for obj in (old, new):
                if obj is not None:
                    self._parent(obj["spec"]["parentRef"], obj)

    def _route(self, old: Json | None, new: Json | None) -> None:
        if _changed(old, new, _spec, deleting):
            self._parents(obj for obj in (old, new) if obj is not None)
            self._leaving()

    def _configuration(self, old: Json | None, new: Json | None) -> None:
        if not _changed(old, new, _spec, deleting, _status):
            return
        obj = new or old or {}
        self._configurations.add((obj["kind"], *key(obj)))
        if _changed(old, new, _spec, _status):
            for gateway_class in self._store.list("GatewayClass"):
                self._configurations.add(("GatewayClass", *key(gateway_class)))
            self._all()
        self._leaving()

    def _for_all(self, old: Json | None, new: Json | None) -> None:
        if _changed(old, new, _spec):
            self._all()

    def _namespace(self, old: Json | None, new: Json | None) -> None:
        if old is not None and new is not None and _changed(old, new, _labels):
            self._all()

    def _service(self, old: Json | None, new: Json | None) -> None:
        if _changed(old, new, _spec, deleting):
            where = key(new or old or {})
            self._parents(route for route in routes(self._store) if where in service_references(route))

    def _parents(self, several: Iterable[Json]) -> None:
        for route in several:
            for parent in route["spec"].get("parentRefs") or []:
                self._parent(parent, route)

    def _parent(self, reference: Json, whose: Json) -> None:
        where = reference.get("namespace") or key(whose)[0], reference["name"]
        if (reference.get("kind") or "Gateway") == "Gateway":
            self._add(self._store.get("Gateway", *where))
        elif listener_set := self._store.get("ListenerSet", *where):
            self._parent(listener_set["spec"]["parentRef"], listener_set)
