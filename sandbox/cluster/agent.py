"""The cluster agent: starts the parts of one cluster, keeps them running, and ends them.

The order is the story: keys and ports, etcd, kube-apiserver, the agent's own webhooks and proxy, the controllers, and
then the cluster is ACTIVE. From then on caches of the cluster's objects drive everything.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import boto3
from botocore.config import Config
from watchfiles import awatch

from sandbox.cluster import control_plane, images, irsa, kubeconfig, kwok, leases, nodes, pki
from sandbox.cluster.api import Api, ApiError, Cache, Object
from sandbox.cluster.cni import Cni, Ec2Addresses
from sandbox.cluster.egress import Egress
from sandbox.cluster.pods import Runner
from sandbox.cluster.process_pod import Host
from sandbox.cluster.sockets import free_port, kept_ports, socket_folder
from sandbox.cluster.spec import ClusterSpec, Folder, NodeSpec, read_nodes
from sandbox.cluster.status import ACTIVE, FAILED, Status
from sandbox.cluster.webhooks import Webhooks
from sandbox.processes import Process, Supervisor
from sandbox.state import State, locked

log = logging.getLogger(__name__)

KUBERNETES_VERSION = "v1.36.3"
KWOK_VERSION = "v0.8.0"
_STOP_SECONDS = 1.0
_POLL_SECONDS = 0.05
_RETRY_SECONDS = 1.0


class Agent:
    """One cluster, from keys to kubeconfig."""

    def __init__(self, state: State, name: str) -> None:
        """`state` is the sandbox's state folder, `name` the cluster's."""
        self.folder = Folder(state, name)
        self.state = state
        self.settings = state.settings()
        self.spec = ClusterSpec.read(self.folder)
        self.status = Status(self.folder.status_file)
        self.supervisor = Supervisor(on_change=self._parts_changed)
        # A process dies with the thread that started it (PR_SET_PDEATHSIG): this one thread lives as long as the agent.
        self.starter = ThreadPoolExecutor(1, "starter")
        self.tasks: list[asyncio.Task[None]] = []
        self.wanted: dict[str, NodeSpec] = {}
        self.machines: dict[str, nodes.Machine] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Bring the cluster up and keep it until `stop` is set."""
        self._loop = asyncio.get_running_loop()
        self.status.write()
        async with contextlib.AsyncExitStack() as undo:
            try:
                await self._start(undo)
            except Exception as error:
                self.status.phase, self.status.message = FAILED, str(error)
                self.status.write()
                raise
            self.status.phase = ACTIVE
            self._write_status()
            log.info("cluster %s is ACTIVE at %s", self.spec.name, self.status.endpoint)
            await stop.wait()

    async def _start(self, undo: contextlib.AsyncExitStack) -> None:
        keys = pki.ensure(self.folder.pki, control_plane.serving_names(self.spec))
        ports = kept_ports(self.folder.ports_file, ["apiserver", "webhooks"])
        sockets = control_plane.Sockets(socket_folder(self.folder.root / "run"), ports["apiserver"], ports["webhooks"])
        undo.callback(shutil.rmtree, sockets.folder, ignore_errors=True)
        self.status.endpoint, self.status.ca = sockets.endpoint, keys.ca_data()

        undo.push_async_callback(self._stop_parts)
        egress = kubeconfig.write(self.folder.config / "egress.yaml", control_plane.egress_configuration(sockets))
        tokens = kubeconfig.write(
            self.folder.config / "authenticator.yaml", control_plane.token_webhook_configuration(sockets, keys)
        )
        await self._part("etcd", control_plane.etcd(self.folder.etcd), cwd=sockets.folder)
        await self._part(
            "kube-apiserver",
            control_plane.apiserver(self.spec, keys, sockets, egress, tokens),
            ready=lambda: control_plane.apiserver_ready(sockets, keys),
        )
        for part, client in (("kube-controller-manager", "controller-manager"), ("kube-scheduler", "scheduler")):
            config = self._client_config(part, sockets, keys, client)
            arguments = (
                control_plane.controller_manager(self.spec, keys, config)
                if client == "controller-manager"
                else control_plane.scheduler(config)
            )
            await self._part(part, arguments)
        stages = self.folder.config / "kwok.yaml"
        stages.write_text(kwok.configuration(images.PATTERN))
        await self._part("kwok", kwok.arguments(self._client_config("kwok", sockets, keys, "kwok"), stages))
        self.supervisor.watch()

        api = Api(sockets.endpoint, keys, "agent")
        undo.push_async_callback(api.close)
        session = await undo.enter_async_context(aiohttp.ClientSession())
        ec2 = await asyncio.to_thread(self._client, "ec2")
        caches = {
            "pods": Cache(api, "/api/v1/pods"),
            "nodes": Cache(api, "/api/v1/nodes"),
            "services": Cache(api, "/api/v1/services"),
            "slices": Cache(api, "/apis/discovery.k8s.io/v1/endpointslices"),
        }
        cni = Cni(api, Ec2Addresses(ec2), caches["pods"], lambda: self.wanted)
        runner = Runner(self._host(api, session, sockets, keys), caches["pods"])
        self._runner = runner
        proxy = Egress(caches["services"].objects.values, caches["slices"].objects.values, runner.listener)
        webhooks = Webhooks(api, self.spec.region, self._authenticate)
        undo.push_async_callback(self._cancel_tasks)
        await proxy.start(sockets.egress)
        undo.push_async_callback(proxy.stop)
        await webhooks.start(sockets.webhooks, keys)
        undo.push_async_callback(webhooks.stop)
        undo.push_async_callback(runner.stop)

        await api.apply(
            f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{irsa.WEBHOOK_NAME}",
            irsa.webhook_configuration(sockets.webhook("/mutate"), keys.ca_data()),
        )
        for cache in caches.values():
            self._background(cache.run(), "cache")
        await asyncio.gather(*(cache.synced.wait() for cache in caches.values()))
        caches["pods"].subscribe(cni.take)
        caches["nodes"].subscribe(lambda _event, _node: self._nodes_changed(caches["nodes"]))
        runner.start()
        self._background(cni.run(), "cni")
        self._background(leases.renew(api, caches["nodes"]), "leases")
        reconciler = nodes.Nodes(api, self.spec, caches["nodes"], caches["pods"])
        self._background(self._follow_nodes(reconciler, cni, ec2), "nodes")
        await self._until_usable(api)

        admin = kubeconfig.kubeconfig(
            self.spec.arn, sockets.endpoint, keys.ca_data(), kubeconfig.client_data(keys, "admin")
        )
        kubeconfig.write(self.folder.kubeconfig, admin)
        kubeconfig.publish(self.state.kubeconfig, admin)

    def _client(self, service: str) -> Any:
        keys = self.settings.root_keys
        return boto3.client(
            service,
            region_name=self.spec.region,
            endpoint_url=self.spec.aws_endpoint,
            aws_access_key_id=keys["access_key"],
            aws_secret_access_key=keys["secret_key"],
            config=Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "max_attempts": 5}),
        )

    async def _part(self, name: str, arguments: list[str], *, cwd: Path | None = None, ready: Any = None) -> None:
        tools = self.settings.tools
        binary = tools["kwok"] if name == "kwok" else tools["control-plane"]
        process = Process(
            name=name,
            argv=[binary, *arguments],
            log_file=self.folder.log(name),
            env={**os.environ, **control_plane.MEMORY[name]},
            cwd=cwd,
            ready=ready,
        )
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.starter, self.supervisor.add, process)

    def _client_config(self, name: str, sockets: control_plane.Sockets, keys: pki.Pki, client: str) -> Path:
        user = kubeconfig.client_files(keys, client)
        config = kubeconfig.kubeconfig(name, sockets.endpoint, keys.ca_data(), user)
        return kubeconfig.write(self.folder.config / f"{name}.kubeconfig", config)

    def _host(self, api: Api, session: aiohttp.ClientSession, sockets: control_plane.Sockets, keys: pki.Pki) -> Host:
        return Host(
            api=api,
            session=session,
            pods=self.folder.pods,
            log_file=self.folder.log,
            endpoint=sockets.endpoint,
            ca_data=keys.ca_data(),
            aws_endpoint=self.spec.aws_endpoint,
            replacements=self.settings.replacements,
            new_port=lambda: free_port(self._runner.ports()),
        )

    async def _authenticate(self, _token: str) -> Object:
        return {"authenticated": False}

    async def _until_usable(self, api: Api) -> None:
        """Wait until a pod could be made: the controllers have to make the default service account first."""
        while await api.find("/api/v1/namespaces/default/serviceaccounts/default") is None:  # noqa: ASYNC110 - the cluster's event, not ours
            await asyncio.sleep(_POLL_SECONDS)

    async def _follow_nodes(self, reconciler: nodes.Nodes, cni: Cni, ec2: Any) -> None:
        """Make the cluster's nodes the ones of nodes.json, now and whenever it changes."""
        changes = awatch(self.folder.root, recursive=False, watch_filter=lambda _, path: path.endswith("nodes.json"))
        while True:
            try:
                self.wanted = read_nodes(self.folder.nodes_file)
                for node in self.wanted.values():
                    if node.instance_type not in self.machines:
                        self.machines[node.instance_type] = await asyncio.to_thread(machine, ec2, node.instance_type)
                cni.nodes_changed()
                await reconciler.reconcile(self.wanted, self.machines)
            except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
                log.warning("nodes: %s; trying again", error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            await anext(changes)

    def _nodes_changed(self, cache: Cache) -> None:
        self.status.ready_nodes = sorted(name for (_, name), node in cache.objects.items() if nodes.is_ready(node))
        self.status.write()

    def _parts_changed(self) -> None:
        """Called by the supervisor's thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._write_status)

    def _write_status(self) -> None:
        self.status.parts = [
            {
                "name": f"{self.spec.name}/{process.name}",
                "kind": "stand-in" if process.name == "kwok" else "real",
                "version": KWOK_VERSION if process.name == "kwok" else KUBERNETES_VERSION,
                "pid": process.identity.pid if process.identity else 0,
            }
            for process in self.supervisor.processes()
        ]
        self.status.write()

    def _background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self.tasks.append(asyncio.create_task(work, name=name))

    async def _cancel_tasks(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _stop_parts(self) -> None:
        kubeconfig.withdraw(self.state.kubeconfig, self.spec.arn)
        await asyncio.to_thread(self.supervisor.stop, _STOP_SECONDS)


def machine(ec2: Any, instance_type: str) -> nodes.Machine:
    """What EC2 says an instance type has; the usual if it knows none of that name."""
    found = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]
    if not found:
        return nodes.FALLBACK
    return nodes.Machine(found[0]["VCpuInfo"]["DefaultVCpus"], found[0]["MemoryInfo"]["SizeInMiB"])


async def main(state: State, name: str) -> None:
    """Run the agent of cluster `name` until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    agent = Agent(state, name)
    try:
        with locked(agent.folder.lock, wait=False):
            await agent.run(stop)
    except BlockingIOError:
        sys.exit(f"cluster {name} in {state.root} has an agent already: end that one first")
