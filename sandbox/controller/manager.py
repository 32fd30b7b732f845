"""The controller's process: everything put together, from the first list to the last signal."""

import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Hashable
from typing import TypeVar

import urllib3

from sandbox.controller.deploy.addons import WebAcls
from sandbox.controller.deploy.aws import Aws
from sandbox.controller.deploy.bindings import Bindings
from sandbox.controller.deploy.deployer import Deployer, Parts
from sandbox.controller.deploy.inventory import Inventory
from sandbox.controller.deploy.load_balancers import LoadBalancers
from sandbox.controller.deploy.lookup import AwsLookup
from sandbox.controller.deploy.security_groups import Rules, SecurityGroups
from sandbox.controller.deploy.target_groups import TargetGroups
from sandbox.controller.events import Events
from sandbox.controller.gateway.controller import GatewayControllers
from sandbox.controller.health import Metrics, serve
from sandbox.controller.interfaces import Interfaces
from sandbox.controller.kube import Handler, Kube, KubeError, own_namespace
from sandbox.controller.leader import Leadership
from sandbox.controller.model.objects import Key
from sandbox.controller.model.stack import StackId
from sandbox.controller.networking import Networking
from sandbox.controller.queue import Later, WorkQueue
from sandbox.controller.reconcilers import BackendUse, IngressReconciler, ServiceReconciler, Shared
from sandbox.controller.registry import Registry
from sandbox.controller.routes import Routes
from sandbox.controller.settings import Settings
from sandbox.controller.targets import BindingReconciler
from sandbox.controller.watch import Informer, Store, start_all, trimmed, trimmed_pod
from sandbox.controller.webhooks.admission import Admission
from sandbox.controller.webhooks.server import WebhookServer

log = logging.getLogger(__name__)
K = TypeVar("K", bound=Hashable)
_LONGEST_WAIT = 30.0
_SYNC_SECONDS = 120.0
_DEFAULT_CERTIFICATES = "/tmp/k8s-webhook-server/serving-certs"  # noqa: S108 - controller-runtime's own default


class Manager:
    """One replica."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ended = threading.Event()
        self._kube, self._store = Kube(settings.kubeconfig), Store()
        self._events, self._aws = Events(self._kube), Aws(settings)
        self._metrics = Metrics(self._aws.calls)
        self._ingress: WorkQueue[StackId] = WorkQueue("ingress", _LONGEST_WAIT)
        self._services: WorkQueue[Key] = WorkQueue("service", _LONGEST_WAIT)
        longest = min(_LONGEST_WAIT, settings.targetgroupbinding_max_exponential_backoff_delay)
        self._bindings: WorkQueue[Key] = WorkQueue("targetGroupBinding", longest)
        self._routes = Routes(
            self._store, self._events, settings, self._ingress, self._services, bindings=self._bindings
        )
        self._informers = self._watch()
        self._secrets: dict[Key, tuple[Informer, set[StackId]]] = {}
        self._secrets_lock = threading.Lock()
        self._assemble()
        self._webhooks = WebhookServer(
            settings.webhook_bind_port,
            settings.webhook_cert_dir or _DEFAULT_CERTIFICATES,
            settings.webhook_cert_file,
            settings.webhook_key_file,
            Admission(self._store, self._aws, settings, self.synced),
        )

    def _assemble(self) -> None:
        settings, aws, kube, store, events = self._settings, self._aws, self._kube, self._store, self._events
        self._inventory, rules = Inventory(aws, settings), Rules(aws)
        self._lookup, self._registry = AwsLookup(aws, kube, settings), Registry(aws)
        groups = SecurityGroups(aws, settings, self._inventory, rules)
        self._networking = Networking(store, Interfaces(aws, store, rules, settings), rules, settings)
        parts = Parts(
            aws,
            self._inventory,
            groups,
            TargetGroups(aws, settings, self._inventory),
            LoadBalancers(aws, settings, self._inventory),
            Bindings(kube, store, self.ended),
            WebAcls(aws),
            self._networking,
            self._registry,
        )
        shared = Shared(
            kube,
            store,
            events,
            self._lookup,
            Deployer(parts, settings, self.ended),
            backend=BackendUse(store, groups, self.ended),
            settings=settings,
            forget=self._forget_stacks,
        )
        self._gateways = GatewayControllers(kube, shared, settings, _LONGEST_WAIT)
        self._work_ingress = IngressReconciler(shared, self._watch_secrets)
        self._work_service = ServiceReconciler(shared)
        self._work_binding = BindingReconciler(
            kube,
            store,
            events,
            self._registry,
            self._networking,
            settings=settings,
            vpc_cidrs=self._lookup.vpc_cidrs,
            waiting=self._routes.waiting,
        )

    def _watch(self) -> list[Informer]:
        routes, everywhere = self._routes, self._settings.watch_namespace
        kinds: list[tuple[str, Handler]] = [
            ("Namespace", routes.namespace),
            ("Node", routes.node),
            ("Pod", routes.pod),
            ("IngressClass", routes.ingress_class),
            ("IngressClassParams", routes.class_params),
            ("EndpointSlice", routes.endpoint_slice),
            ("Service", routes.service),
            ("Ingress", routes.ingress),
            ("TargetGroupBinding", routes.binding),
        ]
        informers: list[Informer] = []
        for kind, handler in kinds:
            trim = trimmed_pod if kind == "Pod" else trimmed
            informer = Informer(self._kube, self._store, kind, everywhere, trim=trim)
            informer.handle(routes.when_open(handler))
            informers.append(informer)
        return informers

    def synced(self) -> bool:
        """Whether every kind has been listed."""
        return all(informer.synced.is_set() for informer in self._informers)

    def run(self) -> int:
        """Serve until told to end; the process's exit code."""
        settings = self._settings
        serve(settings.health_probe_bind_addr, {"/healthz": lambda: (200, "ok"), "/readyz": self._ready})
        if settings.metrics_bind_addr not in ("0", ""):
            serve(settings.metrics_bind_addr, {"/metrics": self._metrics.text})
        self._webhooks.start()
        try:
            self._informers += self._gateways.begin(self._informers)
        except (KubeError, urllib3.exceptions.HTTPError) as error:
            log.error("kube-apiserver does not say what it serves: %s", error)  # noqa: TRY400 - one line says it
            return 1
        if not start_all(self._informers, _SYNC_SECONDS, self.ended):
            if self.ended.is_set():
                return 0
            missing = [i.kind for i in self._informers if not i.synced.is_set()]
            log.error("could not list %s within %d s", ", ".join(missing), _SYNC_SECONDS)
            return 1
        self._everything()
        if not settings.enable_leader_election:
            self._lead()
            self.ended.wait()
            return 0
        namespace = settings.leader_election_namespace or own_namespace()
        identity = f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4()}"
        leadership = Leadership(self._kube, namespace, settings.leader_election_id, identity, self.ended)
        if not leadership.acquire():
            return 0
        self._lead()
        held = leadership.hold()
        self._stop()
        if held:
            leadership.release()
        return 0 if held else 1

    def _ready(self) -> tuple[int, str]:
        if not self._webhooks.listening():
            return 503, "webhook server does not listen yet\n"
        return (200, "ok") if self.synced() else (503, "not everything has been listed yet\n")

    def _lead(self) -> None:
        settings = self._settings
        self._forget()
        self._start(self._ingress, settings.ingress_max_concurrent_reconciles, self._work_ingress.reconcile)
        many = settings.targetgroupbinding_max_concurrent_reconciles
        self._start(self._bindings, many, self._work_binding.reconcile)
        if settings.gate("EnableServiceController"):
            self._start(self._services, settings.service_max_concurrent_reconciles, self._work_service.reconcile)
        self._gateways.start(self._start, self._watch_secrets)
        threading.Thread(target=self._resync, name="resync", daemon=True).start()

    def _stop(self) -> None:
        for queue in (self._ingress, self._services, self._bindings):
            queue.close()
        for queue in (self._ingress, self._services, self._bindings):
            queue.join(5.0)
        self._gateways.stop(5.0)

    def _start(self, queue: WorkQueue[K], workers: int, work: Callable[[K], None]) -> None:
        name = queue.name

        def counted(key: K) -> None:
            try:
                work(key)
            except Later:
                self._metrics.reconciled(name, "requeue_after")
                raise
            except Exception:
                self._metrics.reconciled(name, "error")
                raise
            self._metrics.reconciled(name, "success")

        queue.start(workers, counted)

    def _resync(self) -> None:
        while not self.ended.wait(self._settings.sync_period):
            log.info("comparing everything with AWS anew")
            self._forget()
            self._everything()

    def _everything(self) -> None:
        self._routes.everything()
        self._gateways.everything()

    def _forget_stacks(self) -> None:
        self._inventory.forget()
        self._lookup.forget()

    def _forget(self) -> None:
        self._forget_stacks()
        self._networking.forget()
        self._registry.forget()

    def _watch_secrets(self, group: StackId, names: frozenset[Key]) -> None:
        """Watch the Secrets a group or Gateway was made with, each by its name: the controller may not list all."""
        with self._secrets_lock:
            for where, (informer, users) in list(self._secrets.items()):
                users.discard(group)
                if where not in names and not users:
                    informer.stopped.set()
                    del self._secrets[where]
            for where in names:
                if where not in self._secrets:
                    informer = Informer(self._kube, self._store, "Secret", where[0], name=where[1])
                    informer.handle(
                        lambda old, new, where=where: self._secret_changed(where, old is not None or new is None)
                    )
                    self._secrets[where] = (informer, set())
                    informer.start()
                self._secrets[where][1].add(group)

    def _secret_changed(self, where: Key, known: bool) -> None:  # noqa: FBT001 - a handler's two cases
        if known:
            for stack in list(self._secrets.get(where, (None, set[StackId]()))[1]):
                (self._routes.group if stack.prefix == "ingress.k8s.aws" else self._gateways.again)(stack)


def run(settings: Settings) -> int:
    """Run one replica until SIGTERM or SIGINT; the process's exit code."""
    manager = Manager(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: manager.ended.set())
    return manager.run()
