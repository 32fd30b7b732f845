"""TargetGroupBindings of a stack: made, compared, changed, deleted, and waited for."""

import logging
import threading
from collections.abc import Callable, Iterable

from sandbox.controller.deploy.compare import resolved
from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.objects import Key, key
from sandbox.controller.model.stack import Binding, Json, Ref, StackId
from sandbox.controller.watch import Store

log = logging.getLogger(__name__)
API = "elbv2.k8s.aws/v1beta1"
KIND = "TargetGroupBinding"
_WAIT_SECONDS = 60.0
# What a binding cannot change, see `webhooks.validate`.
_FIXED = ("targetGroupARN", "targetType", "ipAddressType", "vpcID")


class Bindings:
    """The calls about a stack's bindings."""

    def __init__(self, kube: Kube, store: Store, ended: threading.Event) -> None:
        self._kube, self._store, self._ended = kube, store, ended

    def of_stack(self, stack: StackId) -> dict[Key, Json]:
        """The bindings that carry a stack's labels."""
        labels = stack.labels()
        found = self._store.list(KIND, stack.namespace or None)
        return {key(b): b for b in found if labels.items() <= (b["metadata"].get("labels") or {}).items()}

    def ensure(self, stack: StackId, wanted: tuple[Binding, ...], of: Callable[[Ref], str]) -> set[Key]:
        """Make and change bindings; which ones those are.

        A target group keeps its binding even where a new one would be called otherwise: two for one target group would
        take each other's targets out.
        """
        have = self.of_stack(stack)
        by_target_group = {binding["spec"]["targetGroupARN"]: where for where, binding in have.items()}
        kept: set[Key] = set()
        for binding in wanted:
            spec = resolved(binding.spec, of)
            where = by_target_group.get(spec["targetGroupARN"], (binding.namespace, binding.name))
            current = have.get(where)
            if current is not None and any(current["spec"].get(field) != spec.get(field) for field in _FIXED):
                # The target group is another one now: it was deleted behind our back.
                self._leave([where])
                current = None
            if current is None:
                where = (binding.namespace, binding.name)
                self._create(stack, binding, spec)
            elif current["spec"] != spec:
                self._change(current, spec)
            kept.add(where)
        return kept

    def delete(self, stack: StackId, keep: Iterable[Key]) -> None:
        """Delete the stack's other bindings, and wait until their targets are gone.

        Raises:
            TimeoutError: they are not, after a minute.
        """
        self._leave(sorted(self.of_stack(stack).keys() - set(keep)))

    def _leave(self, leaving: list[Key]) -> None:
        for where in leaving:
            self._kube.delete(KIND, *where)
            log.info("deleting binding %s/%s", *where)
        gone = self._store.wait(
            lambda: self._ended.is_set() or not any(self._store.get(KIND, *where) for where in leaving), _WAIT_SECONDS
        )
        if self._ended.is_set() and leaving:
            raise InterruptedError("the controller is ending")
        if not gone:
            raise TimeoutError(f"failed to wait targetGroupBinding deletion: {leaving}")

    def _create(self, stack: StackId, binding: Binding, spec: Json) -> None:
        meta: Json = {"namespace": binding.namespace, "name": binding.name}
        meta |= {"labels": dict(binding.labels) | stack.labels(), "annotations": dict(binding.annotations)}
        body = {"apiVersion": API, "kind": KIND, "metadata": meta, "spec": spec}
        try:
            self._kube.create(KIND, binding.namespace, body)
        except KubeError as error:
            if not error.conflict:
                raise
            # A creation whose answer was lost, or one that the watch has not told us of yet.
            current = self._kube.get(KIND, binding.namespace, binding.name)
            if not stack.labels().items() <= (current["metadata"].get("labels") or {}).items():
                raise
            if current["spec"] != spec:
                self._change(current, spec)
        log.info("created binding %s/%s", binding.namespace, binding.name)

    def _change(self, current: Json, spec: Json) -> None:
        absent = {field: None for field in current["spec"] if field not in spec}
        self._kube.patch(KIND, *key(current), {"spec": spec | absent})
        log.info("changed binding %s/%s", *key(current))
