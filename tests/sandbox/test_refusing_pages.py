"""HTTP answers that explain themselves: the kubelets' to exec and port-forward, the page's without its secret."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.cluster.nodes.kubelet import Kubelet
from sandbox.observe.view.board import Board
from sandbox.observe.view.server import application


def answer(app: web.Application, method: str, path: str, **more: Any) -> tuple[int, str]:
    async def asked() -> tuple[int, str]:
        async with TestClient(TestServer(app)) as client:
            reply = await client.request(method, path, **more)
            return reply.status, await reply.text()

    return asyncio.run(asked())


@pytest.mark.parametrize("path", ["/exec/web/web-0/web", "/portForward/web/web-0", "/attach/web/web-0/web"])
def test_commands_that_need_a_container_explain_why_they_fail(path: str) -> None:
    app = web.Application()
    app.router.add_routes(Kubelet(lambda _namespace, _pod: None).routes())
    status, text = answer(app, "POST", path)

    assert status == 500
    assert text.startswith("pod web/web-0 has no container to enter")
    assert "kubectl logs" in text


def test_the_page_without_its_secret_says_what_to_open() -> None:
    async def trace(_path: str) -> None: ...

    app = application(Board(), trace, "secret", 80)
    status, text = answer(app, "GET", "/", headers={"Host": "127.0.0.1:80"})

    assert status == 403
    assert "open the whole address that `sandbox view` printed" in text
    assert "secret/" not in text
