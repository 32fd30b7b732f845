"""One process pod: a pod whose containers run as processes on this machine, from its first address to its deletion.

It does the work of a kubelet and a container runtime, for the images in `images.py`. A container of another image in
the same pod does not really run, as everywhere in the sandbox; like kwok, this module reports it as running.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import aiohttp

from sandbox.cluster import images
from sandbox.cluster.api import ApiError, Object, timestamp
from sandbox.cluster.pods import probes
from sandbox.cluster.pods.containers import ContainerConfigError, pre_stop_seconds
from sandbox.cluster.pods.launch import Host, Launch
from sandbox.cluster.pods.pod_status import ContainerState, backoff, pod_status, terminated
from sandbox.cluster.pods.volumes import Volumes
from sandbox.run.ports import is_free
from sandbox.run.processes import Process

log = logging.getLogger(__name__)

_CONFIG_RETRY_SECONDS = 1.0
_REPORT_RETRY_SECONDS = 0.5
_LAST_GRACE_SECONDS = 1.0
"""For the processes of a pod that is gone already, or of an agent that ends."""
_FORGIVEN_AFTER_SECONDS = 60.0
"""After running this long, a process restarts without backoff."""


@dataclass
class ProcessPod:
    """One pod. `obj` is replaced whenever the cluster has a newer version."""

    host: Host
    obj: Object
    on_change: Callable[[], None] = lambda: None
    """Called when a process starts or ends."""
    states: dict[str, ContainerState] = field(default_factory=dict[str, ContainerState])
    listeners: dict[int, int] = field(default_factory=dict[int, int])
    """The container's port -> its loopback port here."""
    processes: dict[str, Process] = field(default_factory=dict[str, Process])

    def __post_init__(self) -> None:
        """Continue from an earlier agent's pod status: restart counts continue."""
        self._dirty = asyncio.Event()
        self._deleted = asyncio.Event()
        self._gone = asyncio.Event()
        earlier = {c["name"]: c for c in self.obj.get("status", {}).get("containerStatuses") or []}
        for container in self.containers:
            name = container["name"]
            known = earlier.get(name, {})
            restarts = known.get("restartCount", 0) + ("running" in (known.get("state") or {}))
            self.states[name] = ContainerState(name, container["image"], restarts)
        self.folder = self.host.pods / f"{self.namespace}_{self.name}_{self.uid}"
        self.volumes = Volumes(self.host.api, self.obj, self.folder)

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
        """The pid of a container's process, 0 if it is not running."""
        process = self.processes.get(container)
        return process.identity.pid if process and process.running() and process.identity else 0

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    def update(self, obj: Object) -> None:
        """The cluster has a newer version of the object."""
        self.obj = obj
        self.volumes.pod = obj
        if obj["metadata"].get("deletionTimestamp"):
            self._deleted.set()
        self._dirty.set()

    def gone(self) -> None:
        """The cluster no longer has it: there is nothing to wait for."""
        self._gone.set()
        self._deleted.set()

    async def run(self) -> None:
        """Run it until it is deleted, or cancelled because the agent ends. No process remains afterwards."""
        work = [asyncio.create_task(self._report()), asyncio.create_task(self._live())]
        work[1].add_done_callback(self._complain)
        try:
            await self._deleted.wait()
            if not self._gone.is_set():
                await self._wind_down(work[1])
                await self.host.api.delete(self._path, grace=0, uid=self.uid)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await _end(self.processes.values(), _LAST_GRACE_SECONDS)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _complain(self, life: "asyncio.Task[None]") -> None:
        if not life.cancelled() and life.exception() is not None:
            log.error("pod %s/%s runs no longer", self.namespace, self.name, exc_info=life.exception())

    async def _live(self) -> None:
        await self._write_volumes()
        await asyncio.gather(self.volumes.keep(), *(self._run(c) for c in self.containers))

    async def _write_volumes(self) -> None:
        while True:
            try:
                await self.volumes.write()
            except (ContainerConfigError, ApiError, aiohttp.ClientError, TimeoutError) as error:
                for state in self.states.values():
                    state.waiting = ("ContainerCreating", str(error))
                self._dirty.set()
                await asyncio.sleep(_CONFIG_RETRY_SECONDS)
            else:
                return

    async def _run(self, container: Object) -> None:
        """Run one container, restarting it."""
        state, crashes = self.states[container["name"]], 0
        image = self.image(container)
        if image is None:
            state.started_at, state.ready = timestamp(), True
            self._dirty.set()
            return
        while True:
            try:
                asked = {kind: probes.Probe.of(container, kind) for kind in ("readinessProbe", "livenessProbe")}
                process = await self._start(container, image)
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
            await self._attend(asked, process, state)
            state.last = terminated(process.exit_code() or 0, state.started_at, timestamp(), process.last_words())
            log.warning("pod %s/%s: %s ended: %s", self.namespace, self.name, state.name, state.last)
            state.started_at, state.ready = None, False
            self.on_change()
            state.restarts += 1
            crashes = 1 if time.monotonic() - began > _FORGIVEN_AFTER_SECONDS else crashes + 1
            pause = backoff(crashes)
            state.waiting = ("CrashLoopBackOff", f"back-off {pause:.0f}s restarting container; see {process.log_file}")
            self._dirty.set()
            await asyncio.sleep(pause)

    def image(self, container: Object) -> images.Image | None:
        """The process of a container; None if nothing runs for it."""
        return images.known(container["image"])

    async def probed(self, probe: probes.Probe) -> bool:
        """Probe a container once; return whether it succeeded."""
        return await probe.succeeds(self.host.session, self.listeners.get(probe.port, probe.port))

    async def _start(self, container: Object, image: images.Image) -> Process:
        process = await self.launch(container, image)
        process.start()
        self.processes[container["name"]] = process
        return process

    async def launch(self, container: Object, image: images.Image) -> Process:
        """A container's process, not yet started."""
        return await self.launcher(container).process(image, self.listener)

    def launcher(self, container: Object) -> Launch:
        """How a container is started."""
        return Launch(self.host, self.obj, container, self.volumes, self.folder)

    def listener(self, port: int) -> int:
        """The loopback port on which a process that starts now serves a port of the pod.

        It is the one of the process before, unless another program has taken that meanwhile.
        """
        if port not in self.listeners or not is_free(self.listeners[port]):
            self.listeners[port] = self.host.new_port()
        return self.listeners[port]

    async def _attend(self, asked: "dict[str, probes.Probe | None]", process: Process, state: ContainerState) -> None:
        """Probe a process until it has ended; stop it if its liveness probe fails."""
        tasks: list[asyncio.Task[None]] = []

        def ready(verdict: bool) -> None:  # noqa: FBT001 - the verdict of a probe
            state.ready = verdict
            self._dirty.set()

        def alive(verdict: bool) -> None:  # noqa: FBT001 - the verdict of a probe
            if not verdict:
                log.warning("pod %s/%s: liveness probe failed: ending %s", self.namespace, self.name, state.name)
                tasks.append(asyncio.create_task(_end([process], self._grace)))

        def follow(probe: probes.Probe, tell: Callable[[bool], None], *, patient: bool) -> None:
            work = probes.follow(lambda: self.probed(probe), probe, tell, patient=patient)
            tasks.append(asyncio.create_task(work))

        readiness, liveness = asked["readinessProbe"], asked["livenessProbe"]
        if readiness:
            follow(readiness, ready, patient=False)
        else:
            ready(True)  # noqa: FBT003 - a verdict
        if liveness:
            follow(liveness, alive, patient=True)
        try:
            await _ended(process)
        finally:
            for task in tasks:
                task.cancel()

    @property
    def _grace(self) -> float:
        """Seconds between SIGTERM and SIGKILL."""
        return float(self.obj["spec"].get("terminationGracePeriodSeconds", 30))

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
        await _end(self.processes.values(), max(deadline - time.monotonic(), 0))

    async def _report(self) -> None:
        """Update the status in the cluster after every change."""
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            status = pod_status(self.obj, list(self.states.values()), timestamp())
            body = {"metadata": {"uid": self.uid}, "status": status}
            try:
                await self.host.api.patch(f"{self._path}/status", body)
            except (ApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
                log.info("status of %s/%s: %s; trying again", self.namespace, self.name, error)
                await asyncio.sleep(_REPORT_RETRY_SECONDS)
                self._dirty.set()


async def _end(processes: Iterable[Process], grace: float) -> None:
    """SIGTERM for all running processes, SIGKILL for those left after `grace` seconds."""
    running = [process for process in processes if process.running()]
    for process in running:
        if process.identity:
            process.identity.signal(signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            await asyncio.gather(*(_ended(process) for process in running))
    for process in running:
        process.stop(grace=0)


async def _ended(process: Process) -> None:
    """Wait until a process has ended, without polling: its pidfd becomes readable."""
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
