"""Reads the facts of Kubernetes. It knows paths and their order; the checks draw the conclusions."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

from eks_load_balancing.controller.values import CHART
from eks_load_balancing.doctor.events import SUCCEEDED
from eks_load_balancing.doctor.facts import CannotLookError, NotSeenError, Object, Objects, Unseen, known, seen
from eks_load_balancing.doctor.lookups import (
    first,
    key,
    oidc_secret,
    serving_secret,
    webhooks_of_the_controller,
)

_AT_ONCE: Final = 500
_TIMEOUT: Final = urllib3.Timeout(connect=10, read=60)
_NOT_FOUND: Final = 404
_REFUSED: Final = 400
_DEFAULT: Final = "(KUBECONFIG, ~/.kube/config)"
_ARN: Final = re.compile(r"arn:[^:]+:eks:(?P<region>[^:]+):\d+:cluster/(?P<name>.+)")

_KINDS: Final = {
    "nodes": ("Node", "/api/v1/nodes"),
    "namespaces": ("Namespace", "/api/v1/namespaces"),
    "pods": ("Pod", "/api/v1/pods"),
    "services": ("Service", "/api/v1/services"),
    "endpoint_slices": ("EndpointSlice", "/apis/discovery.k8s.io/v1/endpointslices"),
    "ingresses": ("Ingress", "/apis/networking.k8s.io/v1/ingresses"),
    "ingress_classes": ("IngressClass", "/apis/networking.k8s.io/v1/ingressclasses"),
    "ingress_class_params": ("IngressClassParams", "/apis/elbv2.k8s.aws/v1beta1/ingressclassparams"),
    "bindings": ("TargetGroupBinding", "/apis/elbv2.k8s.aws/v1beta1/targetgroupbindings"),
    "gateways": ("Gateway", "/apis/gateway.networking.k8s.io/v1/gateways"),
    "network_policies": ("NetworkPolicy", "/apis/networking.k8s.io/v1/networkpolicies"),
    "workloads": ("Deployment", "/apis/apps/v1/deployments"),
}
"""A fact -> kind and path of all objects that it holds."""
_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WEBHOOKS: Final = {
    "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
}
_SUCCEEDED: Final = f"reason={SUCCEEDED}"


class Api:
    """A cluster's API; it sends GET and nothing else."""

    def __init__(self, settings: Any, report: Callable[[str], None] = lambda _: None) -> None:
        """Take the official client's `Configuration`, with the address and the credentials."""
        self._settings, self._report = settings, report
        self._pool: urllib3.PoolManager = client.ApiClient(settings).rest_client.pool_manager

    def get(self, path: str, **query: str) -> Object | None:
        """Return the object at a path; `None` if there is none.

        Raises:
            NotSeenError: the caller may not read it, or the API does not answer.
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
        """Return all objects of a list, read page by page, each with its kind; none if the list does not exist."""
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
    """Return how to connect to a cluster that DescribeCluster describes, with a token of the caller."""
    settings = client.Configuration()
    settings.host = cluster["endpoint"]
    settings.ca_cert_data = base64.b64decode(cluster["certificateAuthority"]["data"]).decode()
    settings.api_key = {"authorization": f"Bearer {token}"}
    return settings


def by_kubeconfig(file: str | None, context: str | None) -> Any:
    """Return how to connect with a kubeconfig.

    Raises:
        CannotLookError: the file or the context does not exist.
    """
    settings = client.Configuration()
    try:
        config.load_kube_config(file, context, client_configuration=settings)
    except (ConfigException, OSError, yaml.YAMLError) as error:
        raise _unusable(file, error) from error
    return settings


def _unusable(file: str | None, error: Exception) -> CannotLookError:
    return CannotLookError(
        f"cannot use the kubeconfig {file or _DEFAULT}: {' '.join(str(error).split())};"
        " give one with --kubeconfig and --context, or neither and --cluster to connect with AWS credentials"
    )


def named(file: str | None, context: str | None) -> tuple[str, str | None]:
    """Return the name and the region of the EKS cluster of a kubeconfig's context.

    Both are in the command that gets a token (`aws eks get-token --cluster-name NAME --region REGION`), or in the
    cluster's ARN, as `aws eks update-kubeconfig` writes them.

    Raises:
        CannotLookError: there is no such file or context, or it does not name an EKS cluster.
    """
    try:
        given = KubeConfigMerger(file or KUBE_CONFIG_DEFAULT_LOCATION).config
    except (ConfigException, OSError, yaml.YAMLError) as error:
        raise _unusable(file, error) from error
    settings: dict[str, Any] = given.value if given else {}
    context = context or settings.get("current-context")
    chosen = _entry(settings, "contexts", context).get("context", {})
    user = _entry(settings, "users", chosen.get("user")).get("user", {})
    arguments: list[str] = (user.get("exec") or {}).get("args") or []
    flags = dict(pairwise(arguments))
    arn = _ARN.fullmatch(chosen.get("cluster", ""))
    name = first(flags[flag] for flag in ("--cluster-name", "--cluster-id", "-i") if flag in flags)
    if not name and not arn:
        raise CannotLookError(
            f"{f'context {context!r} of ' if context else ''}the kubeconfig {file or _DEFAULT} names no EKS cluster:"
            " give --cluster, or a --context that `aws eks update-kubeconfig` wrote"
        )
    return name or (arn["name"] if arn else ""), flags.get("--region") or (arn["region"] if arn else None)


def _entry(settings: dict[str, Any], kind: str, name: str | None) -> dict[str, Any]:
    entries = [getattr(one, "value", one) for one in settings.get(kind) or []]  # the merger's nodes, with their values
    return first(one for one in entries if one.get("name") == name) or {}


def greet(api: Api) -> None:
    """Make sure that the API answers and accepts the caller.

    Raises:
        CannotLookError: it does not.
    """
    try:
        api.get("/version")
    except NotSeenError as error:
        raise CannotLookError(
            f"the cluster's API cannot be used: {error}; a private endpoint answers only inside its network, and"
            " the caller needs an access entry with AmazonEKSAdminViewPolicy (or the ClusterRole in docs/doctor.md)"
        ) from error


def facts(api: Api) -> dict[str, Any]:
    """Return every fact of Kubernetes."""
    found: dict[str, Any] = {
        fact: seen(lambda kind=kind, path=path: api.every(kind, path)) for fact, (kind, path) in _KINDS.items()
    }
    deployments = seen(lambda: tuple(filter(_is_the_controller, known(found["workloads"]))))
    return {
        **found,
        "deployments": deployments,
        "service_account": seen(lambda: _service_account(api, known(deployments))),
        "secret_keys": seen(lambda: _secret_keys(api, (*known(found["ingresses"]), *known(found["services"])))),
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


def _is_the_controller(deployment: Object) -> bool:
    """Return whether a Deployment is the controller's: by the chart's label, or by its image under another label."""
    labels = deployment["metadata"].get("labels") or {}
    images = [one["image"].partition("@")[0] for one in deployment["spec"]["template"]["spec"]["containers"]]
    return labels.get("app.kubernetes.io/name") == CHART or any(f"/{CHART}:" in f"/{image}:" for image in images)


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
    """Return the certificate; its private key is not kept."""
    for deployment in deployments:
        secret = api.get(_secret(deployment["metadata"]["namespace"], serving_secret(deployment)))
        encoded = ((secret or {}).get("data") or {}).get("tls.crt")
        return base64.b64decode(encoded).decode() if encoded else None
    return None


def _secret_keys(api: Api, things: Objects) -> dict[tuple[str, str], frozenset[str] | None]:
    """Return the keys of the Secrets that annotations name for OpenID Connect; their values are not kept."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    for thing in things:
        named = oidc_secret(thing)
        if named:
            secret = api.get(_secret(key(thing)[0], named))
            found[key(thing)[0], named] = None if secret is None else frozenset(secret.get("data") or {})
    return found


def _secret(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"
