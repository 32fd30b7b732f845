"""Leader election on a Lease: of several replicas one acts; when it goes, another takes over.

The figures are client-go's, which the real controller uses: a lease of 15 s, renewed every 2 s, given up after 10 s
without success. A leader that ends gives the lease back, so that the next one need not wait.
"""

import datetime as dt
import logging
import threading
import time

import urllib3

from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.stack import Json

log = logging.getLogger(__name__)
LEASE, RENEW, RETRY = 15, 10.0, 2.0


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Leadership:
    """One replica's part in the election."""

    def __init__(self, kube: Kube, namespace: str, name: str, identity: str, ended: threading.Event) -> None:
        """Stand for the Lease `namespace/name` as `identity` until `ended`."""
        self._kube, self._namespace, self._name, self._identity = kube, namespace, name, identity
        self._seen: tuple[object, float] = (None, 0.0)
        self._lease: Json | None = None
        self.ended = ended

    def acquire(self) -> bool:
        """Wait until this replica leads; False if it was told to end before."""
        while not self.ended.is_set():
            if self._try():
                log.info("%s leads (lease %s/%s)", self._identity, self._namespace, self._name)
                return True
            self.ended.wait(RETRY)
        return False

    def hold(self) -> bool:
        """Renew until told to end (True) or until the lease is lost (False)."""
        renewed = time.monotonic()
        while not self.ended.wait(RETRY):
            if self._try():
                renewed = time.monotonic()
            elif time.monotonic() - renewed > RENEW:
                log.error("%s lost the lease %s/%s", self._identity, self._namespace, self._name)
                return False
        return True

    def release(self) -> None:
        """Give the lease back."""
        try:
            lease = self._kube.get("Lease", self._namespace, self._name)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
                self._kube.replace("Lease", lease)
        except (KubeError, urllib3.exceptions.HTTPError, OSError) as error:
            log.warning("could not give the lease back: %s", error)

    def _try(self) -> bool:
        try:
            return self._take()
        except (KubeError, urllib3.exceptions.HTTPError, OSError) as error:
            log.debug("lease: %s", error)
            return False

    def _take(self) -> bool:
        now = _now()
        mine = {"holderIdentity": self._identity, "leaseDurationSeconds": LEASE, "renewTime": now}
        try:
            lease = self._kube.get("Lease", self._namespace, self._name)
        except KubeError as error:
            if not error.missing:
                raise
            meta = {"name": self._name, "namespace": self._namespace}
            spec = mine | {"acquireTime": now, "leaseTransitions": 0}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
            self._kube.create("Lease", self._namespace, body)
            return True
        spec = lease["spec"]
        holder = spec.get("holderIdentity")
        if holder and holder != self._identity and not self._expired(spec):
            return False
        if holder != self._identity:
            spec |= {"acquireTime": now, "leaseTransitions": spec.get("leaseTransitions", 0) + 1}
        lease["spec"] = spec | mine
        self._kube.replace("Lease", lease)  # it names the version read: of two candidates one gets a conflict
        return True

    def _expired(self, spec: Json) -> bool:
        """Whether the holder has not renewed for its lease's time, by this machine's clock alone."""
        record = (spec.get("holderIdentity"), spec.get("renewTime"))
        if record != self._seen[0]:
            self._seen = (record, time.monotonic())
        return time.monotonic() - self._seen[1] > spec.get("leaseDurationSeconds", LEASE)
