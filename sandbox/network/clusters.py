"""The world's part of each EKS cluster: a kube-proxy on every node, and the serving pods."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from sandbox.cluster.api import Api, Cache
from sandbox.cluster.pki import Pki
from sandbox.cluster.pods.launch import Host
from sandbox.cluster.spec import ClusterSpec, Folder, NodeSpec, read_nodes
from sandbox.network import aws, kube_proxy
from sandbox.network.network import Network
from sandbox.network.relays import Relays
from sandbox.network.web_pods import WebPods
from sandbox.network.world import World
from sandbox.run.state import State, read_json

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0


class Cluster:
    """One active cluster."""

    def __init__(self, state: State, name: str, world: World, relays: Relays, network: Network) -> None:
        self.folder = Folder(state, name)
        self.proxies: dict[str, asyncio.Task[None]] = {}
        """Node -> the task that runs its kube-proxy."""
        self._state = state
        self._settings = state.settings()
        self._world = world
        self._relays = relays
        self._network = network
        self._endpoint: str = read_json(self.folder.status_file)["endpoint"]

    async def run(self) -> None:
        """Run everything until cancelled."""
        async with contextlib.AsyncExitStack() as undo:
            api = Api(self._endpoint, Pki(self.folder.pki), "agent")
            undo.push_async_callback(api.close)
            session = await undo.enter_async_context(aiohttp.ClientSession())
            pods = Cache(api, "/api/v1/pods")
            web = WebPods(self._host(api, session), self._network, self.instances)
            undo.push_async_callback(web.stop)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pods.run())
                tasks.create_task(self._keep_proxies(tasks))
                await pods.synced.wait()
                # A pod's node must be known before the pod.
                await asyncio.to_thread(self.instances)
                web.start(pods)

    @property
    def port(self) -> int:
        """The port of its kube-apiserver, on the machine's loopback."""
        return urlsplit(self._endpoint).port or 443

    def instances(self) -> dict[str, str]:
        """The instances of its nodes, by name."""
        return {node.name: node.instance_id for node in read_nodes(self.folder.nodes_file).values()}

    async def _keep_proxies(self, tasks: asyncio.TaskGroup) -> None:
        """Run one kube-proxy in every node that has a namespace, and in no other."""
        if self._settings.traffic == "none":
            return
        config = kube_proxy.configuration(self.folder, self._endpoint)
        while True:
            there = self._network.wiring.namespaces
            nodes = {n.instance_id: n for n in read_nodes(self.folder.nodes_file).values() if n.instance_id in there}
            for instance in self.proxies.keys() - nodes.keys():
                self.proxies.pop(instance).cancel()
            for instance in nodes.keys() - self.proxies.keys():
                node = nodes[instance]
                arguments = kube_proxy.arguments(config, node.name, self._settings.traffic)
                command = [self._settings.tools["control-plane"], *arguments]
                log_file = self.folder.log(f"kube-proxy-{node.name}")
                self.proxies[instance] = tasks.create_task(self._keep_proxy(node, command, log_file))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._network.until_changed()

    async def _keep_proxy(self, node: NodeSpec, command: list[str], log_file: Path) -> None:
        async with self._relays.relay(node.instance_id, self.port):
            await kube_proxy.keep(self._world, node, command, log_file)

    def _host(self, api: Api, session: aiohttp.ClientSession) -> Host:
        return Host(
            api=api,
            session=session,
            pods=self.folder.root / "web",
            log_file=self.folder.log,
            endpoint=self._endpoint,
            ca_data=Pki(self.folder.pki).ca_data(),
            aws_endpoint=ClusterSpec.read(self.folder).aws_endpoint,
            settings=self._settings,
            new_port=lambda: 0,
        )


class Clusters:
    """All active clusters of the sandbox."""

    def __init__(
        self, state: State, world: World, relays: Relays, network: Network, on_change: Callable[[], None]
    ) -> None:
        """`on_change` is called when a cluster appears or disappears."""
        self._state = state
        self._world = world
        self._relays = relays
        self._network = network
        self._on_change = on_change
        self.running: dict[str, tuple[Cluster, asyncio.Task[None]]] = {}

    def names(self) -> dict[str, str]:
        """The names of all nodes, by instance."""
        return {i: name for cluster, _ in self.running.values() for name, i in cluster.instances().items()}

    def ports(self) -> list[int]:
        """The ports of all kube-apiservers, on the machine's loopback."""
        return [cluster.port for cluster, _ in self.running.values()]

    async def follow(self) -> None:
        """Follow EKS for ever."""
        async for _ in aws.changes(self._state, ("eks",)):
            active = set(self._state.active_clusters())
            for name in self.running.keys() - active:
                self.running.pop(name)[1].cancel()
            for name in active - self.running.keys():
                cluster = Cluster(self._state, name, self._world, self._relays, self._network)
                task = asyncio.create_task(self._attend(name, cluster), name=f"cluster {name}")
                self.running[name] = (cluster, task)
            self._on_change()

    async def _attend(self, name: str, cluster: Cluster) -> None:
        while True:
            try:
                await cluster.run()
            except Exception:
                log.exception("cluster %s: trying again", name)
                cluster.proxies.clear()
                await asyncio.sleep(_LOOK_SECONDS)
