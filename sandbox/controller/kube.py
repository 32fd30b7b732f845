"""The Kubernetes API as the controller needs it: JSON in, JSON out, over one pool of connections.

The official client reads the kubeconfig and holds the TLS settings; its models are left aside (see `model.objects`).
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes import client, config

from sandbox.controller import IMITATES, NAME
from sandbox.controller.model.objects import key
from sandbox.controller.model.stack import Json

log = logging.getLogger(__name__)
_FAILED = 400
_MERGE, _STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


@dataclass(frozen=True)
class Kind:
    """Where a kind lives in the API."""

    name: str
    prefix: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "", sub: str = "") -> str:
        """The URL path of the collection, of one object or of a subresource."""
        parts = [self.prefix]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        return "/".join([*parts, self.plural, *([name] if name else []), *([sub] if sub else [])])


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("Service", "/api/v1", "services"),
        Kind("Pod", "/api/v1", "pods"),
        Kind("Node", "/api/v1", "nodes", namespaced=False),
        Kind("Namespace", "/api/v1", "namespaces", namespaced=False),
        Kind("Secret", "/api/v1", "secrets"),
        Kind("ConfigMap", "/api/v1", "configmaps"),
        Kind("Event", "/api/v1", "events"),
        Kind("EndpointSlice", "/apis/discovery.k8s.io/v1", "endpointslices"),
        Kind("Ingress", "/apis/networking.k8s.io/v1", "ingresses"),
        Kind("IngressClass", "/apis/networking.k8s.io/v1", "ingressclasses", namespaced=False),
        Kind("IngressClassParams", "/apis/elbv2.k8s.aws/v1beta1", "ingressclassparams", namespaced=False),
        Kind("TargetGroupBinding", "/apis/elbv2.k8s.aws/v1beta1", "targetgroupbindings"),
        *(
            Kind(
                name, "/apis/gateway.networking.k8s.io/v1", f"{name.lower()}{plural}", namespaced=name != "GatewayClass"
            )
            for name, plural in (
                ("GatewayClass", "es"),
                ("Gateway", "s"),
                ("ListenerSet", "s"),
                ("ReferenceGrant", "s"),
                ("HTTPRoute", "s"),
                ("GRPCRoute", "s"),
                ("TLSRoute", "s"),
                ("TCPRoute", "s"),
                ("UDPRoute", "s"),
            )
        ),
        *(
            Kind(name, "/apis/gateway.k8s.aws/v1", f"{name.lower()}s")
            for name in ("LoadBalancerConfiguration", "TargetGroupConfiguration", "ListenerRuleConfiguration")
        ),
        Kind("Lease", "/apis/coordination.k8s.io/v1", "leases"),
    )
}


class KubeError(Exception):
    """kube-apiserver refused; `code` is the HTTP status, `reason` Kubernetes' word for it."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"{message or reason} (HTTP {code})")
        self.code, self.reason = code, reason

    @property
    def missing(self) -> bool:
        """Whether the object is not there."""
        return self.code == 404  # noqa: PLR2004 - HTTP's own number

    @property
    def conflict(self) -> bool:
        """Whether it is there already, or was changed in between."""
        return self.code == 409  # noqa: PLR2004 - HTTP's own number


class Kube:
    """Calls to kube-apiserver. Thread-safe."""

    def __init__(self, kubeconfig: str) -> None:
        """Connect as the kubeconfig says; as the pod's service account where it is empty."""
        self._config = client.Configuration()
        if kubeconfig:
            config.load_kube_config(kubeconfig, client_configuration=self._config)
        else:
            config.load_incluster_config(client_configuration=self._config)
        self._token_file = _token_file(kubeconfig)
        self._config.connection_pool_maxsize = 32
        self._pool: urllib3.PoolManager = client.ApiClient(self._config).rest_client.pool_manager
        self._host = self._config.host

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """One object; KubeError where there is none."""
        return self._call("GET", KINDS[kind].path(namespace, name))

    def list(self, kind: str, namespace: str = "", **query: str) -> Json:
        """A list with its `metadata.resourceVersion`."""
        return self._call("GET", KINDS[kind].path(namespace), query=query)

    def kinds(self, group: str, version: str) -> frozenset[str]:
        """The kinds of an API group and version; none where it is not served."""
        try:
            answer = self._call("GET", f"/apis/{group}/{version}")
        except KubeError as error:
            if error.missing:
                return frozenset()
            raise
        return frozenset(resource["kind"] for resource in answer.get("resources") or [])

    def create(self, kind: str, namespace: str, body: Json) -> Json:
        """Create an object."""
        return self._call("POST", KINDS[kind].path(namespace), body=body)

    def replace(self, kind: str, obj: Json) -> Json:
        """Put an object in place of the version that it was made from."""
        return self._call("PUT", KINDS[kind].path(*key(obj)), body=obj)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        """Delete an object; one that is gone is deleted."""
        try:
            self._call("DELETE", KINDS[kind].path(namespace, name))
        except KubeError as error:
            if not error.missing:
                raise

    def patch(
        self, kind: str, namespace: str, name: str, body: Json, sub: str = "", *, strategic: bool = False
    ) -> Json:
        """Merge `body` into an object or its subresource (lists by their keys if `strategic`)."""
        content = _STRATEGIC if strategic else _MERGE
        return self._call("PATCH", KINDS[kind].path(namespace, name, sub), body=body, content=content)

    def set_finalizer(self, kind: str, obj: Json, finalizer: str, *, present: bool) -> None:
        """Add a finalizer to an object, or take it away; an object that is gone has none.

        The patch names the version it was made from: of two controllers' changes none is lost.
        """
        namespace, name = key(obj)
        while True:
            held = list(obj["metadata"].get("finalizers") or [])
            if (finalizer in held) == present:
                return
            wanted = [*held, finalizer] if present else [f for f in held if f != finalizer]
            version = obj["metadata"]["resourceVersion"]
            try:
                self.patch(kind, namespace, name, {"metadata": {"finalizers": wanted, "resourceVersion": version}})
            except KubeError as error:
                if error.missing:
                    return
                if not error.conflict:
                    raise
                try:
                    obj = self.get(kind, namespace, name)
                except KubeError as gone:
                    if gone.missing:
                        return
                    raise
            else:
                return

    def watch(self, kind: str, namespace: str, version: str, seconds: int, **query: str) -> Iterator[Json]:
        """Events after a version, until the server ends the stream after about `seconds`."""
        asked = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        response = self._request(
            "GET", KINDS[kind].path(namespace), asked | query, timeout=(5, seconds + 15), stream=True
        )
        try:
            rest = b""
            for chunk in response.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield json.loads(line)
        finally:
            response.close()
            response.release_conn()

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        content: str = "",
    ) -> Json:
        response = self._request(method, path, query or {}, body, content, timeout=(5, 30))
        return json.loads(response.data)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Json | None = None,
        content: str = "",
        *,
        timeout: tuple[float, float],
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": f"{NAME}/{IMITATES} (stand-in)"} | self._credentials()
        if body is not None:
            headers["Content-Type"] = content or "application/json"
        response = self._pool.request(
            method,
            f"{self._host}{path}" + (f"?{urlencode(query)}" if query else ""),
            body=json.dumps(body) if body is not None else None,
            headers=headers,
            timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
            preload_content=not stream,
            retries=urllib3.Retry(connect=1, read=0, redirect=0, status=0),
        )
        if response.status >= _FAILED:
            raise _failure(response)
        return response

    def _credentials(self) -> dict[str, str]:
        if self._token_file:
            # A projected token is rewritten in place long before it expires.
            return {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}
        settings: Any = self._config.auth_settings()  # asks a credential plugin again where there is one
        tokens = [one["value"] for one in settings.values() if one["in"] == "header" and one["value"]]
        return {"Authorization": tokens[0]} if tokens else {}


def _failure(response: urllib3.BaseHTTPResponse) -> KubeError:
    try:
        status = json.loads(response.data)
        return KubeError(response.status, status.get("reason", ""), status.get("message", ""))
    except (ValueError, AttributeError):
        return KubeError(response.status, response.reason or "", "")


def _token_file(kubeconfig: str) -> Path | None:
    """The file that holds the current user's token, if one does."""
    if not kubeconfig:
        in_pod = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
        return in_pod if in_pod.exists() else None
    data = cast(Json, yaml.safe_load(Path(kubeconfig).read_text()))
    contexts = {c["name"]: c["context"] for c in data.get("contexts") or []}
    users = {u["name"]: u["user"] for u in data.get("users") or []}
    context = contexts.get(data.get("current-context", ""), {})
    file = (users.get(context.get("user", "")) or {}).get("tokenFile")
    return Path(kubeconfig).parent / file if file else None


def own_namespace() -> str:
    """The namespace the controller's own pod is in; kube-system where there is no pod."""
    file = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
    return os.environ.get("POD_NAMESPACE") or (file.read_text() if file.exists() else "kube-system")


Handler = Callable[[Json | None, Json | None], None]
