"""Pods that serve: a real HTTP server in the pod's own namespace, wired to its node.

`ProcessPod` does a kubelet's work for a pod (probes, preStop, SIGTERM, the grace period, the pod's status). This module
has the differences: the process runs in the pod's namespace, and probes come from its node.
"""

import asyncio
import logging
import re
import shutil
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.cluster import images
from sandbox.cluster.api import Cache, Object
from sandbox.cluster.nodes.cni import has_ended
from sandbox.cluster.pods.launch import Host
from sandbox.cluster.pods.probes import Probe
from sandbox.cluster.pods.process_pod import ProcessPod
from sandbox.network.network import Network
from sandbox.network.wiring import Pod
from sandbox.network.world import inside, within
from sandbox.run.processes import Process

log = logging.getLogger(__name__)
_WEB = images.Image(name="web", pattern=images.WEB, tool="web", ports=())
_DEFAULT_PORT = 80
_FIRST_LINE = re.compile(rb"HTTP/1\.[01] ([23])\d\d ")


def serves(container: Object, given: Mapping[str, str]) -> bool:
    """Whether a container runs: its image is a web server's, or `given` (`--with`) has a program for it."""
    image: str = container["image"]
    return re.search(images.WEB, image) is not None or images.server(image, given) is not None


def is_ours(pod: Object, given: Mapping[str, str]) -> bool:
    """Whether a pod serves here. One on the host's network cannot: its node's namespace is not shared."""
    return any(serves(c, given) for c in pod["spec"]["containers"]) and not pod["spec"].get("hostNetwork")


def ports(container: Object) -> list[int]:
    """The TCP ports that a container listens on: the ports that it names, otherwise HTTP's."""
    named = [p["containerPort"] for p in container.get("ports") or [] if p.get("protocol", "TCP") == "TCP"]
    return named or [_DEFAULT_PORT]


@dataclass
class WebPod(ProcessPod):
    """One pod that serves."""

    place: str = ""
    """The pod's namespace."""
    node: str = ""
    """Its node's."""

    def image(self, container: Object) -> images.Image | None:
        """What runs for a container: the server; nothing for other containers."""
        return _WEB if serves(container, self.host.settings.replacements) else None

    async def launch(self, container: Object, image: images.Image) -> Process:
        """The server in the pod's namespace, not yet started.

        A user's program gets the container's arguments, ours the ports to listen on. Both get its variables.
        """
        # A pod without volumes has no folder yet.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings, (arguments, variables) = self.host.settings, await self.launcher(container).given()
        given = images.server(container["image"], settings.replacements)
        command = [given, *arguments] if given else [settings.tools["web"], *(str(port) for port in ports(container))]
        return Process(
            name=f"{self.namespace}/{self.name}",
            argv=within(self.place, command),
            log_file=self.host.log_file(f"pod-{self.name}"),
            env=variables | {"NODE_NAME": self.obj["spec"]["nodeName"]},
            cwd=self.folder,
        )

    async def probed(self, probe: Probe) -> bool:
        """Probe the pod's address from its node, like a kubelet."""
        try:
            async with asyncio.timeout(probe.timeout):
                return await self._ask(probe)
        except (OSError, TimeoutError):
            return False

    async def _ask(self, probe: Probe) -> bool:
        door = inside(self.node, socket.socket)
        door.setblocking(False)  # noqa: FBT003 - the socket's own word
        loop = asyncio.get_running_loop()
        with door:
            await loop.sock_connect(door, (self.address or "", probe.port))
            if probe.kind == "tcp":
                return True
            headers = "".join(f"{name}: {value}\r\n" for name, value in probe.headers)
            request = f"GET {probe.path} HTTP/1.1\r\nHost: {self.address}\r\n{headers}Connection: close\r\n\r\n"
            await loop.sock_sendall(door, request.encode())
            return _FIRST_LINE.match(await loop.sock_recv(door, 64)) is not None


class WebPods:
    """All pods of a cluster that serve."""

    def __init__(self, host: Host, network: Network, instances: Callable[[], dict[str, str]]) -> None:
        """`instances` returns the nodes' instances by name."""
        self._host = host
        self._network = network
        self._instances = instances
        self._running: dict[str, tuple[WebPod, asyncio.Task[None]]] = {}

    def start(self, pods: Cache) -> None:
        """Start. Removes an earlier process's files from the pods' folders (its pods died with it)."""
        shutil.rmtree(self._host.pods, ignore_errors=True)
        pods.subscribe(self._take)

    def _take(self, event: str, obj: Object) -> None:
        if not is_ours(obj, self._host.settings.replacements):
            return
        uid, running = obj["metadata"]["uid"], self._running.get(obj["metadata"]["uid"])
        deleted = obj["metadata"].get("deletionTimestamp") and obj["spec"].get("nodeName")
        if event == "DELETED":
            if running:
                running[0].gone()
        elif running:
            running[0].update(obj)
        elif (obj.get("status", {}).get("podIP") and not has_ended(obj)) or deleted:
            self._begin(uid, obj)

    def _begin(self, uid: str, obj: Object) -> None:
        metadata, node = obj["metadata"], self._instances().get(obj["spec"]["nodeName"], "")
        pod = Pod(uid, metadata["namespace"], metadata["name"], node, obj.get("status", {}).get("podIP", ""))
        running = WebPod(self._host, obj, place=pod.place, node=node)
        running.update(obj)
        task = asyncio.create_task(self._live(running, pod), name=f"pod {pod.namespace}/{pod.name}")
        self._running[uid] = (running, task)
        task.add_done_callback(lambda done: self._end(uid, done))

    async def _live(self, running: WebPod, pod: Pod) -> None:
        if pod.address and not running.obj["metadata"].get("deletionTimestamp"):
            await self._network.add_pod(pod)
        try:
            await running.run()
        finally:
            await self._network.remove_pod(pod.uid)

    def _end(self, uid: str, task: "asyncio.Task[None]") -> None:
        pod, _ = self._running.pop(uid)
        if not task.cancelled() and task.exception() is not None:
            log.error("pod %s/%s", pod.namespace, pod.name, exc_info=task.exception())

    async def stop(self) -> None:
        """Stop all processes without deleting their pods."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
