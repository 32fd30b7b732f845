"""EKS Pod Identity in the cluster: the webhook's part, and the agent that gives pods their credentials.

On AWS the agent is an add-on that runs on every node, at 169.254.170.23; here it is one endpoint on loopback, for the
pods of all nodes. It has no permissions of its own: it asks EKS Auth with the role of the pod's node.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

import jwt
from aiohttp import web
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cluster.api import Object
from sandbox.cluster.spec import NodeSpec
from sandbox.cluster.webhooks.injection import Injection, expiration, inject

log = logging.getLogger(__name__)

ADDON = "eks-pod-identity-agent"
PATH = "/v1/credentials"
AUDIENCE = "pods.eks.amazonaws.com"
_VOLUME = _FILE = "eks-pod-identity-token"
_MOUNT = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
_RENEW_SECONDS = 300
_PATIENCE_SECONDS = 3.0


def patch(pod: Object, region: str, uri: str) -> list[dict[str, Any]]:
    """The webhook's changes to a new pod whose service account has an association, as a JSON patch.

    Args:
        pod: the pod that will be created.
        region: the cluster's region.
        uri: the agent's URL.
    """
    variables = {
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": uri,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{_MOUNT}/{_FILE}",
    }
    seconds = expiration(pod["metadata"].get("annotations") or {})
    return inject(pod, Injection(_VOLUME, _MOUNT, AUDIENCE, _FILE, variables, seconds))


def node_of(token: str) -> str:
    """The node of a token's pod; unverified, because EKS Auth verifies it.

    Raises:
        web.HTTPBadRequest: the token names no node.
    """
    try:
        bound: dict[str, Any] = jwt.decode(token, options={"verify_signature": False}).get("kubernetes.io") or {}
        return str(bound["node"]["name"])
    except (jwt.PyJWTError, KeyError, TypeError, AttributeError):
        raise web.HTTPBadRequest(text="the token does not belong to a pod on a node") from None


@dataclass
class PodIdentity:
    """What the cluster asks AWS about its pods' roles; the methods that are not async block."""

    client: Callable[..., Any]
    """`client(service, keys)` is boto3's, with a session's keys or by default the agent's own."""
    eks: Any
    cluster: str
    nodes: Callable[[], Mapping[str, NodeSpec]]
    port: int
    """Where the agent listens."""
    _sessions: dict[str, tuple[float, Any]] = field(default_factory=dict[str, tuple[float, Any]])
    """EKS Auth's client by node, and when to renew its session (seconds since 1970)."""

    @property
    def uri(self) -> str:
        """Where pods ask for credentials."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    async def has_role(self, namespace: str, account: str) -> bool:
        """Whether a service account has an association. If AWS does not answer it has none, as on AWS."""
        where = {"clusterName": self.cluster, "namespace": namespace, "serviceAccount": account}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                found = await asyncio.to_thread(self.eks.list_pod_identity_associations, **where)
        except (BotoCoreError, ClientError, TimeoutError, OSError) as error:
            log.warning("associations of %s/%s: %s", namespace, account, error)
            return False
        return bool(found["associations"])

    def credentials(self, token: str) -> dict[str, str]:
        """Container credentials in the SDKs' format.

        Raises:
            web.HTTPException: there are none for this token.
            ClientError: EKS Auth or STS refused.
            BotoCoreError: AWS does not answer.
        """
        node = self.nodes().get(node_of(token))
        if node is None:
            raise web.HTTPBadRequest(text=f"no node is called {node_of(token)}")
        if ADDON not in self.eks.list_addons(clusterName=self.cluster)["addons"]:
            text = f"no agent answers on the nodes of {self.cluster}: it lacks the add-on {ADDON}"
            raise web.HTTPServiceUnavailable(text=text)
        answer = self._auth(node).assume_role_for_pod_identity(clusterName=self.cluster, token=token)
        made, arn = answer["credentials"], answer["assumedRoleUser"]["arn"]
        expires: datetime = made["expiration"]
        return {
            "AccessKeyId": made["accessKeyId"],
            "SecretAccessKey": made["secretAccessKey"],
            "Token": made["sessionToken"],
            "AccountId": arn.split(":")[4],
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def _auth(self, node: NodeSpec) -> Any:
        """EKS Auth's client as the node: with a session of its role, named after the instance."""
        renew_at, auth = self._sessions.get(node.instance_id, (0.0, None))
        if time.time() >= renew_at:
            where = {"clusterName": self.cluster, "nodegroupName": node.nodegroup}
            role = self.eks.describe_nodegroup(**where)["nodegroup"]["nodeRole"]
            # On AWS the EC2 service may; here the sandbox's owner does it for the instance.
            given = self.client("sts").assume_role(RoleArn=role, RoleSessionName=node.instance_id)["Credentials"]
            auth = self.client("eks-auth", given)
            self._sessions[node.instance_id] = (given["Expiration"].timestamp() - _RENEW_SECONDS, auth)
        return auth


@dataclass
class Endpoint:
    """The agent's HTTP endpoint."""

    identity: PodIdentity
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on loopback, without TLS like the real one: SDKs accept this only from loopback."""
        app = web.Application()
        app.router.add_get(PATH, self._credentials)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.identity.port, shutdown_timeout=0.2).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _credentials(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "")
        try:
            return web.json_response(await asyncio.to_thread(self.identity.credentials, token))
        except web.HTTPException as error:
            status, text = error.status, error.text
        except ClientError as error:
            status, text = error.response["ResponseMetadata"]["HTTPStatusCode"], str(error)
        except BotoCoreError as error:
            status, text = HTTPStatus.BAD_GATEWAY, str(error)
        log.warning("no credentials for a pod: %s", text)
        return web.Response(text=text, status=status)
