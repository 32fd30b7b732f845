"""Where a cluster is and how to prove who asks: one context of a kubeconfig, resolved."""

import base64
import binascii
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.providers.common.server import ProviderError


class UnreachableError(ProviderError):
    """There is no cluster to ask: none configured, or it does not answer."""


@dataclass(frozen=True)
class Exec:
    """A command that prints an ExecCredential, such as `aws eks get-token`."""

    api_version: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    install_hint: str
    provide_cluster_info: bool


@dataclass(frozen=True)
class Connection:
    """One cluster as one user sees it; PEM texts, not paths."""

    server: str
    namespace: str
    ca: str | None = None
    insecure: bool = False
    server_name: str | None = None
    token: str | None = None
    token_file: Path | None = None
    certificate: str | None = None
    key: str | None = None
    command: Exec | None = None


def load(text: str | None) -> Mapping[str, Any]:
    """A kubeconfig from its contents or from the path to it; `None` is the environment's.

    Raises:
        UnreachableError: There is none.
        ProviderError: It is neither a path that exists nor YAML of a kubeconfig.
    """
    if text is None:
        return _load_file(_ambient())
    if "\n" not in text and (path := Path(text.strip()).expanduser()).is_absolute() | path.exists():
        return _load_file(path)
    return _parse(text, "the provider's kubeconfig")


def _ambient() -> Path:
    given = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if len(given) > 1:
        raise ProviderError(f"KUBECONFIG names {len(given)} files; this stand-in reads one: give one path")
    return Path(given[0]) if given else Path.home() / ".kube" / "config"


def _load_file(path: Path) -> Mapping[str, Any]:
    try:
        return _parse(path.read_text(), str(path))
    except OSError as error:
        raise UnreachableError(f"no kubeconfig at {path} ({error.strerror}): give the provider one") from error


def _parse(text: str, source: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProviderError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, Mapping):
        raise ProviderError(f"{source} is no kubeconfig: it holds {type(document).__name__}, not clusters and contexts")
    return document


def active_cluster(config: Mapping[str, Any], context: str | None, cluster: str | None) -> Any:
    """The settings of the cluster that a kubeconfig points to; None if it points to none."""
    name = cluster or (_named(config, "contexts", context or config.get("current-context")) or {}).get("cluster")
    return _named(config, "clusters", name)


def resolve(
    config: Mapping[str, Any], context: str | None = None, cluster: str | None = None, folder: Path | None = None
) -> Connection:
    """The connection that a kubeconfig's context describes.

    Args:
        config: The kubeconfig.
        context: Which context; None is its current one.
        cluster: Which cluster instead of the context's.
        folder: What relative paths in it are relative to; the working folder unless given.

    Raises:
        UnreachableError: The kubeconfig is empty: no context and no cluster.
        ProviderError: What it names is not in it, or it uses something that this stand-in does not know.
    """
    name = context or config.get("current-context")
    if not name:
        raise UnreachableError("the kubeconfig has no current context: there is no cluster yet, or give `context`")
    found = _need(config, "contexts", "context", name)
    where = _need(config, "clusters", "cluster", cluster or found.get("cluster"))
    who = _need(config, "users", "user", found["user"]) if found.get("user") else {}
    for unknown in sorted(set(who) & {"username", "password", "auth-provider", "as", "as-groups", "impersonate"}):
        raise ProviderError(
            f"the kubeconfig's user {found['user']!r} has {unknown}: this stand-in knows tokens, certificates and exec"
        )
    if "proxy-url" in where:
        raise ProviderError(
            f"the kubeconfig's cluster {found['cluster']!r} has proxy-url: this stand-in knows no proxies"
        )
    base = folder or Path()
    return Connection(
        server=str(where.get("server", "")).rstrip("/"),
        namespace=found.get("namespace") or "default",
        ca=_pem(where, "certificate-authority", base),
        insecure=bool(where.get("insecure-skip-tls-verify")),
        server_name=where.get("tls-server-name"),
        token=who.get("token"),
        token_file=base / who["tokenFile"] if who.get("tokenFile") else None,
        certificate=_pem(who, "client-certificate", base),
        key=_pem(who, "client-key", base),
        command=_exec(who["exec"]) if who.get("exec") else None,
    )


def _named(config: Mapping[str, Any], section: str, name: Any) -> Mapping[str, Any] | None:
    for entry in config.get(section) or ():
        if entry.get("name") == name:
            return entry.get(section.removesuffix("s")) or {}
    return None


def _need(config: Mapping[str, Any], section: str, what: str, name: Any) -> Mapping[str, Any]:
    found = _named(config, section, name)
    if found is None:
        known = ", ".join(str(entry.get("name")) for entry in config.get(section) or ()) or "none"
        raise ProviderError(f"the kubeconfig has no {what} {name!r}: it has {known}")
    return found


def _pem(entry: Mapping[str, Any], key: str, base: Path) -> str | None:
    if data := entry.get(f"{key}-data"):
        try:
            return base64.b64decode(data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ProviderError(f"the kubeconfig's {key}-data is not base64 of a PEM text") from error
    return (base / entry[key]).read_text() if entry.get(key) else None


def _exec(entry: Mapping[str, Any]) -> Exec:
    return Exec(
        api_version=entry.get("apiVersion", "client.authentication.k8s.io/v1"),
        argv=(entry["command"], *(entry.get("args") or ())),
        env=tuple((pair["name"], pair["value"]) for pair in entry.get("env") or ()),
        install_hint=" ".join(str(entry.get("installHint") or "").split()),
        provide_cluster_info=bool(entry.get("provideClusterInfo")),
    )
