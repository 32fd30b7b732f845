"""What Kubernetes says. Thin: paths and their order; what it means is for the checks."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import urllib3
from kubernetes import client, config
from kubernetes.config import ConfigException

from eks_load_balancing.controller_values import CHART
from eks_load_balancing.doctor.facts import CannotLookError, NotSeenError, Object, Objects, Unseen, known, seen
from eks_load_balancing.doctor.lookups import serving_secret, webhooks_of_the_controller

_LABEL: Final = f"app.kubernetes.io/name={CHART}"
_AT_ONCE: Final = 500
_TIMEOUT: Final = urllib3.Timeout(connect=10, read=60)
_NOT_FOUND: Final = 404
_REFUSED: Final = 400

_KINDS: Final = {
    "nodes": ("Node", "/api/v1/nodes"),
    "pods": ("Pod", "/api/v1/pods"),
    "services": ("Service", "/api/v1/services"),
    "endpoint_slices": ("EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices"),
    "ingresses": ("Ingress", "/apis/networking.k8s.io/v1/ingresses"),
    "ingress_classes": ("IngressClass", "/apis/networking.k8s.io/v1/ingressclasses"),
    "ingress_class_params": ("IngressClassParams", "/apis/elbv2.k8s.aws/v1beta1/ingressclassparams"),
    "bindings": ("TargetGroupBinding", "/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings"),
    "gateways": ("Gateway", "/apis/gateway.networking.k8s.io/v1/gateways"),
}
"""A fact -> kind and path of the objects that it holds, all of them."""
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WEBHOOKS: Final = {
    "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}
_SUCCEEDED: Final = "reason=SuccessfullyReconciled"


class Api:
    """A cluster's API, asked with GET alone."""

    def __init__(self, settings: Any, report: Callable[[str], None] = lambda _: None) -> None:
        """Take the official client's `Configuration`, which knows how to connect and as whom."""
        self._settings, self._report = settings, report
        self._pool: urllib3.PoolManager = client.ApiClient(settings).rest_client.pool_manager

    def get(self, path: str, **query: str) -> Object | None:
        """Return what is at a path; `None` if nothing is.

        Raises:
            NotSeenError: the caller may not see it, or the API does not answer.
        """
        self._report(f"GET {path}")
        given = self._settings.auth_settings().get("BearerToken")
        headers = {given["key"]: given["value"]} if given else {}
        try:
            response = self._pool.request(
                "GET", self._settings.host + path, fields=query, headers=headers, timeout=_TIMEOUT, retries=2
            )
        except urllib3.exceptions.HTTPError as error:
            raise NotSeenError(Unseen(f"GET {path}", " ".join(str(error).split()))) from error
        if response.status == _NOT_FOUND:
            return None
        if response.status >= _REFUSED:
            raise NotSeenError(Unseen(f"GET {path}", _said(response)))
        return json.loads(response.data)

    def every(self, kind: str, path: str, **query: str) -> Objects:
        """Return all objects of a list, page by page, each with its kind; none where there is no such list."""
        return tuple(self._pages(kind, path, query))

    def _pages(self, kind: str, path: str, query: Mapping[str, str]) -> Iterator[Object]:
        token = ""
        while True:
            page = self.get(path, **query, limit=str(_AT_ONCE), **({"continue": token} if token else {})) or {}
            for item in page.get("items") or []:
                yield {**item, "kind": kind}
            token = page.get("metadata", {}).get("continue", "")
            if not token:
                return


def _said(response: Any) -> str:
    try:
        message = json.loads(response.data).get("message", "")
    except ValueError:
        message = ""
    return f"HTTP {response.status} {message}".strip()


def by_token(cluster: Object, token: str) -> Any:
    """Return how to connect to a cluster as DescribeCluster shows it, with a token of the caller's."""
    settings = client.Configuration()
    settings.host = cluster["endpoint"]
    settings.ca_cert_data = base64.b64decode(cluster["certificateAuthority"]["data"]).decode()
    settings.api_key = {"authorization": f"Bearer {token}"}
    return settings


def by_kubeconfig(file: str | None, context: str | None) -> Any:
    """Return how to connect as a kubeconfig says.

    Raises:
        CannotLookError: there is no such file or context.
    """
    settings = client.Configuration()
    try:
        config.load_kube_config(file, context, client_configuration=settings)
    except (ConfigException, OSError) as error:
        raise CannotLookError(
            f"the kubeconfig {file or '(KUBECONFIG, ~/.kube/config)'} is of no use: {' '.join(str(error).split())};"
            " give one with --kubeconfig and --context, or neither to be let in by AWS credentials"
        ) from error
    return settings


def greet(api: Api) -> None:
    """See that the API answers, and knows who asks.

    Raises:
        CannotLookError: it does not.
    """
    try:
        api.get("/version")
    except NotSeenError as error:
        raise CannotLookError(
            f"the cluster's API does not let the doctor in: {error}; a private endpoint answers in its network alone,"
            " and the caller needs an access entry with AmazonEKSAdminViewPolicy (or the ClusterRole in docs/doctor.md)"
        ) from error


def facts(api: Api) -> dict[str, Any]:
    """Return every fact of Kubernetes."""
    found: dict[str, Any] = {
        fact: seen(lambda kind=kind, path=path: api.every(kind, path)) for fact, (kind, path) in _KINDS.items()
    }
    deployments = seen(lambda: api.every("Deployment", "/apis/apps/v1/deployments", labelSelector=_LABEL))
    return {
        **found,
        "deployments": deployments,
        "service_account": seen(lambda: _service_account(api, known(deployments))),
        "crds": seen(
            lambda: tuple(
                c for c in api.every("CustomResourceDefinition", _CRDS) if c["spec"]["group"].endswith("k8s.aws")
            )
        ),
        "webhooks": seen(lambda: tuple(_webhooks(api))),
        "serving_certificate": seen(lambda: _serving_certificate(api, known(deployments))),
        "events": seen(
            lambda: (
                api.every("Event", "/api/v1/events", fieldSelector="type=Warning")
                + api.every("Event", "/api/v1/events", fieldSelector=_SUCCEEDED)
            )
        ),
    }


def _service_account(api: Api, deployments: Objects) -> Object | None:
    for deployment in deployments:
        namespace = deployment["metadata"]["namespace"]
        name = deployment["spec"]["template"]["spec"].get("serviceAccountName", "default")
        return api.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")
    return None


def _webhooks(api: Api) -> Iterator[Object]:
    for kind, path in _WEBHOOKS.items():
        yield from (found for found in api.every(kind, path) if webhooks_of_the_controller(found))


def _serving_certificate(api: Api, deployments: Objects) -> str | None:
    """Return the certificate alone: the key beside it is let go."""
    for deployment in deployments:
        secret = api.get(
            f"/api/v1/namespaces/{deployment['metadata']['namespace']}/secrets/{serving_secret(deployment)}"
        )
        encoded = ((secret or {}).get("data") or {}).get("tls.crt")
        return base64.b64decode(encoded).decode() if encoded else None
    return None
