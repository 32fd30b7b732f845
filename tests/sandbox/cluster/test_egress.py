"""The proxy into the cluster, on its own socket, with caches that the test fills."""

import asyncio
from pathlib import Path
from typing import Any

from sandbox.cluster.egress import Egress

SERVICE = {
    "metadata": {"namespace": "kube-system", "name": "webhooks"},
    "spec": {"clusterIPs": ["172.20.0.7"], "ports": [{"port": 443}]},
}
SLICE = {
    "metadata": {"namespace": "kube-system", "labels": {"kubernetes.io/service-name": "webhooks"}},
    "ports": [{"port": 9443}],
    "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": True}}],
}


async def answered(socket: Path, slices: list[dict[str, Any]], late: list[dict[str, Any]]) -> str:
    """The first line of the answer to a CONNECT; `late` reaches the caches while the proxy is asked."""

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    behind = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = behind.sockets[0].getsockname()[1]
    proxy = Egress(lambda: [SERVICE], lambda: slices, lambda _: port)
    await proxy.start(socket)
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(b"CONNECT 172.20.0.7:443 HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.1)
        slices += late
        return (await reader.readline()).decode().strip()
    finally:
        writer.close()
        await proxy.stop()
        behind.close()


def test_an_endpoint_that_reaches_the_proxy_a_moment_late_is_not_refused(tmp_path: Path) -> None:
    assert asyncio.run(answered(tmp_path / "s", [], [SLICE])) == "HTTP/1.1 200 Connection established"


def test_a_service_without_endpoints_is_refused_by_name(tmp_path: Path) -> None:
    said = asyncio.run(answered(tmp_path / "s", [], []))
    assert said == "HTTP/1.1 503 no endpoints available for service kube-system/webhooks"
