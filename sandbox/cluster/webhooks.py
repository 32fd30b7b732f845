"""The agent's HTTPS server: the webhooks of its own that kube-apiserver calls."""

import json
import logging
import ssl
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.cluster import irsa
from sandbox.cluster.api import Api, Object
from sandbox.cluster.pki import Pki

log = logging.getLogger(__name__)


class Webhooks:
    """IRSA's mutation at /mutate, token reviews at /authenticate."""

    def __init__(self, api: Api, region: str, authenticate: Callable[[str], Awaitable[Object]]) -> None:
        """`authenticate` takes a bearer token and gives a TokenReview's status."""
        self._api = api
        self._region = region
        self._authenticate = authenticate
        self._runner: web.AppRunner | None = None

    async def start(self, port: int, pki: Pki) -> None:
        """Listen on a loopback port; only kube-apiserver is let in, by its client certificate."""
        app = web.Application()
        app.router.add_post("/mutate", self._mutate)
        app.router.add_post("/authenticate", self._review_token)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.ca))
        context.load_cert_chain(str(pki.cert("webhooks")), str(pki.key("webhooks")))
        await web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=context, shutdown_timeout=0.2).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _mutate(self, request: web.Request) -> web.Response:
        review = (await request.json())["request"]
        pod, namespace = review["object"], review["namespace"]
        name = pod["spec"].get("serviceAccountName") or "default"
        account = await self._api.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")
        return web.json_response(irsa.review(review, irsa.patch(pod, account, self._region)))

    async def _review_token(self, request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        status = await self._authenticate(token)
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
        return web.Response(text=json.dumps(review), content_type="application/json")
