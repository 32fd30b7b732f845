"""The cluster agent: everything around a control plane, from its boot to its end.

It starts in this order: the egress proxy and the webhooks, caches of the cluster's objects, then everything that acts
on the caches (addresses, leases, nodes, process pods). After that the cluster is ACTIVE.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError

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
from sandbox.run.changes import changes
from sandbox.run.clients import client
from sandbox.run.ports import free_port
from sandbox.run.state import ACTIVE, State

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
_RETRY_SECONDS = 1.0


class Caches(NamedTuple):
    """The cluster's objects that the agent follows."""

    pods: Cache
    nodes: Cache
    services: Cache
    slices: Cache

    @classmethod
    def of(cls, api: Api) -> "Caches":
        """Return the caches; they are empty until they run."""
        slices = "/apis/discovery.k8s.io/v1/endpointslices"
        return cls(*(Cache(api, path) for path in ("/api/v1/pods", "/api/v1/nodes", "/api/v1/services", slices)))


class Agent:
    """Runs everything around one control plane."""

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
        loop = asyncio.get_running_loop()

        def parts_changed() -> None:
            loop.call_soon_threadsafe(self._write_status)

        self._plane.on_change = parts_changed
        self._write_status()
        api = Api(self._plane.sockets.endpoint, self._plane.keys, "agent")
        undo.push_async_callback(api.close)
        session = await undo.enter_async_context(aiohttp.ClientSession())
        caches = Caches.of(api)
        runner = self._runner = Runner(self._host(api, session), caches.pods, self._write_status)

        await self._serve(api, session, eks, caches=caches, runner=runner, undo=undo)
        undo.push_async_callback(self._cancel_tasks)
        undo.push_async_callback(runner.stop)
        await self._fill(caches)
        self._act(api, ec2, caches, runner)
        await self._until_usable(api)
        if self._settings.traffic:
            await self._start_cloud_controller(api, ec2, eks)
        self._publish(undo)
        self._status.phase = ACTIVE
        self._write_status()
        log.info("cluster %s is ACTIVE at %s", self._spec.name, self._plane.sockets.endpoint)

    async def _serve(
        self,
        api: Api,
        session: aiohttp.ClientSession,
        eks: Any,
        *,
        caches: "Caches",
        runner: Runner,
        undo: contextlib.AsyncExitStack,
    ) -> None:
        """Serve what kube-apiserver and pods call: the egress proxy, Pod Identity's credentials, the webhooks.

        The webhooks listen before their configuration is applied: from then on no pod is created without them.
        """
        spec, sockets, keys = self._spec, self._plane.sockets, self._plane.keys
        access = Access(
            api,
            session,
            Entries(eks, spec.name),
            cluster=spec.name,
            endpoint=spec.aws_endpoint,
            nodes=lambda: {node.instance_id: node.name for node in self._wanted.values()},
        )
        identity = pod_identity.PodIdentity(
            partial(client, self._state), eks, spec.name, lambda: self._wanted, sockets.credentials
        )
        proxy = Egress(caches.services.objects.values, caches.slices.objects.values, self._listener)
        credentials = pod_identity.Endpoint(identity)
        webhooks = Webhooks(api, spec.region, access.review, Kubelet(runner.log_of), identity)
        await proxy.start(sockets.egress)
        undo.push_async_callback(proxy.stop)
        await credentials.start()
        undo.push_async_callback(credentials.stop)
        await webhooks.start(sockets.webhooks, keys)
        undo.push_async_callback(webhooks.stop)
        await api.apply(
            f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{irsa.WEBHOOK_NAME}",
            irsa.webhook_configuration(sockets.webhook("/mutate"), keys.ca_data()),
        )

    async def _fill(self, caches: "Caches") -> None:
        """Start the caches and wait until each has read its objects once."""
        for cache in caches:
            self._background(cache.run())
        await asyncio.gather(*(cache.synced.wait() for cache in caches))

    def _act(self, api: Api, ec2: Any, caches: "Caches", runner: Runner) -> None:
        """Start what acts on the filled caches: addresses, leases, nodes, process pods."""
        cni = Cni(api, Ec2Addresses(ec2), caches.pods, lambda: self._wanted)
        caches.pods.subscribe(cni.take)
        caches.nodes.subscribe(lambda _event, _node: self._nodes_changed(caches.nodes))
        runner.start()
        self._background(cni.run())
        self._background(leases.renew(api, caches.nodes))
        self._background(self._follow_nodes(nodes.Nodes(api, self._spec, caches.nodes, caches.pods), cni, ec2))

    async def _start_cloud_controller(self, api: Api, ec2: Any, eks: Any) -> None:
        """Start AWS's cloud controller manager, after granting it its rights in the cluster."""
        for item in cloud_controller.rights():
            await api.apply(f"/apis/{item['apiVersion']}/{item['kind'].lower()}s/{item['metadata']['name']}", item)
        place = await asyncio.to_thread(default_place, eks, ec2, self._spec.name)
        await asyncio.wrap_future(self._plane.add_cloud_controller(place))

    def _listener(self, target: Address) -> int | None:
        """Return the loopback port behind an address in the cluster: a process pod's, or any node's kubelet."""
        if target.port == kubelet.PORT and any(node.address == target.host for node in self._wanted.values()):
            return self._plane.sockets.webhooks
        return self._runner.listener(target) if self._runner else None

    def _publish(self, undo: contextlib.AsyncExitStack) -> None:
        """Write the administrator's kubeconfig: as a file of its own, and as a context of the sandbox's kubeconfig."""
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
        """Wait until pods can be created: the controllers must create the default service account first."""
        while await api.find("/api/v1/namespaces/default/serviceaccounts/default") is None:  # noqa: ASYNC110 - the cluster's event, not ours
            await asyncio.sleep(_POLL_SECONDS)

    async def _follow_nodes(self, reconciler: nodes.Nodes, cni: Cni, ec2: Any) -> None:
        """Keep the cluster's nodes equal to nodes.json, now and after every change."""
        async for _ in changes(self._plane.folder.nodes_file):
            while not await self._nodes_made(reconciler, cni, ec2):  # noqa: ASYNC110 - a pause before another try
                await asyncio.sleep(_RETRY_SECONDS)

    async def _nodes_made(self, reconciler: nodes.Nodes, cni: Cni, ec2: Any) -> bool:
        """Make the cluster's nodes equal to nodes.json. Return whether that worked."""
        try:
            self._wanted = read_nodes(self._plane.folder.nodes_file)
            for node in self._wanted.values():
                if node.instance_type not in self._machines:
                    self._machines[node.instance_type] = await asyncio.to_thread(machine, ec2, node.instance_type)
            cni.nodes_changed()
            await reconciler.reconcile(self._wanted, self._machines)
        except (ApiError, BotoCoreError, ClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("nodes: %s; trying again", error)
            return False
        return True

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
    """Stop the agent if a task failed: none of its tasks ends by itself, so that is a fault."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("a task of the agent failed", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)


def machine(ec2: Any, instance_type: str) -> nodes.Machine:
    """Return what EC2 reports about an instance type; a usual machine if EC2 does not know it."""
    found = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]
    if not found:
        return nodes.FALLBACK
    return nodes.Machine(found[0]["VCpuInfo"]["DefaultVCpus"], found[0]["MemoryInfo"]["SizeInMiB"])


def default_place(eks: Any, ec2: Any, cluster: str) -> cloud_controller.Place:
    """Return the first of the cluster's subnets."""
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
