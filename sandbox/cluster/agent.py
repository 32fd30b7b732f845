"""The cluster agent: what goes on around a control plane that boots, runs and is to end.

The order is the story: the agent's own webhooks and the way into the cluster, caches of the cluster's objects, and what
acts on them (addresses, leases, nodes, process pods); then the cluster is ACTIVE.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from watchfiles import awatch

from sandbox.cluster import kubeconfig
from sandbox.cluster.api import Api, ApiError, Cache
from sandbox.cluster.control_plane import cloud_controller
from sandbox.cluster.control_plane.plane import ControlPlane
from sandbox.cluster.egress import Address, Egress
from sandbox.cluster.nodes import kubelet, leases, nodes
from sandbox.cluster.nodes.cni import Cni, Ec2Addresses
from sandbox.cluster.nodes.kubelet import Kubelet
from sandbox.cluster.pods.launch import Host
from sandbox.cluster.pods.runner import Runner
from sandbox.cluster.spec import NodeSpec, read_nodes
from sandbox.cluster.status import Status
from sandbox.cluster.webhooks import irsa, pod_identity
from sandbox.cluster.webhooks.access import Access, Entries
from sandbox.cluster.webhooks.server import Webhooks
from sandbox.run.clients import client
from sandbox.run.ports import free_port
from sandbox.run.state import ACTIVE, State

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_RETRY_SECONDS = 1.0


class Agent:
    """What surrounds one control plane."""

    def __init__(self, state: State, plane: ControlPlane, status: Status) -> None:
        """`plane` may still be booting."""
        self._state = state
        self._settings = state.settings()
        self._plane = plane
        self._spec = plane.spec
        self._status = status
        self._wanted: dict[str, NodeSpec] = {}
        self._machines: dict[str, nodes.Machine] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: Runner | None = None

    async def run(self, booting: "Future[None]", stop: asyncio.Event) -> None:
        """Bring the cluster up and keep it until `stop` is set."""
        async with contextlib.AsyncExitStack() as undo:
            stopping = asyncio.create_task(stop.wait())
            starting = asyncio.create_task(self._start(booting, undo))
            await asyncio.wait({stopping, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
            else:
                starting.cancel()

    async def _start(self, booting: "Future[None]", undo: contextlib.AsyncExitStack) -> None:
        ec2, eks = await asyncio.gather(
            *(asyncio.to_thread(client, self._state, service) for service in ("ec2", "eks"))
        )
        await asyncio.wrap_future(booting)
        plane, loop = self._plane, asyncio.get_running_loop()

        def parts_changed() -> None:
            loop.call_soon_threadsafe(self._write_status)

        plane.on_change = parts_changed
        api = Api(plane.sockets.endpoint, plane.keys, "agent")
        undo.push_async_callback(api.close)
        session = await undo.enter_async_context(aiohttp.ClientSession())
        pods, node_objects = Cache(api, "/api/v1/pods"), Cache(api, "/api/v1/nodes")
        services, slices = Cache(api, "/api/v1/services"), Cache(api, "/apis/discovery.k8s.io/v1/endpointslices")
        runner = self._runner = Runner(self._host(api, session), pods, self._write_status)
        proxy = Egress(services.objects.values, slices.objects.values, self._listener)
        access = Access(
            api,
            session,
            Entries(eks, self._spec.name),
            cluster=self._spec.name,
            endpoint=self._spec.aws_endpoint,
            nodes=lambda: {node.instance_id: node.name for node in self._wanted.values()},
        )
        identity = pod_identity.PodIdentity(
            partial(client, self._state), eks, self._spec.name, lambda: self._wanted, plane.sockets.credentials
        )
        credentials = pod_identity.Endpoint(identity)
        webhooks = Webhooks(api, self._spec.region, access.review, Kubelet(runner.log_of), identity)
        cni = Cni(api, Ec2Addresses(ec2), pods, lambda: self._wanted)

        await proxy.start(plane.sockets.egress)
        undo.push_async_callback(proxy.stop)
        await credentials.start()
        undo.push_async_callback(credentials.stop)
        await webhooks.start(plane.sockets.webhooks, plane.keys)
        undo.push_async_callback(webhooks.stop)
        await api.apply(
            f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{irsa.WEBHOOK_NAME}",
            irsa.webhook_configuration(plane.sockets.webhook("/mutate"), plane.keys.ca_data()),
        )
        undo.push_async_callback(self._cancel_tasks)
        undo.push_async_callback(runner.stop)
        for cache in (pods, node_objects, services, slices):
            self._background(cache.run())
        await asyncio.gather(*(c.synced.wait() for c in (pods, node_objects, services, slices)))
        pods.subscribe(cni.take)
        node_objects.subscribe(lambda _event, _node: self._nodes_changed(node_objects))
        runner.start()
        self._background(cni.run())
        self._background(leases.renew(api, node_objects))
        self._background(self._follow_nodes(nodes.Nodes(api, self._spec, node_objects, pods), cni, ec2))
        await self._until_usable(api)
        if self._settings.traffic:
            for item in cloud_controller.rights():
                await api.apply(f"/apis/{item['apiVersion']}/{item['kind'].lower()}s/{item['metadata']['name']}", item)
            place = await asyncio.to_thread(default_place, eks, ec2, self._spec.name)
            await asyncio.wrap_future(plane.add_cloud_controller(place))
        self._publish(undo)
        self._status.phase = ACTIVE
        self._write_status()
        log.info("cluster %s is ACTIVE at %s", self._spec.name, plane.sockets.endpoint)

    def _listener(self, target: Address) -> int | None:
        """The loopback port behind an address of the cluster: a process pod's, or any node's kubelet."""
        if target.port == kubelet.PORT and any(node.address == target.host for node in self._wanted.values()):
            return self._plane.sockets.webhooks
        return self._runner.listener(target) if self._runner else None

    def _publish(self, undo: contextlib.AsyncExitStack) -> None:
        """Hand out the administrator's kubeconfig: its own file, and a context of the sandbox's."""
        keys, arn = self._plane.keys, self._spec.arn
        user = kubeconfig.client_data(keys, "admin")
        admin = kubeconfig.kubeconfig(arn, self._plane.sockets.endpoint, keys.ca_data(), user)
        kubeconfig.write(self._plane.folder.kubeconfig, admin)
        kubeconfig.publish(self._state.kubeconfig, admin)
        undo.callback(kubeconfig.withdraw, self._state.kubeconfig, arn)

    def _host(self, api: Api, session: aiohttp.ClientSession) -> Host:
        folder = self._plane.folder
        return Host(
            api=api,
            session=session,
            pods=folder.pods,
            log_file=folder.log,
            endpoint=self._plane.sockets.endpoint,
            ca_data=self._plane.keys.ca_data(),
            aws_endpoint=self._spec.aws_endpoint,
            settings=self._settings,
            new_port=lambda: free_port(self._runner.ports() if self._runner else ()),
        )

    async def _until_usable(self, api: Api) -> None:
        """Wait until a pod could be made: the controllers have to make the default service account first."""
        while await api.find("/api/v1/namespaces/default/serviceaccounts/default") is None:  # noqa: ASYNC110 - the cluster's event, not ours
            await asyncio.sleep(_POLL_SECONDS)

    async def _follow_nodes(self, reconciler: nodes.Nodes, cni: Cni, ec2: Any) -> None:
        """Make the cluster's nodes the ones of nodes.json, now and whenever it changes."""
        folder = self._plane.folder
        changes = awatch(folder.root, recursive=False, watch_filter=lambda _, path: path == str(folder.nodes_file))
        while True:
            try:
                self._wanted = read_nodes(folder.nodes_file)
                for node in self._wanted.values():
                    if node.instance_type not in self._machines:
                        self._machines[node.instance_type] = await asyncio.to_thread(machine, ec2, node.instance_type)
                cni.nodes_changed()
                await reconciler.reconcile(self._wanted, self._machines)
            except (ApiError, BotoCoreError, ClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
                log.warning("nodes: %s; trying again", error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            await anext(changes)

    def _nodes_changed(self, cache: Cache) -> None:
        self._status.ready_nodes = sorted(name for (_, name), node in cache.objects.items() if nodes.is_ready(node))
        self._write_status()

    def _write_status(self) -> None:
        self._status.endpoint = self._plane.sockets.endpoint
        self._status.ca = self._plane.keys.ca_data()
        self._status.parts = self._plane.parts() + (self._runner.parts(self._spec.name) if self._runner else [])
        self._status.write()

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_complain)
        self._tasks.append(task)

    async def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _complain(task: "asyncio.Task[None]") -> None:
    """None of the agent's tasks ends by itself: one that does is a fault, and not to be passed over."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("a task of the agent failed", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def machine(ec2: Any, instance_type: str) -> nodes.Machine:
    """What EC2 says an instance type has; the usual if it knows none of that name."""
    found = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]
    if not found:
        return nodes.FALLBACK
    return nodes.Machine(found[0]["VCpuInfo"]["DefaultVCpus"], found[0]["MemoryInfo"]["SizeInMiB"])


def default_place(eks: Any, ec2: Any, cluster: str) -> cloud_controller.Place:
    """The first of a cluster's subnets."""
    subnet = eks.describe_cluster(name=cluster)["cluster"]["resourcesVpcConfig"]["subnetIds"][0]
    (found,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    return cloud_controller.Place(subnet, found["AvailabilityZone"])


async def main(state: State, plane: ControlPlane, booting: "Future[None]", status: Status) -> None:
    """Run the agent until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Agent(state, plane, status).run(booting, stop)
