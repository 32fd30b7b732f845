"""Ingress groups and Services: from an object that changed to AWS and back to its status."""

import logging
import threading
from collections.abc import Callable, Iterable

from botocore.exceptions import ClientError

from sandbox.controller.annotations import AnnotationError, not_acted_on
from sandbox.controller.deploy.deployer import Deployer
from sandbox.controller.deploy.security_groups import SecurityGroups
from sandbox.controller.events import Events
from sandbox.controller.gateway.flavors import FLAVORS
from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model import groups, ingress, service
from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.objects import Key, annotations, finalizers, key
from sandbox.controller.model.stack import Json, ModelError, Stack, StackId
from sandbox.controller.settings import Settings
from sandbox.controller.watch import Store

log = logging.getLogger(__name__)
Forget = Callable[[], None]


class BackendUse:
    """Who still needs the cluster's shared backend security group.

    What was found for an object counts; an object that holds our finalizer and was not looked at yet counts as a user.
    """

    def __init__(self, store: Store, groups_: SecurityGroups, ended: threading.Event) -> None:
        self._store, self._groups, self._ended = store, groups_, ended
        self._lock = threading.Lock()
        self._uses: dict[tuple[str, Key], bool] = {}

    def note(self, kind: str, objects: Iterable[Json], *, uses: bool) -> None:
        """Remember whether objects use it."""
        with self._lock:
            for obj in objects:
                self._uses[kind, key(obj)] = uses

    def release(self, kind: str, leaving: Iterable[Json]) -> None:
        """These do not need it any more: delete it if nobody does."""
        leaving = list(leaving)
        if not leaving:
            return
        self.note(kind, leaving, uses=False)
        if not self.needed():
            self._groups.release_shared(self.needed, self._ended)

    def needed(self) -> bool:
        """Whether anybody needs it."""
        held = {("Ingress", key(i)) for i in self._store.list("Ingress") if groups.groups_held(i)}
        held |= {("Gateway", key(g)) for g in self._store.list("Gateway") if FLAVORS.keys() & set(finalizers(g))}
        held |= {("Service", key(s)) for s in self._store.list("Service") if service.FINALIZER in finalizers(s)}
        with self._lock:
            for gone in [known for known, uses in self._uses.items() if not uses and known not in held]:
                del self._uses[gone]
            return any(self._uses.values()) or any(one not in self._uses for one in held)


class Shared:
    """What all reconcilers work with."""

    def __init__(
        self,
        kube: Kube,
        store: Store,
        events: Events,
        lookup: Lookup,
        deployer: Deployer,
        *,
        backend: BackendUse,
        settings: Settings,
        forget: Forget,
    ) -> None:
        """`forget()` makes everything that is remembered of AWS be asked for anew."""
        self.kube, self.store, self.events, self.lookup = kube, store, events, lookup
        self.deployer, self.backend, self.settings, self.forget = deployer, backend, settings, forget

    def report_unused(self, kind: str, obj: Json) -> None:
        """Say on the object which annotations change nothing."""
        for annotation, why in not_acted_on(kind, annotations(obj)):
            self.events.warning(kind, obj, "UnsupportedAnnotation", f"{annotation} changes nothing: {why}")

    def build(self, kind: str, objects: Iterable[Json], make: Callable[[], Stack]) -> Stack:
        """The stack that should exist; why there is none becomes an Event on the objects."""
        try:
            return make()
        except (ModelError, AnnotationError, ClientError) as error:
            self._say(kind, objects, "FailedBuildModel", f"Failed build model due to {error}")
            raise
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            # A JSON annotation of a shape that nobody thought of: its owner hears of it, others are not harmed.
            log.exception("unexpected manifest")
            self._say(kind, objects, "FailedBuildModel", f"Failed build model due to {type(error).__name__}: {error}")
            raise ModelError(str(error)) from error

    def deploy(self, kind: str, objects: Iterable[Json], stack: Stack) -> str | None:
        """Bring the stack into AWS; why that failed becomes an Event on the objects."""
        try:
            return self.deployer.deploy(stack)
        except InterruptedError:
            raise
        except Exception as error:
            self.forget()  # what was known of AWS led here
            self._say(kind, objects, "FailedDeployModel", f"Failed deploy model due to {error}")
            raise

    def _say(self, kind: str, objects: Iterable[Json], reason: str, message: str) -> None:
        for obj in objects:
            self.events.warning(kind, obj, reason, message)

    def finalizer(self, kind: str, objects: Iterable[Json], finalizer: str, *, present: bool) -> None:
        """Add or remove a finalizer; a failure becomes an Event."""
        for obj in objects:
            try:
                self.kube.set_finalizer(kind, obj, finalizer, present=present)
            except KubeError as error:
                verb = "Add" if present else "Remove"
                self._say(kind, [obj], f"Failed{verb}Finalizer", f"Failed {verb.lower()} finalizer due to {error}")
                raise

    def status(self, kind: str, obj: Json, entries: list[Json]) -> None:
        """Write the load balancer's addresses into the object's status, if they are not there yet."""
        current = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        if current == entries:
            return
        try:
            self.kube.patch(kind, *key(obj), {"status": {"loadBalancer": {"ingress": entries or None}}}, "status")
        except KubeError as error:
            if error.missing:
                return
            self._say(kind, [obj], "FailedUpdateStatus", f"Failed update status due to {error}")
            raise

    def well(self, kind: str, objects: Iterable[Json]) -> None:
        """Say that all went well."""
        for obj in objects:
            self.events.normal(kind, obj, "SuccessfullyReconciled", "Successfully reconciled")


class IngressReconciler:
    """Brings one group of Ingresses after the other up to date."""

    def __init__(self, shared: Shared, watch_secrets: Callable[[StackId, frozenset[Key]], None]) -> None:
        """`watch_secrets(group, names)` keeps an eye on the Secrets that a group was made with."""
        self._shared, self._watch_secrets = shared, watch_secrets

    def reconcile(self, group_id: StackId) -> None:
        """Bring a group up to date."""
        shared, store = self._shared, self._shared.store
        group = groups.load(group_id, store, shared.settings)
        members = [member.ingress for member in group.members]
        for one in members:
            shared.report_unused("Ingress", one)
        shared.finalizer("Ingress", members, group.finalizer, present=True)
        if not members and not group.former:
            return
        objects = members or list(group.former)
        stack = shared.build(
            "Ingress",
            objects,
            lambda: ingress.build(group, store, shared.lookup, shared.settings, shared.deployer.existing(group_id)),
        )
        shared.backend.note("Ingress", members, uses=stack.backend_group)
        host = shared.deploy("Ingress", objects, stack)
        self._watch_secrets(group_id, stack.secrets)
        shared.backend.release("Ingress", [*group.former, *([] if stack.backend_group else members)])
        if host is not None:
            entries = [{"hostname": host, "ports": [_port(listener.port) for listener in stack.listeners]}]
            for one in members:
                shared.status("Ingress", one, entries)
        shared.finalizer("Ingress", group.former, group.finalizer, present=False)
        shared.well("Ingress", members)


def _port(number: int, protocol: str = "TCP") -> Json:
    return {"port": number, "protocol": protocol}


class ServiceReconciler:
    """Brings one Service after the other up to date."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def reconcile(self, where: Key) -> None:
        """Bring a Service up to date."""
        shared = self._shared
        one = shared.store.get("Service", *where)
        if one is None:
            return
        if not service.ours(one, shared.settings):
            self._leave(one)
            return
        shared.report_unused("Service", one)
        identity = service.stack_id(*where)
        stack = self._build(
            one,
            lambda: service.build(
                one, shared.store, shared.lookup, shared.settings, shared.deployer.existing(identity)
            ),
        )
        shared.finalizer("Service", [one], service.FINALIZER, present=True)
        shared.backend.note("Service", [one], uses=stack.backend_group)
        host = shared.deploy("Service", [one], stack)
        if not stack.backend_group:
            shared.backend.release("Service", [one])
        ports = [_port(p["port"], p.get("protocol", "TCP")) for p in one["spec"].get("ports") or []]
        # kube-apiserver fills ipMode in for addresses, not for host names.
        shared.status("Service", one, [{"hostname": host, "ports": ports}])
        shared.well("Service", [one])

    def _leave(self, one: Json) -> None:
        """A Service that is going, or that is not ours any more: take everything away."""
        shared = self._shared
        if service.FINALIZER not in finalizers(one):
            return
        stack = self._build(one, lambda: service.build(one, shared.store, shared.lookup, shared.settings, None))
        shared.deploy("Service", [one], stack)
        shared.backend.release("Service", [one])
        shared.status("Service", one, [])
        shared.finalizer("Service", [one], service.FINALIZER, present=False)

    def _build(self, one: Json, make: Callable[[], Stack]) -> Stack:
        return self._shared.build("Service", [one], make)
