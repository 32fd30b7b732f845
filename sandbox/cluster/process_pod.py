"""One process pod: a pod whose containers run as processes on this machine, from its first address to its deletion.

What a kubelet and a container runtime do for a pod, for the images of `images.py`. A container of another image beside
a known one runs nowhere, as everywhere in the sandbox: kwok's word, given here, is that it runs.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.cluster import images, kubeconfig, probes
from sandbox.cluster.api import Api, ApiError, Object, timestamp
from sandbox.cluster.containers import ContainerConfigError, environment, expand, outside, pre_stop_seconds
from sandbox.cluster.credentials import Session, exchange
from sandbox.cluster.pod_status import ContainerState, backoff, pod_status, terminated
from sandbox.cluster.volumes import Volumes
from sandbox.processes import Process

log = logging.getLogger(__name__)

_CONFIG_RETRY_SECONDS = 1.0
_REPORT_RETRY_SECONDS = 0.5
_LAST_GRACE_SECONDS = 1.0
"""For the processes of a pod that is gone already, or of an agent that ends."""
_FORGIVEN_AFTER_SECONDS = 60.0
"""A process that lived so long begins with no backoff again."""


@dataclass(frozen=True)
class Host:
    """What every process pod needs of the machine it runs on."""

    api: Api
    session: aiohttp.ClientSession
    """For probes."""
    pods: Path
    """Where pods have their folders."""
    log_file: Callable[[str], Path]
    """Part -> its log."""
    endpoint: str
    ca_data: str
    aws_endpoint: str
    replacements: dict[str, str]
    """`--with NAME=PATH`."""
    new_port: Callable[[], int]


@dataclass
class ProcessPod:
    """One pod. `obj` is replaced whenever the cluster has a newer one."""

    host: Host
    obj: Object
    on_change: Callable[[], None] = lambda: None
    """Called when a process starts or ends."""
    states: dict[str, ContainerState] = field(default_factory=dict[str, ContainerState])
    listeners: dict[int, int] = field(default_factory=dict[int, int])
    """The container's port -> the loopback port that stands for it."""
    processes: dict[str, Process] = field(default_factory=dict[str, Process])
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    """Container -> the session that its program was given."""

    def __post_init__(self) -> None:
        """Take over what an earlier agent wrote into the pod's status: restarts count on."""
        self._dirty = asyncio.Event()
        self._deleted = asyncio.Event()
        self._gone = asyncio.Event()
        earlier = {c["name"]: c for c in self.obj.get("status", {}).get("containerStatuses") or []}
        for container in self.containers:
            name = container["name"]
            known = earlier.get(name, {})
            restarts = known.get("restartCount", 0) + ("running" in (known.get("state") or {}))
            self.states[name] = ContainerState(name, container["image"], restarts)
        self._folder = self.host.pods / f"{self.namespace}_{self.name}_{self.uid}"
        self._volumes = Volumes(self.host.api, self.obj, self._folder)

    @property
    def name(self) -> str:
        """The pod's name."""
        return self.obj["metadata"]["name"]

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return self.obj["metadata"]["namespace"]

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return self.obj["metadata"]["uid"]

    @property
    def address(self) -> str | None:
        """The pod's address, once it has one."""
        return self.obj.get("status", {}).get("podIP")

    @property
    def containers(self) -> list[Object]:
        """Its containers' specs."""
        return self.obj["spec"]["containers"]

    def pid(self, container: str) -> int:
        """The pid of a container's process, 0 if it does not run."""
        process = self.processes.get(container)
        return process.identity.pid if process and process.running() and process.identity else 0

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    def update(self, obj: Object) -> None:
        """The cluster has a newer object."""
        self.obj = obj
        self._volumes.pod = obj
        if obj["metadata"].get("deletionTimestamp"):
            self._deleted.set()
        self._dirty.set()

    def gone(self) -> None:
        """The cluster has it no longer: there is nothing left to be patient for."""
        self._gone.set()
        self._deleted.set()

    async def run(self) -> None:
        """Run it until it is deleted or, cancelled, until the agent ends. No process of it is left afterwards."""
        work = [asyncio.create_task(self._report()), asyncio.create_task(self._live())]
        try:
            await self._deleted.wait()
            if not self._gone.is_set():
                await self._wind_down(work[1])
                await self.host.api.delete(self._path, grace=0, uid=self.uid)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await self._end_processes(_LAST_GRACE_SECONDS)
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _end_processes(self, grace: float) -> None:
        """SIGTERM for all that run, SIGKILL for what runs after `grace` seconds."""
        for process in self.processes.values():
            if process.running() and process.identity:
                process.identity.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await asyncio.gather(*(_ended(p) for p in self.processes.values()))
        for process in self.processes.values():
            process.stop(grace=0)

    async def _live(self) -> None:
        await self._write_volumes()
        await asyncio.gather(self._volumes.keep(), *(self._run(c) for c in self.containers))

    async def _write_volumes(self) -> None:
        while True:
            try:
                await self._volumes.write()
            except (ContainerConfigError, ApiError, aiohttp.ClientError, TimeoutError) as error:
                for state in self.states.values():
                    state.waiting = ("ContainerCreating", str(error))
                self._dirty.set()
                await asyncio.sleep(_CONFIG_RETRY_SECONDS)
            else:
                return

    async def _run(self, container: Object) -> None:
        """One container, again and again."""
        state, crashes = self.states[container["name"]], 0
        if images.known(container["image"]) is None:
            state.started_at, state.ready = timestamp(), True
            self._dirty.set()
            return
        while True:
            try:
                process = await self._start(container)
            except Exception as error:  # noqa: BLE001 - whatever it is, the pod's status says so and it is tried again
                log.warning("pod %s/%s: %s: %r", self.namespace, self.name, state.name, error)
                state.waiting = ("CreateContainerConfigError", str(error))
                self._dirty.set()
                await asyncio.sleep(_CONFIG_RETRY_SECONDS)
                continue
            began = time.monotonic()
            state.started_at = timestamp()
            self._dirty.set()
            self.on_change()
            await self._attend(container, process, state)
            state.last = terminated(process.exit_code() or 0, state.started_at, timestamp())
            log.warning("pod %s/%s: %s ended: %s", self.namespace, self.name, state.name, state.last)
            state.started_at, state.ready = None, False
            self.on_change()
            state.restarts += 1
            if state.last["exitCode"] == 0 and self._renewing(container["name"]):
                continue
            crashes = 1 if time.monotonic() - began > _FORGIVEN_AFTER_SECONDS else crashes + 1
            pause = backoff(crashes)
            state.waiting = ("CrashLoopBackOff", f"back-off {pause:.0f}s restarting container; see {process.log_file}")
            self._dirty.set()
            await asyncio.sleep(pause)

    async def _start(self, container: Object) -> Process:
        image = images.known(container["image"])
        assert image is not None  # noqa: S101 - the caller asked
        replacement = self.host.replacements.get(image.name)
        variables = await self._environment(container, foreign=replacement is not None)
        given = [expand(a, variables) for a in [*(container.get("args") or [])]]
        ports = images.pod_ports(image, given)
        for port in ports.values():
            self.listeners.setdefault(port, self.host.new_port())
        mounts = self._volumes.mounts(container)
        around = images.Surroundings(
            kubeconfig=self._write_kubeconfig(container),
            aws_endpoint=self.host.aws_endpoint,
            listeners={flag: self.listeners[port] for flag, port in ports.items()},
            certificates=Path(outside(image.certificates[1], mounts)) if image.certificates else None,
        )
        args = [outside(a, mounts) for a in images.arguments(image, given, around)]
        process = Process(
            name=f"{self.namespace}/{self.name}",
            argv=[*images.program(image, replacement), *args],
            log_file=self.host.log_file(f"pod-{self.name}"),
            env={name: outside(value, mounts) for name, value in variables.items()},
            cwd=self._folder,
        )
        process.start()
        self.processes[container["name"]] = process
        return process

    async def _environment(self, container: Object, *, foreign: bool) -> dict[str, str]:
        objects: dict[tuple[str, str], Object | None] = {}
        for kind, name in _referred(container):
            objects[kind, name] = await self.host.api.find(f"/api/v1/namespaces/{self.namespace}/{kind}/{name}")
        own = environment(self.obj, container, lambda kind, name: objects.get((kind, name)))
        server = self.host.endpoint.rpartition(":")[2]
        made = {
            # Nothing of the agent's own environment, which may hold its user's credentials.
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self._folder),
            "HOSTNAME": self.name,
            "POD_NAME": self.name,
            "POD_NAMESPACE": self.namespace,
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": server,
            "AWS_ENDPOINT_URL": self.host.aws_endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            **own,
        }
        if foreign:
            mounts = self._volumes.mounts(container)
            translated = {k: outside(v, mounts) for k, v in made.items()}
            session = await asyncio.to_thread(exchange, translated, self.host.aws_endpoint, time.time())
            if session:
                self.sessions[container["name"]] = session
                made |= session.variables
        return made

    def _renewing(self, container: str) -> bool:
        """Whether a container's session is due to be renewed."""
        return container in self.sessions and time.time() >= self.sessions[container].renew_at

    async def _renew(self, container: str, process: Process) -> None:
        """End a process in time for a new session."""
        await asyncio.sleep(max(self.sessions[container].renew_at - time.time(), 0))
        if process.identity:
            log.info("pod %s/%s: restarting for a new session", self.namespace, self.name)
            process.identity.signal(signal.SIGTERM)

    def _write_kubeconfig(self, container: Object) -> Path:
        account = self._volumes.service_account(container)
        user: dict[str, Any] = {"tokenFile": str(account / "token")} if account else {}
        config = kubeconfig.kubeconfig("pod", self.host.endpoint, self.host.ca_data, user)
        config["contexts"][0]["context"]["namespace"] = self.namespace
        return kubeconfig.write(self._folder / "kubeconfig", config)

    async def _attend(self, container: Object, process: Process, state: ContainerState) -> None:
        """Probe a process until it has ended; end it when its liveness probe fails."""

        def ready(verdict: bool) -> None:  # noqa: FBT001 - a verdict is what it is told
            state.ready = verdict
            self._dirty.set()

        def alive(verdict: bool) -> None:  # noqa: FBT001 - a verdict is what it is told
            if not verdict and process.identity:
                log.warning("pod %s/%s: liveness probe failed: ending %s", self.namespace, self.name, state.name)
                process.identity.signal(signal.SIGTERM)

        watches: list[asyncio.Task[None]] = []
        for kind, tell, patient in (("readinessProbe", ready, False), ("livenessProbe", alive, True)):
            probe = probes.Probe.of(container, kind)
            if probe is None:
                if not patient:
                    ready(True)  # noqa: FBT003 - a verdict
                continue
            port = self.listeners.get(probe.port, probe.port)

            async def ask(probe: probes.Probe = probe, port: int = port) -> bool:
                return await probe.succeeds(self.host.session, port)

            watches.append(asyncio.create_task(probes.follow(ask, probe, tell, patient=patient)))
        if state.name in self.sessions:
            watches.append(asyncio.create_task(self._renew(state.name, process)))
        try:
            await _ended(process)
        finally:
            for watch in watches:
                watch.cancel()

    async def _wind_down(self, life: "asyncio.Task[None]") -> None:
        """Deletion: preStop, SIGTERM, and SIGKILL at the end of the grace period."""
        grace = float(self.obj["metadata"].get("deletionGracePeriodSeconds", 30))
        deadline = time.monotonic() + grace
        hook = max((pre_stop_seconds(c) for c in self.containers), default=0)
        if self.processes and hook:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(hook, grace)):
                    await self._gone.wait()
        life.cancel()
        await self._end_processes(max(deadline - time.monotonic(), 0))

    async def _report(self) -> None:
        """Tell the cluster, whenever something changed."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            status = pod_status(self.obj, list(self.states.values()), timestamp())
            body = {"metadata": {"uid": self.uid}, "status": status}
            try:
                await self.host.api.patch(f"{self._path}/status", body)
            except ApiError as error:
                log.info("status of %s/%s: %s", self.namespace, self.name, error)
            except (aiohttp.ClientError, TimeoutError, OSError):
                await asyncio.sleep(_REPORT_RETRY_SECONDS)
                self._dirty.set()


def _referred(container: Object) -> set[tuple[str, str]]:
    """The Secrets and ConfigMaps that a container's variables refer to."""
    found: set[tuple[str, str]] = set()
    for source in container.get("envFrom") or []:
        found |= {(kind, source[k]["name"]) for k, kind in _REFERENCES.items() if k in source}
    for variable in container.get("env") or []:
        source = variable.get("valueFrom") or {}
        found |= {(kind, source[k]["name"]) for k, kind in _REFERENCES.items() if k in source}
    return found


_REFERENCES = {
    "secretRef": "secrets",
    "secretKeyRef": "secrets",
    "configMapRef": "configmaps",
    "configMapKeyRef": "configmaps",
}


async def _ended(process: Process) -> None:
    """Wait until a process has ended, without asking again and again: its pidfd becomes readable."""
    if not process.running() or process.identity is None:
        return
    descriptor = os.pidfd_open(process.identity.pid)
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        while process.running():
            await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
