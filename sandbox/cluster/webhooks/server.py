"""The agent's HTTPS server: kube-apiserver's requests to webhooks and to the nodes' kubelet."""

import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.cluster.api import Api, Object
from sandbox.cluster.nodes.kubelet import Kubelet
from sandbox.cluster.pki import Pki
from sandbox.cluster.webhooks import irsa, pod_identity

log = logging.getLogger(__name__)


@dataclass
class Webhooks:
    """Pod Identity's and IRSA's mutation at /mutate, token reviews at /authenticate, and the kubelet's paths."""

    api: Api
    region: str
    authenticate: Callable[[str], Awaitable[Object]]
    """Takes a bearer token and returns a TokenReview's status."""
    kubelet: Kubelet
    identity: pod_identity.PodIdentity
    _runner: web.AppRunner | None = None

    async def start(self, port: int, pki: Pki) -> None:
        """Listen on a loopback port, with TLS; clients may present a certificate of the cluster."""
        app = web.Application()
        app.router.add_post("/mutate", self._mutate)
        app.router.add_post("/authenticate", self._review_token)
        app.add_routes(self.kubelet.routes())
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(pki.ca))
        context.verify_mode = ssl.CERT_OPTIONAL
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
        # An association wins over an annotation, as in EKS's webhook.
        if await self.identity.has_role(namespace, name):
            changes = pod_identity.patch(pod, self.region, self.identity.uri)
        else:
            account = await self.api.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")
            changes = irsa.patch(pod, account, self.region)
        return web.json_response(irsa.review(review, changes))

    async def _review_token(self, request: web.Request) -> web.Response:
        token = (await request.json())["spec"]["token"]
        status = await self.authenticate(token)
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
        return web.Response(text=json.dumps(review), content_type="application/json")
