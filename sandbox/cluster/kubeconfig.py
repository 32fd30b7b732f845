"""Kubeconfigs: for the parts of a control plane, for its administrator, and the sandbox's one for all clusters."""

import base64
from pathlib import Path
from typing import Any

import yaml

from sandbox.cluster.pki import Pki
from sandbox.run.state import EMPTY_KUBECONFIG, locked, write_text


def kubeconfig(name: str, server: str, ca_data: str, user: dict[str, Any]) -> dict[str, Any]:
    """A kubeconfig of one cluster, one user and one context, all called `name`.

    Args:
        name: in users' kubeconfigs the EKS cluster's ARN, as with `aws eks update-kubeconfig`.
        server: the endpoint's URL.
        ca_data: base64 of the CA's PEM.
        user: the user's credentials, in a kubeconfig's format.
    """
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": ca_data}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def client_files(pki: Pki, client: str) -> dict[str, Any]:
    """A user with a client certificate in files."""
    return {"client-certificate": str(pki.cert(client)), "client-key": str(pki.key(client))}


def client_data(pki: Pki, client: str) -> dict[str, Any]:
    """A user with a client certificate in the kubeconfig itself, so the kubeconfig can be moved."""
    return {
        "client-certificate-data": base64.b64encode(pki.cert(client).read_bytes()).decode(),
        "client-key-data": base64.b64encode(pki.key(client).read_bytes()).decode(),
    }


def write(path: Path, config: dict[str, Any]) -> Path:
    """Write a kubeconfig that only its owner can read; return its path."""
    write_text(path, yaml.safe_dump(config, sort_keys=False))
    return path


_NAMED = ("clusters", "contexts", "users")


def without(config: dict[str, Any], name: str) -> dict[str, Any]:
    """`config` without the cluster, context and user called `name`; another context becomes the current one."""
    rest = {key: [e for e in config.get(key) or [] if e["name"] != name] for key in _NAMED}
    current = config.get("current-context") or ""
    if current == name:
        current = rest["contexts"][0]["name"] if rest["contexts"] else ""
    return {**config, **rest, "current-context": current}


def merged(config: dict[str, Any], addition: dict[str, Any]) -> dict[str, Any]:
    """`config` with the context in `addition`; it becomes the current one if there was none."""
    name = addition["current-context"]
    current = config.get("current-context") or ""
    base = without(config, name)
    return {
        **base,
        **{key: base[key] + addition[key] for key in _NAMED},
        "current-context": current or base["current-context"] or name,
    }


def _read(path: Path) -> dict[str, Any]:
    text = path.read_text() if path.exists() else EMPTY_KUBECONFIG
    return yaml.safe_load(text) or yaml.safe_load(EMPTY_KUBECONFIG)


def publish(path: Path, addition: dict[str, Any]) -> None:
    """Add a cluster's context to the shared kubeconfig at `path`; several agents may do so at once."""
    with locked(path.with_name(f".{path.name}.lock")):
        write(path, merged(_read(path), addition))


def withdraw(path: Path, name: str) -> None:
    """Remove a cluster's context from the shared kubeconfig at `path`."""
    if not path.exists():
        return
    with locked(path.with_name(f".{path.name}.lock")):
        write(path, without(_read(path), name))
