"""A process pod's reports and ports, with an API server that refuses for a while."""

import asyncio
import socket
from pathlib import Path
from typing import Any, cast

import pytest

from sandbox.cluster.api import Api, ApiError
from sandbox.cluster.pods import process_pod
from sandbox.cluster.pods.launch import Host
from sandbox.cluster.pods.process_pod import ProcessPod
from sandbox.run.ports import free_port

_POD: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "default", "uid": "u"},
    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
}


class Refusing:
    """An API server whose etcd is too slow for the first requests."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.accepted = asyncio.Event()
        self.status: dict[str, Any] = {}

    async def patch(self, _path: str, body: dict[str, Any]) -> None:
        if self.left:
            self.left -= 1
            raise ApiError(500, "InternalError", "etcdserver: request timed out")
        self.status = body["status"]
        self.accepted.set()


def _pod(tmp_path: Path, api: Any) -> ProcessPod:
    host = Host(
        api=cast("Api", api), session=cast("Any", None), pods=tmp_path, log_file=lambda part: tmp_path / part,
        endpoint="", ca_data="", aws_endpoint="", settings=cast("Any", None), new_port=free_port,
    )  # fmt: skip
    return ProcessPod(host, _POD)


def test_a_status_that_the_api_server_did_not_take_is_reported_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_pod, "_REPORT_RETRY_SECONDS", 0.01)

    async def live() -> dict[str, Any]:
        api = Refusing(3)
        life = asyncio.create_task(_pod(tmp_path, api).run())
        await asyncio.wait_for(api.accepted.wait(), 20)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        return api.status

    conditions = {c["type"]: c["status"] for c in asyncio.run(live())["conditions"]}
    assert conditions["Ready"] == "True"


def test_a_port_is_kept_unless_another_program_takes_it_between_two_starts(tmp_path: Path) -> None:
    async def choose() -> None:
        pod = _pod(tmp_path, None)
        port = pod.listener(9443)
        assert pod.listener(9443) == port
        with socket.create_server(("127.0.0.1", port)):
            assert pod.listener(9443) != port

    asyncio.run(choose())
