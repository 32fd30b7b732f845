"""How a container of a process pod becomes a process: program, arguments, variables, kubeconfig, session."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.cluster import images, kubeconfig
from sandbox.cluster.api import Api, Object
from sandbox.cluster.containers import environment, expand, outside
from sandbox.cluster.credentials import Session, exchange
from sandbox.cluster.volumes import Volumes
from sandbox.processes import Process

_REFERENCES = {
    "secretRef": "secrets",
    "secretKeyRef": "secrets",
    "configMapRef": "configmaps",
    "configMapKeyRef": "configmaps",
}


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


@dataclass(frozen=True)
class Launch:
    """A container that is to be started."""

    host: Host
    pod: Object
    container: Object
    volumes: Volumes
    folder: Path
    """The pod's; also what its processes have as home and working directory."""

    async def process(self, image: images.Image, listener: Callable[[int], int]) -> tuple[Process, Session | None]:
        """The process, not yet started, and the session that it is given.

        Args:
            image: what runs.
            listener: port in the pod -> the loopback port that stands for it.

        Raises:
            ContainerConfigError: something that the container refers to is not there.
            ClientError, BotoCoreError: STS gave no session to a program that is not ours.
        """
        metadata, mounts = self.pod["metadata"], self.volumes.mounts(self.container)
        variables = await self._variables()
        # Paths are those of this machine from here on.
        translated = {name: outside(value, mounts) for name, value in variables.items()}
        replacement, session = self.host.replacements.get(image.name), None
        if replacement:
            session = await asyncio.to_thread(exchange, translated, self.host.aws_endpoint, time.time())
        given = [expand(argument, variables) for argument in self.container.get("args") or []]
        around = images.Surroundings(
            kubeconfig=self._kubeconfig(),
            aws_endpoint=self.host.aws_endpoint,
            listeners={flag: listener(port) for flag, port in images.pod_ports(image, given).items()},
            certificates=Path(outside(image.certificates[1], mounts)) if image.certificates else None,
        )
        arguments = [outside(argument, mounts) for argument in images.arguments(image, given, around)]
        process = Process(
            name=f"{metadata['namespace']}/{metadata['name']}",
            argv=[*images.program(image, replacement), *arguments],
            log_file=self.host.log_file(f"pod-{metadata['name']}"),
            env={**translated, **(session.variables if session else {})},
            cwd=self.folder,
        )
        return process, session

    async def _variables(self) -> dict[str, str]:
        """The container's own variables over those that a process here needs, paths as the container knows them."""
        metadata = self.pod["metadata"]
        found = {(kind, name): await self._object(kind, name) for kind, name in referred(self.container)}
        own = environment(self.pod, self.container, lambda kind, name: found.get((kind, name)))
        return {
            # Nothing of the agent's own environment, which may hold its user's credentials.
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.folder),
            "HOSTNAME": metadata["name"],
            "POD_NAME": metadata["name"],
            "POD_NAMESPACE": metadata["namespace"],
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": self.host.endpoint.rpartition(":")[2],
            "AWS_ENDPOINT_URL": self.host.aws_endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            **own,
        }

    async def _object(self, kind: str, name: str) -> Object | None:
        return await self.host.api.find(f"/api/v1/namespaces/{self.pod['metadata']['namespace']}/{kind}/{name}")

    def _kubeconfig(self) -> Path:
        """A kubeconfig by which the process is its pod's service account."""
        account = self.volumes.service_account(self.container)
        user: dict[str, Any] = {"tokenFile": str(account / "token")} if account else {}
        config = kubeconfig.kubeconfig("pod", self.host.endpoint, self.host.ca_data, user)
        config["contexts"][0]["context"]["namespace"] = self.pod["metadata"]["namespace"]
        return kubeconfig.write(self.folder / "kubeconfig", config)


def referred(container: Object) -> set[tuple[str, str]]:
    """The Secrets and ConfigMaps that a container's variables refer to: kind (plural) and name."""
    sources = [*(container.get("envFrom") or []), *((v.get("valueFrom") or {}) for v in container.get("env") or [])]
    return {(kind, source[key]["name"]) for source in sources for key, kind in _REFERENCES.items() if key in source}
