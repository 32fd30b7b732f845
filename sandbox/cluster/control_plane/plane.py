"""The control plane as running processes: keys and ports first, then the parts in their order, kept running.

Blocking, and light to import: it boots in a thread while the rest of the agent is still loading.
"""

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sandbox.cluster import images, kubeconfig, pki
from sandbox.cluster.control_plane import cloud_controller, kwok
from sandbox.cluster.control_plane import commands as control_plane
from sandbox.cluster.sockets import kept_ports, socket_folder
from sandbox.cluster.spec import ClusterSpec, Folder
from sandbox.run.processes import Identity, Process, Supervisor, wait_until
from sandbox.run.state import Settings, write_text


class ControlPlane:
    """One cluster's keys, sockets and supervised processes."""

    def __init__(self, folder: Folder, settings: Settings, spec: ClusterSpec) -> None:
        """Create missing keys and ports; start nothing.

        Raises:
            PortTakenError: another process has taken one of the cluster's ports.
        """
        self.folder = folder
        self.spec = spec
        self._tools = settings.tools
        self._origins = settings.origins
        self._process_images = images.process_images(settings.replacements, traffic=bool(settings.traffic))
        self.keys = pki.ensure(folder.pki, control_plane.serving_names(spec))
        ports = kept_ports(folder.ports_file, ["apiserver", "webhooks", "credentials"])
        run = socket_folder(folder.root / "run")
        self.sockets = control_plane.Sockets(run, ports["apiserver"], ports["webhooks"], ports["credentials"])
        self.on_change: Callable[[], None] = lambda: None
        """Called from another thread whenever a pid changes."""
        self._supervisor = Supervisor(on_change=self._changed)
        self._storing: list[Identity | None] = []
        """The etcd and kube-apiserver that run; kwok's writes need both."""
        # A process ends with the thread that started it (PR_SET_PDEATHSIG): this thread lives as long as the agent.
        self._starter = ThreadPoolExecutor(1, "starter")

    def boot(self) -> "Future[None]":
        """Start everything. The future completes when all parts run and kube-apiserver is ready, or with the error."""
        return self._starter.submit(self._boot)

    def parts(self) -> list[dict[str, Any]]:
        """The running parts, as in status.json."""
        return [
            {
                "name": f"{self.spec.name}/{process.name}",
                # kwok's nodes and pods are not real.
                "kind": "stand-in" if process.name == "kwok" else "real",
                **self._origins.get(_tool(process.name), {"version": "unknown", "source": ""}),
                "pid": process.identity.pid if process.identity else 0,
            }
            for process in self._supervisor.processes()
        ]

    def add_cloud_controller(self, place: cloud_controller.Place) -> "Future[None]":
        """Start the cloud controller manager; `place` is the default place of its Classic ELBs."""
        return self._starter.submit(self._cloud_controller, place)

    def _cloud_controller(self, place: cloud_controller.Place) -> None:
        name, config = cloud_controller.NAME, self.folder.config
        cloud, profile = config / "cloud.conf", config / "cloud-profile"
        write_text(cloud, cloud_controller.configuration(self.spec, place))
        write_text(profile, cloud_controller.aws_profile(self.folder.state.root, self.spec.name, self.spec.region))
        process = Process(
            name=name,
            argv=[self._tools[name], *cloud_controller.arguments(self.spec, self._client(name), cloud)],
            log_file=self.folder.log(name),
            env=cloud_controller.environment(os.environ, profile),
        )
        self._supervisor.add(process)

    def stop(self) -> None:
        """Kill everything, in reverse order: etcd keeps what it has confirmed, and the others keep nothing."""
        self._supervisor.stop(0)
        self._starter.shutdown(cancel_futures=True)
        shutil.rmtree(self.sockets.folder, ignore_errors=True)

    def _boot(self) -> None:
        spec, keys, sockets, config = self.spec, self.keys, self.sockets, self.folder.config
        self._start("etcd", control_plane.etcd(self.folder.etcd), cwd=sockets.folder)
        egress = kubeconfig.write(config / "egress.yaml", control_plane.egress_configuration(sockets))
        tokens = kubeconfig.write(
            config / "authenticator.yaml", control_plane.token_webhook_configuration(sockets, keys)
        )
        self._start(
            "kube-apiserver",
            control_plane.apiserver(spec, keys, sockets, egress, tokens),
            ready=lambda: control_plane.apiserver_ready(sockets, keys),
        )
        self._start(
            "kube-controller-manager", control_plane.controller_manager(spec, keys, self._client("controller-manager"))
        )
        self._start("kube-scheduler", control_plane.scheduler(self._client("scheduler")))
        stages = config / "kwok.yaml"
        write_text(stages, kwok.configuration(self._process_images))
        self._start("kwok", kwok.arguments(self._client("kwok"), stages))
        self._supervisor.watch()

    def _changed(self) -> None:
        self.on_change()
        parts = {part.name: part for part in self._supervisor.processes()}
        storing = [parts[name].identity for name in ("etcd", "kube-apiserver") if name in parts]
        if storing != self._storing and "kwok" in parts:
            self._starter.submit(self._restart_kwok, parts["kwok"])
        self._storing = storing

    def _restart_kwok(self, part: Process) -> None:
        """End kwok once kube-apiserver reaches etcd. The supervisor starts another, which looks at every pod.

        kwok repeats a write only after some errors. Without etcd the API server answers 500, and kwok forgets the pod:
        https://github.com/kubernetes-sigs/kwok/blob/v0.8.0/pkg/kwok/controllers/utils.go (`shouldRetry`)
        """
        wait_until(
            lambda: not self._supervisor.processes() or control_plane.etcd_reached(self.sockets, self.keys), 60, 0.2
        )
        if part.identity:
            part.identity.signal(signal.SIGKILL)

    def _client(self, client: str) -> Path:
        """A part's kubeconfig."""
        user = kubeconfig.client_files(self.keys, client)
        config = kubeconfig.kubeconfig(client, self.sockets.endpoint, self.keys.ca_data(), user)
        return kubeconfig.write(self.folder.config / f"{client}.kubeconfig", config)

    def _start(
        self, name: str, arguments: list[str], *, cwd: Path | None = None, ready: Callable[[], bool] | None = None
    ) -> None:
        process = Process(
            name=name,
            argv=[self._tools[_tool(name)], *arguments],
            log_file=self.folder.log(name),
            env={**os.environ, **control_plane.GO_SETTINGS[name]},
            cwd=cwd,
            ready=ready,
        )
        self._supervisor.add(process)


def _tool(part: str) -> str:
    """The tool that contains a part."""
    return part if part in ("kwok", cloud_controller.NAME) else "control-plane"
