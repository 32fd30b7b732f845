"""The real kube-proxy, one in each node's namespace."""

import asyncio
import logging
import os
from pathlib import Path

from sandbox.cluster import kubeconfig
from sandbox.cluster.pki import Pki
from sandbox.cluster.spec import Folder, NodeSpec
from sandbox.network.world import World

log = logging.getLogger(__name__)
HEALTH_PORT = 10256
_RESTART_SECONDS = 1.0
_MEMORY = {"GOGC": "50", "GOMEMLIMIT": "96MiB"}


def arguments(config: Path, node: str, mode: str) -> list[str]:
    """Arguments of kube-proxy on one node, with the settings of EKS's add-on.

    Args:
        config: its kubeconfig.
        node: the Node's name.
        mode: `iptables` or `nftables`.
    """
    return [
        "kube-proxy",
        f"--kubeconfig={config}",
        f"--hostname-override={node}",
        f"--proxy-mode={mode}",
        "--iptables-min-sync-period=0s",
        "--iptables-sync-period=30s",
        f"--healthz-bind-address=0.0.0.0:{HEALTH_PORT}",
        "--metrics-bind-address=127.0.0.1:10249",
        # These kernel parameters belong to the machine, not to a namespace, so they stay as they are.
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0s",
        "--conntrack-tcp-timeout-close-wait=0s",
    ]


def configuration(folder: Folder, endpoint: str) -> Path:
    """Write kube-proxy's kubeconfig; return its path."""
    keys = Pki(folder.pki)
    user = kubeconfig.client_files(keys, "kube-proxy")
    config = kubeconfig.kubeconfig("kube-proxy", endpoint, keys.ca_data(), user)
    return kubeconfig.write(folder.config / "kube-proxy.kubeconfig", config)


async def keep(world: World, node: NodeSpec, command: list[str], log_file: Path) -> None:
    """Run a node's kube-proxy, restarting it, until cancelled.

    Args:
        world: has the node's namespace.
        node: the node.
        command: kube-proxy with its arguments.
        log_file: its log.
    """
    while True:
        with log_file.open("ab") as output:
            process = await world.start(
                node.instance_id, command, env={**os.environ, **_MEMORY}, output=output.fileno()
            )
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())
        log.warning("kube-proxy of %s ended with exit code %s: starting it again", node.name, code)
        await asyncio.sleep(_RESTART_SECONDS)
