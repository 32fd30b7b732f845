"""The gateway controllers put together: which of them run is found out once, when the process starts.

A flavor runs where its kinds are served and its gate is not off; CRDs that come later are seen by the next process.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sandbox.controller.gateway.changes import Changes
from sandbox.controller.gateway.flavors import CONFIGURATIONS, FLAVORS, GROUP, LISTENER_SETS, OWN_GROUP, VERSION
from sandbox.controller.gateway.reconcilers import ConfigurationReconciler, GatewayReconciler, Work
from sandbox.controller.kube import Kube
from sandbox.controller.model.objects import Key
from sandbox.controller.model.stack import StackId
from sandbox.controller.queue import WorkQueue
from sandbox.controller.reconcilers import Shared
from sandbox.controller.settings import Settings
from sandbox.controller.watch import Informer, trimmed

log = logging.getLogger(__name__)
_SHARED_KINDS = ("Namespace", "Service")


def gates(settings: Settings, served: Callable[[str, str], frozenset[str]]) -> Settings:
    """The settings with the gates off of what lacks its kinds; a gate that was given stays as it is.

    Args:
        settings: the flags.
        served: the kinds of an API group and version.
    """
    api, own = served(GROUP, VERSION), served(OWN_GROUP, VERSION)
    wanted = {flavor.gate: {*flavor.kinds, *CONFIGURATIONS} for flavor in FLAVORS.values()}
    wanted[LISTENER_SETS] = {"ListenerSet"}
    off: dict[str, bool] = {}
    for gate, kinds in wanted.items():
        missing = sorted(kinds - api - own)
        if missing and gate not in settings.feature_gates:
            log.info("%s is off: no CRD of %s", gate, ", ".join(missing))
            off[gate] = False
    return replace(settings, feature_gates={**settings.feature_gates, **off})


class GatewayControllers:
    """Those that run: informers, queues and reconcilers. Nothing of it before `begin`."""

    def __init__(self, kube: Kube, shared: Shared, settings: Settings, longest_wait: float) -> None:
        """Failing work comes back after at most `longest_wait` seconds."""
        self._kube, self._shared, self._settings = kube, shared, settings
        self._queues: dict[str, WorkQueue[Key]] = {name: WorkQueue(name, longest_wait) for name in FLAVORS}
        self._configurations: WorkQueue[Work] = WorkQueue("gateway-configuration", longest_wait)
        self._changes = Changes(shared.store, self._queues, self._configurations)

    def begin(self, informers: Iterable[Informer]) -> list[Informer]:
        """Find out what runs: listen to `informers` of kinds that others watch too, and make those of our own.

        Raises:
            KubeError: kube-apiserver does not say what it serves.
        """
        kinds = {version: self._kube.kinds(*version) for version in ((GROUP, VERSION), (OWN_GROUP, VERSION))}
        self._settings = gates(self._settings, lambda group, version: kinds[group, version])
        flavors = [flavor for flavor in FLAVORS.values() if self._settings.gate(flavor.gate)]
        self._queues = {flavor.controller: self._queues[flavor.controller] for flavor in flavors}
        self._changes = Changes(self._shared.store, self._queues, self._configurations)
        if not flavors:
            return []
        handlers = self._changes.handlers()
        for informer in informers:
            if informer.kind in _SHARED_KINDS:
                informer.handle(handlers[informer.kind])
        own = {kind: None for flavor in flavors for kind in (*flavor.kinds, *CONFIGURATIONS)}
        if self._settings.gate(LISTENER_SETS):
            own["ListenerSet"] = None
        if "ReferenceGrant" in kinds[GROUP, VERSION]:
            own["ReferenceGrant"] = None
        made = [self._informer(kind, handlers) for kind in own]
        log.info("Gateway API: %s", ", ".join(flavor.controller for flavor in flavors))
        return made

    def _informer(self, kind: str, handlers: Mapping[str, Callable[..., None]]) -> Informer:
        shared = self._shared
        informer = Informer(self._kube, shared.store, kind, self._settings.watch_namespace, trim=trimmed)
        informer.handle(handlers[kind])
        return informer

    def everything(self) -> None:
        """All work there can be."""
        self._changes.everything()

    def again(self, stack: StackId) -> None:
        """A Secret that a Gateway was made with changed."""
        self._changes.again((stack.namespace, stack.name))

    def start(
        self,
        start: Callable[..., None],
        watch_secrets: Callable[[StackId, frozenset[Key]], None],
    ) -> None:
        """Start the workers: `start(queue, how many, work)`."""
        settings = self._settings
        many = {
            "gateway.k8s.aws/alb": settings.alb_gateway_max_concurrent_reconciles,
            "gateway.k8s.aws/nlb": settings.nlb_gateway_max_concurrent_reconciles,
        }
        for controller, queue in self._queues.items():
            reconciler = GatewayReconciler(FLAVORS[controller], self._shared, settings, watch_secrets)
            start(queue, many[controller], reconciler.reconcile)
        configurations = ConfigurationReconciler(self._shared, tuple(self._queues))
        start(self._configurations, settings.gateway_class_max_concurrent_reconciles, configurations.reconcile)

    def stop(self, seconds: float) -> None:
        """Send the workers home, and wait for each at most `seconds`."""
        queues = (*self._queues.values(), self._configurations)
        for queue in queues:
            queue.close()
        for queue in queues:
            queue.join(seconds)
