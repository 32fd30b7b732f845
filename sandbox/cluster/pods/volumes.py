"""The volumes of a process pod as folders on this machine: Secrets, ConfigMaps, tokens, the downward API, empty ones.

Like a kubelet, it renews tokens after four fifths of their life, and updates the files when Secrets change.
"""

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.cluster.api import Api, Object
from sandbox.cluster.pods.containers import ContainerConfigError, Mount, field_value, object_data

_RENEW_AT = 0.8
_REFRESH_SECONDS = 30.0
_RETRY_SECONDS = 2.0
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def _write(path: Path, data: bytes) -> None:
    """Write a file atomically, readable by its owner only, unless it already contains `data`."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)


def selected(data: dict[str, bytes], items: list[dict[str, Any]] | None) -> dict[str, bytes]:
    """File path -> content of a Secret or ConfigMap: all of its keys, or those in `items`."""
    if not items:
        return data
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing:
        raise ContainerConfigError(f"volume refers to a key that is not there: {missing[0]}")
    return {item["path"]: data[item["key"]] for item in items}


def token_request(pod: Object, audience: str | None, seconds: int) -> Object:
    """Requests a token of a pod's service account that expires with the pod."""
    metadata = pod["metadata"]
    return {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            "audiences": [audience] if audience else [],
            "expirationSeconds": seconds,
            "boundObjectRef": {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }


@dataclass
class Volumes:
    """The volumes of one pod, below one folder."""

    api: Api
    pod: Object
    folder: Path
    _renewals: dict[Path, float] = field(default_factory=dict[Path, float])

    def mounts(self, container: Object) -> list[Mount]:
        """A container's mounts as paths on this machine."""
        return [
            Mount(m["mountPath"], self._volume(m["name"]) / m.get("subPath", ""))
            for m in container.get("volumeMounts") or []
        ]

    def service_account(self, container: Object) -> Path | None:
        """The folder with a container's service account token, if it has one."""
        return next((m.outside for m in self.mounts(container) if m.inside == _SERVICE_ACCOUNT), None)

    async def write(self) -> None:
        """Write everything that is missing, changed or due.

        Raises:
            ContainerConfigError: an object that a volume needs is missing.
        """
        for volume in self.pod["spec"].get("volumes") or []:
            for path, data in (await self._files(volume)).items():
                _write(path, data)

    async def keep(self) -> None:
        """Keep the files up to date for ever."""
        while True:
            due = min([time.time() + _REFRESH_SECONDS, *self._renewals.values()])
            await asyncio.sleep(max(due - time.time(), _RETRY_SECONDS))
            try:
                await self.write()
            except Exception:  # noqa: BLE001, S112 - what is on disk is good until it expires; the next round tries again
                continue

    def _volume(self, name: str) -> Path:
        return self.folder / "volumes" / name

    async def _files(self, volume: Object) -> dict[Path, bytes]:
        folder = self._volume(volume["name"])
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kind = next(k for k in volume if k != "name")
        source = volume[kind] or {}
        if kind == "emptyDir":
            return {}
        if kind == "projected":
            found: dict[Path, bytes] = {}
            for part in source.get("sources") or []:
                part_kind = next(iter(part))
                found |= await self._source(folder, part_kind, part[part_kind])
            return found
        return await self._source(folder, kind, source)

    async def _source(self, folder: Path, kind: str, source: dict[str, Any]) -> dict[Path, bytes]:
        if kind == "secret":
            name = source.get("secretName") or source.get("name", "")
            return await self._object(folder, "secrets", name, source)
        if kind == "configMap":
            return await self._object(folder, "configmaps", source["name"], source)
        if kind == "downwardAPI":
            return {
                folder / item["path"]: field_value(self.pod, item["fieldRef"]["fieldPath"]).encode()
                for item in source.get("items") or []
            }
        if kind == "serviceAccountToken":
            return await self._token(folder / source["path"], source)
        raise ContainerConfigError(f"a volume of type {kind} is not known to the sandbox")

    async def _object(self, folder: Path, kind: str, name: str, source: dict[str, Any]) -> dict[Path, bytes]:
        namespace = self.pod["metadata"]["namespace"]
        obj = await self.api.find(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
        if obj is None:
            if source.get("optional"):
                return {}
            raise ContainerConfigError(f"{kind[:-1]} {name} not found")
        return {folder / path: data for path, data in selected(object_data(kind, obj), source.get("items")).items()}

    async def _token(self, path: Path, source: dict[str, Any]) -> dict[Path, bytes]:
        if time.time() < self._renewals.get(path, 0.0):
            return {}
        seconds = source.get("expirationSeconds", 3600)
        namespace, account = self.pod["metadata"]["namespace"], self.pod["spec"]["serviceAccountName"]
        answer = await self.api.create(
            f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
            token_request(self.pod, source.get("audience"), seconds),
        )
        self._renewals[path] = time.time() + _RENEW_AT * seconds
        return {path: answer["status"]["token"].encode()}
