"""The VPC CNI's stand-in: every pod gets an address from its node's subnet, assigned to its node's network interface.

AWS picks the addresses. Like the real CNI, each node keeps a few spare ones (a warm pool), so that a new pod seldom
waits for AWS. A pool is never written to disk: AWS knows an interface's addresses, and the pods' status shows which are
in use.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.cluster.api import NOT_FOUND, Api, ApiError, Cache, Key, Object, key_of, timestamp
from sandbox.cluster.spec import NodeSpec

log = logging.getLogger(__name__)

WARM = 10
"""Spare addresses per node; more than twice as many are released."""
_SETTLE_SECONDS = 0.02
_RETRY_SECONDS = 1.0
_GIVE_BACK_SECONDS = 10.0
_PARALLEL_PATCHES = 16
_GONE = ("InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterface.NotFound")


class Addresses(Protocol):
    """The CNI's calls to EC2; blocking."""

    def held(self, eni: str) -> list[str]:
        """The secondary addresses of an interface."""
        ...

    def assign(self, eni: str, count: int) -> list[str]:
        """Assign this many more addresses to an interface; return the new ones."""
        ...

    def unassign(self, eni: str, addresses: list[str]) -> None:
        """Remove addresses from an interface."""
        ...


class Ec2Addresses:
    """`Addresses` with boto3's EC2 client."""

    def __init__(self, client: Any) -> None:
        """`client` is boto3's for EC2."""
        self._ec2 = client

    def held(self, eni: str) -> list[str]:
        """The secondary addresses of an interface."""
        found = self._ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
        return [a["PrivateIpAddress"] for a in found[0]["PrivateIpAddresses"] if not a.get("Primary")]

    def assign(self, eni: str, count: int) -> list[str]:
        """Assign this many more addresses to an interface; return the new ones."""
        answer = self._ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=count)
        return [a["PrivateIpAddress"] for a in answer["AssignedPrivateIpAddresses"]]

    def unassign(self, eni: str, addresses: list[str]) -> None:
        """Remove addresses from an interface."""
        self._ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=addresses)


@dataclass
class Pool:
    """The addresses of one node's interface: spare ones, and those of pods by uid."""

    spare: deque[str] = field(default_factory=deque[str])
    used: dict[str, str] = field(default_factory=dict[str, str])

    @staticmethod
    def of(held: Iterable[str], pods: dict[str, str]) -> "Pool":
        """The pool of an interface with the addresses `held`, some of which pods (by uid) already use."""
        taken = set(pods.values())
        return Pool(deque(a for a in held if a not in taken), dict(pods))

    def add(self, addresses: Iterable[str], primary: str) -> None:
        """AWS has assigned these. EC2 returns new addresses, moto all of the interface's; known ones are ignored."""
        known = {primary, *self.spare, *self.used.values()}
        self.spare.extend(a for a in addresses if a not in known)

    def take(self, uid: str) -> str | None:
        """An address for a pod: its current one, otherwise the one that has been spare longest, otherwise None."""
        if uid not in self.used:
            if not self.spare:
                return None
            self.used[uid] = self.spare.popleft()
        return self.used[uid]

    def release(self, uid: str) -> None:
        """A pod is gone: its address becomes spare."""
        address = self.used.pop(uid, None)
        if address is not None:
            self.spare.append(address)

    def shortage(self, waiting: int, warm: int = WARM) -> int:
        """How many addresses to request from AWS, so that `waiting` pods get theirs and `warm` stay spare."""
        return waiting + warm - len(self.spare) if len(self.spare) < waiting + warm // 2 else 0

    def surplus(self, warm: int = WARM) -> list[str]:
        """The addresses to release: if more than twice `warm` are spare, all beyond `warm`."""
        if len(self.spare) <= 2 * warm:
            return []
        return [self.spare.pop() for _ in range(len(self.spare) - warm)]


def address_status(node: NodeSpec, address: str, now: str) -> Object:
    """The status of a pod whose sandbox has an address."""
    return {
        "hostIP": node.address,
        "hostIPs": [{"ip": node.address}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [{"type": "PodReadyToStartContainers", "status": "True", "lastTransitionTime": now}],
    }


def has_ended(pod: Object) -> bool:
    """Whether all of a pod's containers have finished: then it no longer needs its address."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


class Cni:
    """Gives pods their addresses."""

    def __init__(self, api: Api, aws: Addresses, pods: Cache, wanted: Callable[[], dict[str, NodeSpec]]) -> None:
        """`pods` are all pods, `wanted` the nodes in AWS, by name."""
        self._api = api
        self._aws = aws
        self._pods = pods
        self._wanted = wanted
        self._pools: dict[str, Pool] = {}
        self._enis: dict[str, str] = {}
        self._waiting: dict[str, dict[str, Key]] = {}
        self._work = asyncio.Event()
        self._patches = asyncio.Semaphore(_PARALLEL_PATCHES)

    def take(self, event: str, pod: Object) -> None:
        """An event of a pod."""
        node, uid = pod["spec"].get("nodeName"), pod["metadata"]["uid"]
        if not node:
            return
        waiting = self._waiting.setdefault(node, {})
        if event == "DELETED" or has_ended(pod):
            waiting.pop(uid, None)
            if node in self._pools:
                self._pools[node].release(uid)
                self._work.set()
        elif not pod.get("status", {}).get("podIP"):
            waiting[uid] = key_of(pod)
            self._work.set()

    def nodes_changed(self) -> None:
        """AWS's nodes have changed: fill the pools of new ones, forget the others."""
        wanted = self._wanted()
        for name in list(self._pools):
            if name not in wanted or wanted[name].eni_id != self._enis[name]:
                del self._pools[name], self._enis[name]
                self._waiting.pop(name, None)
        self._work.set()

    async def run(self) -> None:
        """Serve nodes whenever there is work; release addresses that were not needed for a while."""
        while True:
            try:
                async with asyncio.timeout(_GIVE_BACK_SECONDS):
                    await self._work.wait()
            except TimeoutError:
                await self._give_back()
                continue
            # Pods come in bursts: a short wait combines many calls to AWS into one.
            await asyncio.sleep(_SETTLE_SECONDS)
            self._work.clear()
            done = await asyncio.gather(
                *(self._serve(node) for node in list(self._wanted().values())), return_exceptions=True
            )
            failures = [error for error in done if isinstance(error, BaseException)]
            if failures:
                log.warning("addresses: %s; trying again", failures[0])
                await asyncio.sleep(_RETRY_SECONDS)
                self._work.set()

    async def _serve(self, node: NodeSpec) -> None:
        pool = self._pools.get(node.name) or await self._open(node)
        waiting = self._waiting.get(node.name, {})
        await self._hand_out(node, pool, waiting)
        shortage = pool.shortage(len(waiting))
        if shortage > 0:
            pool.add(await asyncio.to_thread(self._aws.assign, node.eni_id, shortage), primary=node.address)
            await self._hand_out(node, pool, waiting)

    async def _open(self, node: NodeSpec) -> Pool:
        held = await asyncio.to_thread(self._aws.held, node.eni_id)
        mine = [p for p in self._pods.objects.values() if p["spec"].get("nodeName") == node.name and not has_ended(p)]
        used = {p["metadata"]["uid"]: p["status"]["podIP"] for p in mine if p.get("status", {}).get("podIP")}
        pool = Pool.of(held, {uid: address for uid, address in used.items() if address != node.address})
        self._pools[node.name], self._enis[node.name] = pool, node.eni_id
        return pool

    async def _hand_out(self, node: NodeSpec, pool: Pool, waiting: dict[str, Key]) -> None:
        given: list[tuple[str, Key, str]] = []
        for uid, key in list(waiting.items()):
            pod = self._pods.objects.get(key)
            if pod is None or pod["metadata"]["uid"] != uid:
                waiting.pop(uid, None)
                continue
            address = node.address if pod["spec"].get("hostNetwork") else pool.take(uid)
            if address is None:
                break
            given.append((uid, key, address))
        await asyncio.gather(*(self._tell(node, uid, key, address, waiting) for uid, key, address in given))

    async def _tell(self, node: NodeSpec, uid: str, key: Key, address: str, waiting: dict[str, Key]) -> None:
        status = address_status(node, address, timestamp())
        async with self._patches:
            try:
                # With the uid, because a StatefulSet's next pod has the same name.
                body = {"metadata": {"uid": uid}, "status": status}
                await self._api.patch(f"/api/v1/namespaces/{key[0]}/pods/{key[1]}/status", body)
            except ApiError as error:
                if error.status != NOT_FOUND and error.reason != "Conflict":
                    raise
        waiting.pop(uid, None)

    async def _give_back(self) -> None:
        for name, pool in list(self._pools.items()):
            surplus = pool.surplus()
            if surplus:
                try:
                    await asyncio.to_thread(self._aws.unassign, self._enis[name], surplus)
                except Exception as error:  # noqa: BLE001 - AWS may be away; what it still has is found at the next start
                    log.warning("addresses of %s not given back: %s", name, error)
                    pool.spare.extendleft(surplus)
