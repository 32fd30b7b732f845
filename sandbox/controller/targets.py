"""TargetGroupBindings: the endpoints of a Service kept registered in a target group, and pods' readiness gates."""

import ipaddress
import logging
from collections.abc import Callable

from botocore.exceptions import ClientError

from sandbox.controller.endpoints import BackendMissingError, Endpoints, Target, gates, of_nodes, of_pods
from sandbox.controller.events import Events
from sandbox.controller.gates import ReadinessGates
from sandbox.controller.kube import Kube
from sandbox.controller.model import groups
from sandbox.controller.model.objects import Key, deleting, finalizers, key
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.multicluster import SharedTargets
from sandbox.controller.networking import Networking
from sandbox.controller.queue import Later
from sandbox.controller.registry import Registry, is_gone
from sandbox.controller.settings import Settings
from sandbox.controller.watch import Store

log = logging.getLogger(__name__)
KIND = "TargetGroupBinding"
FINALIZER = "elbv2.k8s.aws/resources"
_FIRST_LOOK = 0.5
_OWNER_SECONDS = 1.0


class BindingReconciler:
    """Brings one binding after the other up to date."""

    def __init__(
        self,
        kube: Kube,
        store: Store,
        events: Events,
        registry: Registry,
        networking: Networking,
        *,
        settings: Settings,
        vpc_cidrs: Callable[[str], list[str]],
        waiting: set[Key],
    ) -> None:
        """For bindings of this cluster.

        Args:
            kube: to write finalizers, status and conditions.
            store: the cluster.
            events: to report.
            registry: what is registered.
            networking: rules at the targets.
            settings: the flags.
            vpc_cidrs: of the cluster's VPC by family; an address outside of it is registered for all zones.
            waiting: where bindings are noted whose endpoints' pods are not known yet.
        """
        self._kube, self._store, self._events = kube, store, events
        self._registry, self._networking, self._settings = registry, networking, settings
        self._vpc_cidrs, self._waiting = vpc_cidrs, waiting
        self._gates = ReadinessGates(kube)
        self._shared = SharedTargets(kube)
        self._looks: dict[Key, float] = {}
        self._missing: set[Key] = set()
        self._reported: set[Key] = set()

    def reconcile(self, where: Key) -> None:
        """Bring the binding at `where` up to date.

        Raises:
            Later: to look at it again soon.
        """
        binding = self._store.get(KIND, *where)
        if binding is None:
            self._looks.pop(where, None)
            for known in (self._waiting, self._missing, self._reported):
                known.discard(where)
            return
        if deleting(binding):
            self._clean_up(binding)
            return
        if FINALIZER not in finalizers(binding):
            self._kube.set_finalizer(KIND, binding, FINALIZER, present=True)
        try:
            changed, again = self._bring(binding)
        except (ModelError, ClientError) as error:
            self._events.warning(KIND, binding, "FailedReconcile", f"Failed reconcile due to {error}")
            raise
        self._observed(binding)
        if changed or where not in self._reported:
            self._reported.add(where)
            self._events.normal(KIND, binding, "SuccessfullyReconciled", "Successfully reconciled")
        if again:
            # The health of new targets is asked for soon, then less and less often.
            wait = self._looks[where] = min(
                self._looks.get(where, _FIRST_LOOK / 2) * 2, self._settings.targetgroupbinding_requeue_duration
            )
            raise Later("targets are not healthy yet", wait)
        self._looks.pop(where, None)

    def _bring(self, binding: Json) -> tuple[bool, bool]:
        """Register, deregister, set conditions; whether anything changed, whether to look again."""
        spec = binding["spec"]
        if not spec.get("targetType"):
            raise ModelError(f"targetType is not specified: {'/'.join(key(binding))}")
        by_pod = spec["targetType"] == "ip"
        fail_open = self._settings.gate("EndpointsFailOpen")
        try:
            endpoints = (of_pods if by_pod else of_nodes)(binding, self._store, fail_open=fail_open)
        except BackendMissingError as error:
            if self._owned(binding) and key(binding) not in self._missing:
                # Its owner hears of it too, and takes the whole target group away if that is what it means.
                self._missing.add(key(binding))
                raise Later(str(error), _OWNER_SECONDS) from error
            self._events.warning(KIND, binding, "BackendNotFound", str(error))
            self._remove(binding)
            return False, False
        self._missing.discard(key(binding))
        (self._waiting.add if endpoints.waiting else self._waiting.discard)(key(binding))
        group = spec["targetGroupARN"]
        behind = endpoints.targets.values()
        look_again = False
        try:
            self._networking.reconcile(binding, **{"pods" if by_pod else "nodes": behind})
        except (ModelError, ClientError) as error:
            if not by_pod:
                raise
            # Traffic may be let through by other rules: targets follow all the same, and the rules are tried again.
            self._events.warning(KIND, binding, "FailedNetworkReconcile", str(error))
            look_again = True
        have = self._registry.targets(group)
        new = sorted(endpoints.targets.keys() - have)
        if limit := self._settings.max_targets_per_target_group:
            new = new[: max(0, limit - len(have))]
        old = self._shared.ours(binding, have - endpoints.targets.keys())
        self._shared.remember(binding, endpoints.targets)
        if old:
            self._registry.deregister(group, old)
        if new:
            self._registry.register(group, [self._shape(target, by_pod=by_pod) for target in new])
        waits = by_pod and self._set_conditions(binding, group, endpoints, set(new))
        return bool(new or old), waits or look_again

    def _set_conditions(self, binding: Json, group: str, endpoints: Endpoints, new: set[Target]) -> bool:
        """Tell the pods whose readiness gate this binding is; whether one still waits."""
        kind = ReadinessGates.condition_type(binding)
        gated = {target: pod for target, pod in endpoints.targets.items() if kind in gates(pod)}
        pending = {target: pod for target, pod in gated.items() if not self._gates.settled(kind, pod)}
        known = pending.keys() - new
        health = self._registry.health(group, known) if known else {}
        waits = False
        for target, pod in pending.items():
            healthy = self._gates.tell(kind, pod, health.get(target))
            waits = waits or not healthy
        return waits

    def _shape(self, target: Target, *, by_pod: bool) -> Json:
        shape: Json = {"Id": target.id, "Port": target.port}
        if by_pod:
            address = ipaddress.ip_address(target.id)
            networks = [ipaddress.ip_network(c) for c in self._vpc_cidrs(f"ipv{address.version}")]
            if not any(address in network for network in networks):
                shape["AvailabilityZone"] = "all"
        return shape

    def _clean_up(self, binding: Json) -> None:
        if FINALIZER not in finalizers(binding):
            return
        try:
            self._remove(binding)
        except (ModelError, ClientError) as error:
            self._events.warning(KIND, binding, "FailedCleanup", f"Failed cleanup due to {error}")
            raise
        self._kube.set_finalizer(KIND, binding, FINALIZER, present=False)

    def _remove(self, binding: Json) -> None:
        """Take out of AWS what the binding put there."""
        group = binding["spec"]["targetGroupARN"]
        try:
            leaving: set[Target] = set()
            if not (self._registry.doomed(group) or self._owner_going(binding)):
                leaving = self._shared.ours(binding, self._registry.targets(group))
            if leaving:
                self._registry.deregister(group, leaving)
        except ClientError as error:
            if not is_gone(error):
                raise
        self._registry.forget(group)
        self._shared.forget(binding)
        self._networking.remove(binding)
        kind = ReadinessGates.condition_type(binding)
        for pod in self._store.list("Pod", key(binding)[0]):
            if kind in gates(pod):
                self._gates.tell(kind, pod, {"State": "healthy", "Description": "Target Group Binding is deleted"})

    @staticmethod
    def _owned(binding: Json) -> str:
        """What made the binding: `ingress`, `service`, or nothing of ours."""
        labels = binding["metadata"].get("labels") or {}
        return next(
            (kind for kind in ("ingress", "service") if any(k.startswith(f"{kind}.k8s.aws/") for k in labels)), ""
        )

    def _owner_going(self, binding: Json) -> bool:
        """Whether the target group goes with its owner: then its targets need not be taken out one by one."""
        kind, labels = self._owned(binding), binding["metadata"].get("labels") or {}
        if not kind:
            return False
        name = labels.get(f"{kind}.k8s.aws/stack-name")
        if name is None:
            group = groups.group_id("", labels.get(f"{kind}.k8s.aws/stack", ""))
            holding = [i for i in self._store.list("Ingress") if group in groups.groups_held(i)]
            return all(deleting(i) for i in holding)
        owner = self._store.get(kind.capitalize(), labels.get(f"{kind}.k8s.aws/stack-namespace", ""), name)
        return owner is None or deleting(owner)

    def _observed(self, binding: Json) -> None:
        generation = binding["metadata"].get("generation")
        if (binding.get("status") or {}).get("observedGeneration") != generation:
            self._kube.patch(KIND, *key(binding), {"status": {"observedGeneration": generation}}, "status")
