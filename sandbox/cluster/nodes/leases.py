"""The nodes' leases. If nobody renews a node's lease, the control plane gives up the node and its pods.

kwok could renew them, but its identity as their holder changes with a restart: a new kwok would ignore all nodes until
the old one's leases have expired. So the agent does it, and kwok can die and come back at any time.
"""

import asyncio
import datetime as dt
import logging

import aiohttp

from sandbox.cluster.api import Api, ApiError, Cache, Object

log = logging.getLogger(__name__)

LEASE_SECONDS = 40
_RENEW_SECONDS = 10.0
"""Both are kubelet's values. https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats"""
_PATH = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def lease(node: Object, now: dt.datetime) -> Object:
    """A node's lease, renewed now; it is deleted with its node."""
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
    """Renew the leases of all nodes for ever."""
    while True:
        for node in list(nodes.objects.values()):
            try:
                await api.apply(f"{_PATH}/{node['metadata']['name']}", lease(node, dt.datetime.now(dt.UTC)))
            except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
                log.info("lease of %s: %s", node["metadata"]["name"], error)
        await asyncio.sleep(_RENEW_SECONDS)
