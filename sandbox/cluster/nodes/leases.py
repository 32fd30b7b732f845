"""The nodes' leases: without a kubelet that renews its own, the control plane gives a node up, and its pods with it.

kwok could renew them, but holds them under an identity that a restart changes: the next kwok would leave all nodes
alone until the last one's leases have expired. So it is done here, and kwok may die and come back at any time.
"""

import asyncio
import datetime as dt
import logging

import aiohttp

from sandbox.cluster.api import Api, ApiError, Cache, Object

log = logging.getLogger(__name__)

LEASE_SECONDS = 40
_RENEW_SECONDS = 10.0
"""Both are kubelet's. https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats"""
_PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def lease(node: Object, now: dt.datetime) -> Object:
    """A node's lease, renewed now; it goes with its node."""
    metadata = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": metadata["name"], "namespace": "kube-node-lease", "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": metadata["name"],
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


async def renew(api: Api, nodes: Cache) -> None:
    """Renew the leases of all nodes, for ever."""
    while True:
        for node in list(nodes.objects.values()):
            try:
                await api.apply(f"{_PATH}/{node['metadata']['name']}", lease(node, dt.datetime.now(dt.UTC)))
            except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
                log.info("lease of %s: %s", node["metadata"]["name"], error)
        await asyncio.sleep(_RENEW_SECONDS)
