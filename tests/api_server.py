"""`kubectl get -o json` in this process: tests ask often, and each kubectl takes 0.2 s of CPU time."""

import argparse
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import urllib3
import yaml
from kubernetes import client, config
from urllib3.exceptions import HTTPError

_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery"""
_SECONDS = 60


class Resource(NamedTuple):
    """Where the API server has the objects of a kind."""

    prefix: str
    plural: str
    namespaced: bool


@cache
def _connection(kubeconfig: str) -> client.ApiClient:
    """One for each cluster and user: its connections stay open."""
    return config.new_client_from_config_dict(yaml.safe_load(kubeconfig))


def _answer(api: client.ApiClient, path: str, accept: str = "application/json", **query: str) -> Any:
    pool: urllib3.PoolManager = api.rest_client.pool_manager
    url = f"{api.configuration.host}{path}"
    response = pool.request("GET", url, fields=query, headers={"Accept": accept}, timeout=_SECONDS)
    if response.status != HTTPStatus.OK:
        raise AssertionError(f"({response.status}) {response.data.decode()}")
    return response.json()


def _resources(api: client.ApiClient) -> dict[str, Resource]:
    """Every kind by each of its names, as kubectl knows them: `pods`, `pod`, `po`. The core group's come first."""
    found: dict[str, Resource] = {}
    for root in ("/api", "/apis"):
        for group in _answer(api, root, _DISCOVERY)["items"]:
            for version in group["versions"]:
                prefix = "/".join(filter(None, (root, group["metadata"].get("name"), version["version"])))
                for one in version["resources"]:
                    resource = Resource(prefix, one["resource"], one["scope"] == "Namespaced")
                    for name in (one["resource"], one["singularResource"], *one.get("shortNames", [])):
                        found.setdefault(name, resource)
    return found


_known: dict[client.ApiClient, dict[str, Resource]] = {}


def _resource(api: client.ApiClient, kind: str) -> Resource:
    if kind not in _known.get(api, {}):
        _known[api] = _resources(api)
    if kind not in _known[api]:
        raise AssertionError(f"the server doesn't have a resource type {kind!r}")
    return _known[api][kind]


_arguments = argparse.ArgumentParser(add_help=False, exit_on_error=False)
_arguments.add_argument("kind")
_arguments.add_argument("name", nargs="?", default="")
_arguments.add_argument("-n", "--namespace", default="default")
_arguments.add_argument("-A", "--all-namespaces", action="store_true")
_arguments.add_argument("-l", "--selector", default="")


def get(kubeconfig: Path, *arguments: str) -> Any:
    """What `kubectl get` prints as JSON, with the same arguments: KIND [NAME] [-n NAMESPACE] [-A] [-l SELECTOR].

    Raises:
        AssertionError: the server refused, does not know the kind, or cannot be reached.
    """
    asked = _arguments.parse_intermixed_args(arguments)
    try:
        api = _connection(kubeconfig.read_text())
        prefix, plural, namespaced = _resource(api, asked.kind)
        within = ["namespaces", asked.namespace] if namespaced and not asked.all_namespaces else []
        path = "/".join(filter(None, (prefix, *within, plural, asked.name)))
        return _answer(api, path, **({"labelSelector": asked.selector} if asked.selector else {}))
    except (HTTPError, OSError) as error:
        raise AssertionError(f"get {' '.join(arguments)}: {error}") from error
