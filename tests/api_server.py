"""`kubectl get -o json` in this process: tests ask often, and starting kubectl costs more CPU time than its answer."""

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from eks_load_balancing.doctor.facts import CannotLookError, NotSeenError
from eks_load_balancing.doctor.reading.kube import Api, by_kubeconfig


class Resource(NamedTuple):
    """Where the API server has the objects of a kind."""

    prefix: str
    plural: str
    namespaced: bool


@cache
def _connection(kubeconfig: Path, _text: str) -> Api:
    """One for each kubeconfig and its text, which changes with the cluster: its connections stay open."""
    return Api(by_kubeconfig(str(kubeconfig), None))


def _resources(api: Api) -> dict[str, Resource]:
    """Every kind by each of its names, as kubectl knows them: `pods`, `pod`, `po`. The core group's come first."""
    found: dict[str, Resource] = {}
    groups = (api.get("/apis") or {"groups": []})["groups"]
    for prefix in ("/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)):
        for one in (api.get(prefix) or {"resources": []})["resources"]:
            for name in (one["name"], one["singularName"], *one.get("shortNames", [])):
                found.setdefault(name, Resource(prefix, one["name"], one["namespaced"]))
    return found


_known: dict[Api, dict[str, Resource]] = {}


def _resource(api: Api, kind: str) -> Resource:
    if kind not in _known.get(api, {}):
        _known[api] = _resources(api)
    if kind not in _known[api]:
        raise AssertionError(f"the server doesn't have a resource type {kind!r}")
    return _known[api][kind]


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments of a `kubectl get`."""
    # Not shared: cases run in threads, and a parser changes itself while it parses intermixed arguments.
    # https://github.com/python/cpython/blob/v3.11.7/Lib/argparse.py
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("kind")
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("-n", "--namespace", default="default")
    parser.add_argument("-A", "--all-namespaces", action="store_true")
    parser.add_argument("-l", "--selector", default="")
    return parser.parse_intermixed_args(arguments)


def get(kubeconfig: Path, *arguments: str) -> Any:
    """What `kubectl get` prints as JSON, with the same arguments: KIND [NAME] [-n NAMESPACE] [-A] [-l SELECTOR].

    Raises:
        AssertionError: the server refused, does not know the kind, or cannot be reached.
    """
    asked = parsed(arguments)
    try:
        api = _connection(kubeconfig, kubeconfig.read_text())
        prefix, plural, namespaced = _resource(api, asked.kind)
        within = ["namespaces", asked.namespace] if namespaced and not asked.all_namespaces else []
        path = "/".join(filter(None, (prefix, *within, plural, asked.name)))
        found = api.get(path, **({"labelSelector": asked.selector} if asked.selector else {}))
    except (CannotLookError, NotSeenError, OSError) as error:
        raise AssertionError(f"get {' '.join(arguments)}: {error}") from error
    if found is None:
        raise AssertionError(f"get {' '.join(arguments)}: not found")
    return found
