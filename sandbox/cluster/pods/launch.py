"""How a process pod's container becomes a process: program, arguments, variables, kubeconfig, credentials."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.cluster import images, kubeconfig
from sandbox.cluster.api import Api, Object
from sandbox.cluster.pods.containers import environment, expand, outside
from sandbox.cluster.pods.role_session import aws_profile
from sandbox.cluster.pods.volumes import Volumes
from sandbox.run.processes import Process
from sandbox.run.state import Settings, write_text

_REFERENCES = {
    "secretRef": "secrets",
    "secretKeyRef": "secrets",
    "configMapRef": "configmaps",
    "configMapKeyRef": "configmaps",
}


@dataclass(frozen=True)
class Host:
    """What every process pod needs from its machine."""

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
    settings: Settings
    """Which executables exist."""
    new_port: Callable[[], int]


@dataclass(frozen=True)
class Launch:
    """A container that should start."""

    host: Host
    pod: Object
    container: Object
    volumes: Volumes
    folder: Path
    """The pod's folder; also the home and working directory of its processes."""

    async def process(self, image: images.Image, listener: Callable[[int], int]) -> Process:
        """The process, not yet started.

        Args:
            image: the program's image.
            listener: port in the pod -> its loopback port here.

        Raises:
            ContainerConfigError: something that the container refers to is missing.
        """
        metadata, mounts = self.pod["metadata"], self.volumes.mounts(self.container)
        given, variables = await self.given()
        around = images.Surroundings(
            kubeconfig=self._kubeconfig(),
            namespace=metadata["namespace"],
            aws_endpoint=self.host.aws_endpoint,
            listeners={flag: listener(port) for flag, port in images.pod_ports(image, given).items()},
            certificates=Path(outside(image.certificates[1], mounts)) if image.certificates else None,
        )
        return Process(
            name=f"{metadata['namespace']}/{metadata['name']}",
            argv=[self.program(image).path, *images.arguments(image, given, around)],
            log_file=self.host.log_file(f"pod-{metadata['name']}"),
            env=self._with_credentials(variables),
            cwd=self.folder,
        )

    def program(self, image: images.Image) -> images.Program:
        """The executable for the container."""
        settings, tag = self.host.settings, images.tag_version(self.container["image"])
        return images.program(image, tag, settings.tools, settings.origins, settings.replacements)

    def _with_credentials(self, variables: dict[str, str]) -> dict[str, str]:
        """Variables that make SDKs assume the pod's role through a `credential_process`.

        To exchange a token, the controller calls STS at its public name, whatever endpoint it is given. A
        `credential_process` asks the sandbox's STS, and runs again when the session ends.
        """
        role, token = variables.get("AWS_ROLE_ARN"), variables.get("AWS_WEB_IDENTITY_TOKEN_FILE")
        if not role or not token:
            return variables
        profile = self.folder / "aws-profile"
        session = variables.get("AWS_ROLE_SESSION_NAME") or self.pod["metadata"]["name"]
        write_text(profile, aws_profile(self.host.aws_endpoint, role, token, session))
        kept = {k: v for k, v in variables.items() if k not in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")}
        return {**kept, "AWS_CONFIG_FILE": str(profile), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

    async def given(self) -> tuple[list[str], dict[str, str]]:
        """The container's arguments and variables, with this machine's paths of its volumes.

        Raises:
            ContainerConfigError: something that the container refers to is missing.
        """
        mounts, variables = self.volumes.mounts(self.container), await self._variables()
        arguments = [outside(expand(argument, variables), mounts) for argument in self.container.get("args") or []]
        return arguments, {name: outside(value, mounts) for name, value in variables.items()}

    async def _variables(self) -> dict[str, str]:
        """The container's variables, over those that a process here needs; with the container's paths."""
        metadata = self.pod["metadata"]
        found = {(kind, name): await self._object(kind, name) for kind, name in referred(self.container)}
        own = environment(self.pod, self.container, lambda kind, name: found.get((kind, name)))
        return {
            # Nothing from the agent's environment, which may contain its user's credentials.
            "PATH": os.environ.get("PATH", os.defpath),
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
        """A kubeconfig that makes the process its pod's service account."""
        account = self.volumes.service_account(self.container)
        user: dict[str, Any] = {"tokenFile": str(account / "token")} if account else {}
        config = kubeconfig.kubeconfig("pod", self.host.endpoint, self.host.ca_data, user)
        config["contexts"][0]["context"]["namespace"] = self.pod["metadata"]["namespace"]
        return kubeconfig.write(self.folder / "kubeconfig", config)


def referred(container: Object) -> set[tuple[str, str]]:
    """The Secrets and ConfigMaps that a container's variables refer to: kind (plural) and name."""
    sources = [*(container.get("envFrom") or []), *((v.get("valueFrom") or {}) for v in container.get("env") or [])]
    return {(kind, source[key]["name"]) for source in sources for key, kind in _REFERENCES.items() if key in source}
