"""The scratch cluster's API, as kubectl would use it: objects by kind, wherever the API server serves that."""

from collections.abc import Iterable
from typing import Any, Self

from sandbox.cluster import pki
from sandbox.cluster.api import MERGE, Api, ApiError, Object
from sandbox.run.state import State, read_json

_MANAGER = "kubectl"
_SERVER_SIDE = "application/apply-patch+yaml"
_STRICT = {"fieldManager": _MANAGER, "fieldValidation": "Strict"}


class Kube:
    """A session with a cluster as its administrator."""

    def __init__(self, state: State, cluster: str) -> None:
        """The cluster is one of the sandbox's, and ACTIVE."""
        folder = state.cluster(cluster)
        endpoint: str = (read_json(folder / "status.json") or {})["endpoint"]
        self.api = Api(endpoint, pki.Pki(folder / "pki"), "admin")
        self._resources: dict[str, dict[str, Object]] = {}

    async def __aenter__(self) -> Self:
        """The session."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Its end."""
        await self.api.close()

    async def path(self, document: Object) -> str:
        """The path of an object.

        Raises:
            ApiError: the API server serves no such kind.
        """
        version, kind, metadata = document["apiVersion"], document["kind"], document["metadata"]
        resource = await self._resource(version, kind)
        scope = f"/namespaces/{metadata['namespace']}" if resource["namespaced"] else ""
        return f"{_root(version)}{scope}/{resource['name']}/{metadata['name']}"

    async def install(self, document: Object) -> Object:
        """Make an object what a document says (server-side apply); what it is then.

        Raises:
            ApiError: the API server refuses it.
        """
        params = {"fieldManager": _MANAGER, "force": "true"}
        return await self.api.request(
            "PATCH", await self.path(document), document, params=params, content_type=_SERVER_SIDE
        )

    async def apply(self, document: Object, before: Object | None = None) -> Object:
        """Apply an object as `kubectl apply` does, unknown fields refused; what it is then.

        Args:
            document: the object.
            before: what was applied under this name earlier. What it had and the new one has not is removed; what
                others have set since stays.

        Raises:
            ApiError: the API server or a webhook refuses it.
        """
        path = await self.path(document)
        if before is None:
            try:
                return await self.api.request("POST", path.rpartition("/")[0], document, params=_STRICT)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
        patch = merge_patch(before or {}, document)
        return await self.api.request("PATCH", path, patch, params=_STRICT, content_type=MERGE)

    async def dry_run(self, document: Object) -> None:
        """Ask the API server to create an object, without creating it (`--dry-run=server`).

        Raises:
            ApiError: the API server or a webhook refuses it, or a webhook does not answer.
        """
        path = (await self.path(document)).rpartition("/")[0]
        await self.api.request("POST", path, document, params={"dryRun": "All"})

    async def list(self, version: str, kind: str) -> list[Object]:
        """Every object of a kind, in all namespaces; none where the kind is not served."""
        try:
            resource = await self._resource(version, kind)
        except ApiError:
            return []
        items: list[Object] = (await self.api.get(f"{_root(version)}/{resource['name']}"))["items"]
        return [{"apiVersion": version, "kind": kind, **item} for item in items]

    def forget(self) -> None:
        """Forget which kinds there are: CRDs have come."""
        self._resources.clear()

    async def _resource(self, version: str, kind: str) -> Object:
        if kind not in self._resources.get(version, {}):
            listed: Iterable[Any] = (await self.api.get(_root(version)))["resources"]
            self._resources[version] = {r["kind"]: r for r in listed if "/" not in r["name"]}
        found = self._resources[version].get(kind)
        if found is None:
            raise ApiError(404, "NotFound", f'no matches for kind "{kind}" in version "{version}"')
        return found


def merge_patch(before: Object, after: Object) -> Object:
    """The merge patch from what was applied to what is to be: keys that went are null, lists are replaced."""
    patch: Object = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        patch[key] = merge_patch(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return patch


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
