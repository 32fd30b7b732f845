"""The pod runner: which pods of the cluster run as processes here, and on which ports."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.cluster import images
from sandbox.cluster.api import Cache, Object
from sandbox.cluster.egress import Address
from sandbox.cluster.nodes.cni import has_ended
from sandbox.cluster.pods.launch import Host
from sandbox.cluster.pods.process_pod import ProcessPod

log = logging.getLogger(__name__)


def is_ours(pod: Object) -> bool:
    """Whether a pod runs as a process: it has a container of a known image."""
    return any(images.known(container["image"]) for container in pod["spec"]["containers"])


class Runner:
    """All process pods of a cluster."""

    def __init__(self, host: Host, pods: Cache, on_change: Callable[[], None]) -> None:
        """`pods` are all pods of the cluster; `on_change` is called when a process starts or ends."""
        self._host = host
        self._on_change = on_change
        self._pods = pods
        self._running: dict[str, tuple[ProcessPod, asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Start. Removes an earlier agent's files from the pods' folders (its processes died with it)."""
        shutil.rmtree(self._host.pods, ignore_errors=True)
        self._pods.subscribe(self._take)

    def _take(self, event: str, obj: Object) -> None:
        """An event of a pod."""
        if not is_ours(obj):
            return
        uid = obj["metadata"]["uid"]
        running = self._running.get(uid)
        if event == "DELETED":
            if running:
                running[0].gone()
        elif running:
            running[0].update(obj)
        elif obj.get("status", {}).get("podIP") and not has_ended(obj):
            self._begin(obj)
        elif obj["metadata"].get("deletionTimestamp") and obj["spec"].get("nodeName"):
            self._begin(obj)  # nothing runs yet, so delete it at once

    def _begin(self, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        pod = ProcessPod(self._host, obj, self._on_change)
        pod.update(obj)
        task = asyncio.create_task(pod.run(), name=f"pod {pod.namespace}/{pod.name}")
        self._running[uid] = (pod, task)
        task.add_done_callback(lambda done: self._end(uid, done))

    def _end(self, uid: str, task: "asyncio.Task[None]") -> None:
        pod, _ = self._running.pop(uid)
        self._on_change()
        if not task.cancelled() and task.exception() is not None:
            log.error("pod %s/%s", pod.namespace, pod.name, exc_info=task.exception())

    def listener(self, target: Address) -> int | None:
        """The loopback port for a pod's address and port; None if none of our processes listens there."""
        for pod, _ in self._running.values():
            if (
                pod.address == target.host
                and target.port in pod.listeners
                and any(p.running() for p in pod.processes.values())
            ):
                return pod.listeners[target.port]
        return None

    def ports(self) -> set[int]:
        """The loopback ports in use."""
        return {port for pod, _ in self._running.values() for port in pod.listeners.values()}

    def log_of(self, namespace: str, name: str) -> Path | None:
        """The log of a process pod; None for every other pod."""
        ours = any((pod.namespace, pod.name) == (namespace, name) for pod, _ in self._running.values())
        return self._host.log_file(f"pod-{name}") if ours else None

    def parts(self, cluster: str) -> list[dict[str, Any]]:
        """Every process pod, as in status.json; pid 0 means that it waits for its restart."""
        return [
            {
                "name": f"{cluster}/{pod.namespace}/{pod.name}",
                "kind": "real",
                "version": program.version or self._logged_version(pod),
                "source": program.source,
                "pid": pod.pid(container["name"]),
            }
            for pod, _ in self._running.values()
            for container in pod.containers
            if (image := images.known(container["image"]))
            for program in [pod.launcher(container).program(image)]
        ]

    def _logged_version(self, pod: ProcessPod) -> str:
        """The version in the startup log of a `--with` program."""
        file = self._host.log_file(f"pod-{pod.name}")
        return images.logged_version(file.read_text(errors="replace")) if file.exists() else "unknown"

    async def stop(self) -> None:
        """Stop all processes without deleting their pods: the agent ends, the cluster stays."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
