"""A real control plane without nodes, and the provider asked as the engine asks it."""

import asyncio
import os
import subprocess
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi.provider.experimental.provider as sdk
import pytest
import yaml

from sandbox.ports import free_port
from sandbox.processes import Process
from sandbox.providers.common.server import DiffRequest, UpdateRequest
from sandbox.providers.common.values import Properties, plain, to_properties
from sandbox.providers.kubernetes.enginelog import EngineLog
from sandbox.providers.kubernetes.provider import Kubernetes

SECONDS = 60.0


@dataclass(frozen=True)
class ControlPlane:
    """etcd, kube-apiserver and kube-controller-manager: objects live, workloads get pods, no pod runs."""

    tool: Path
    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        command = [str(self.tool), "kubectl", "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def status(self, kind: str, name: str, namespace: str, status: dict[str, Any]) -> None:
        """Sets an object's status, as its controller would."""
        patch = yaml.safe_dump({"status": status})
        self.kubectl("-n", namespace, "patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    tools = os.environ.get("SANDBOX_TOOLS")
    if not tools:
        pytest.fail("SANDBOX_TOOLS is not set: give the folder that holds control-plane and helm")
    tool, folder = Path(tools) / "control-plane", tmp_path_factory.mktemp("control-plane")
    ports: list[int] = []
    for _ in range(4):
        ports.append(free_port(ports))
    store = f"http://127.0.0.1:{ports[0]}"
    plane = ControlPlane(tool, folder / "kubeconfig")
    (folder / "tokens.csv").write_text('admin-token,admin,admin,"system:masters"\nguest-token,guest,guest\n')
    subprocess.run(["openssl", "genrsa", "-out", str(folder / "sa.key"), "2048"], check=True, capture_output=True)
    plane.kubeconfig.write_text(kubeconfig(ports[2]))

    def flags(**values: Any) -> list[str]:
        return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]

    etcd = flags(
        data_dir=folder / "etcd",
        listen_client_urls=store,
        advertise_client_urls=store,
        listen_peer_urls=f"http://127.0.0.1:{ports[1]}",
    )
    server = flags(
        etcd_servers=store,
        secure_port=ports[2],
        bind_address="127.0.0.1",
        cert_dir=folder / "certificates",
        service_cluster_ip_range="172.20.0.0/16",
        authorization_mode="RBAC",
        token_auth_file=folder / "tokens.csv",
        service_account_key_file=folder / "sa.key",
        service_account_signing_key_file=folder / "sa.key",
        service_account_issuer="https://issuer.example",
    )
    manager = flags(
        kubeconfig=plane.kubeconfig,
        service_account_private_key_file=folder / "sa.key",
        leader_elect="false",
        secure_port=ports[3],
        cert_dir=folder / "manager",
        # As quick as can be: these tests wait for what controllers do.
        concurrent_namespace_syncs=20,
    )

    def answers() -> bool:
        return plane.kubectl("get", "--raw", "/readyz", check=False) == "ok"

    started: list[Process] = []
    commands = {"etcd": [*etcd, "--unsafe-no-fsync"], "kube-apiserver": server, "kube-controller-manager": manager}
    try:
        for name, arguments in commands.items():
            ready = answers if name == "kube-apiserver" else None
            process = Process(name, [tool, name, *arguments], folder / f"{name}.log", ready=ready)
            process.start()
            started.append(process)
            process.wait_ready(SECONDS)
        yield plane
    finally:
        for process in reversed(started):
            process.stop()


def kubeconfig(port: int, user: str = "admin") -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "c", "cluster": {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}}
            ],
            "users": [{"name": "u", "user": {"token": f"{user}-token"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


@dataclass
class Resource:
    """A resource as the engine remembers it."""

    urn: str
    id: str
    inputs: Properties
    state: Properties

    def __getitem__(self, key: str) -> Any:
        return plain(self.state[key])


class Recorder(EngineLog):
    """The engine's log, remembered; tests await what is said in it."""

    def __init__(self) -> None:
        super().__init__("")
        self.lines: list[str] = []
        self._more = asyncio.Event()

    async def status(self, urn: str, text: str) -> None:
        await self.warn(urn, text)

    async def warn(self, urn: str, text: str) -> None:
        del urn
        self.lines.append(text)
        self._more.set()

    async def said(self, words: str) -> None:
        """Returns once something with these words has been said."""
        while not any(words in line for line in self.lines):
            self._more.clear()
            await self._more.wait()


@dataclass
class Engine:
    """The provider, asked in the engine's order: check, diff, create or update, read, delete."""

    config: dict[str, Any]
    provider: Kubernetes = field(default_factory=Kubernetes)
    log: Recorder = field(default_factory=Recorder)
    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def __post_init__(self) -> None:
        self.provider._log = self.log
        self.run(self.provider.configure(sdk.ConfigureRequest({}, to_properties(self.config), True, True)))  # noqa: FBT003

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.runner.run(asyncio.wait_for(work, SECONDS))
        except TimeoutError:
            pytest.fail(f"not done within {SECONDS:g} s; said meanwhile: {self.log.lines}")

    def close(self) -> None:
        client = self.provider._client
        if client:
            self.run(client.close())
        self.runner.close()

    def check(self, token: str, name: str, old: Properties | None = None, **inputs: Any) -> sdk.CheckResponse:
        urn = f"urn:pulumi:s::p::{token}::{name}"
        return self.run(self.provider.check(sdk.CheckRequest(urn, dict(old or {}), to_properties(inputs), b"seed")))

    def checked(self, token: str, name: str, old: Properties | None = None, **inputs: Any) -> dict[str, Any]:
        response = self.check(token, name, old, **inputs)
        assert not response.failures, [failure.reason for failure in response.failures or ()]
        assert response.inputs is not None
        return response.inputs

    async def creating(self, token: str, name: str, inputs: dict[str, Any], seconds: float = 0) -> Resource:
        urn = f"urn:pulumi:s::p::{token}::{name}"
        made = await self.provider.create(sdk.CreateRequest(urn, inputs, seconds, preview=False))
        return Resource(urn, made.resource_id or "", inputs, made.properties)

    def create(self, token: str, name: str, seconds: float = 0, **inputs: Any) -> Resource:
        return self.run(self.creating(token, name, self.checked(token, name, **inputs), seconds))

    def preview(self, token: str, name: str, **inputs: Any) -> dict[str, Any]:
        urn = f"urn:pulumi:s::p::{token}::{name}"
        request = sdk.CreateRequest(urn, self.checked(token, name, **inputs), 0, preview=True)
        made = self.run(self.provider.create(request))
        assert made.resource_id == ""
        return {key: plain(value) for key, value in made.properties.items() if not key.startswith("__")}

    def diff(self, resource: Resource, *, ignore: tuple[str, ...] = (), **inputs: Any) -> sdk.DiffResponse:
        token, name = resource.urn.split("::")[-2:]
        new = self.checked(token, name, resource.inputs, **inputs)
        request = DiffRequest(resource.urn, resource.id, dict(resource.state), new, list(ignore))
        request.old_inputs = resource.inputs
        return self.run(self.provider.diff(request))

    def update(
        self, resource: Resource, *, preview: bool = False, ignore: tuple[str, ...] = (), **inputs: Any
    ) -> Resource:
        token, name = resource.urn.split("::")[-2:]
        new = self.checked(token, name, resource.inputs, **inputs)
        request = UpdateRequest(
            resource.urn,
            resource.id,
            dict(resource.state),
            new,
            timeout=0,
            ignore_changes=list(ignore),
            preview=preview,
        )
        request.old_inputs = resource.inputs
        done = self.run(self.provider.update(request))
        return Resource(resource.urn, resource.id, new, done.properties)

    def read(self, resource: Resource) -> Resource:
        request = sdk.ReadRequest(resource.urn, resource.id, dict(resource.state), dict(resource.inputs))
        found = self.run(self.provider.read(request))
        return Resource(resource.urn, found.resource_id or "", found.inputs, found.properties)

    def get(self, token: str, resource_id: str) -> Resource:
        return self.read(Resource(f"urn:pulumi:s::p::{token}::imported", resource_id, {}, {}))

    def delete(self, resource: Resource, *, timeout: float = 0) -> None:
        request = sdk.DeleteRequest(resource.urn, resource.id, dict(resource.state), timeout)
        self.run(self.provider.delete(request))


@pytest.fixture
def engine(control_plane: ControlPlane) -> Iterator[Engine]:
    engine = Engine({"kubeconfig": control_plane.kubeconfig.read_text()})
    yield engine
    engine.close()


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
