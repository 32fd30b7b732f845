"""The Kubernetes API for the agent: requests and watches, with objects as plain dicts.

Not the generated client: its models cost milliseconds per object, and scaling a Deployment to 200 pods makes a thousand
events. Nothing here knows what an object means.
"""

import asyncio
import datetime as dt
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp

from sandbox.cluster.pki import Pki

log = logging.getLogger(__name__)

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
NOT_FOUND = 404
CONFLICT = 409
GONE = 410
_FAILED = 400
_RETRY_SECONDS = 0.25
_ANSWER_SECONDS = 15.0
_LONGEST_OBJECT = 4 * 2**20
"""etcd stores no object larger than 1.5 MiB; a watch event is one line."""


class ApiError(Exception):
    """kube-apiserver refused a request."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        """`status` is HTTP's, `reason` Kubernetes' (`NotFound`, `Conflict`...)."""
        super().__init__(message)
        self.status = status
        self.reason = reason


class Api:
    """One session with kube-apiserver as one user."""

    def __init__(self, endpoint: str, pki: Pki, client: str) -> None:
        """`endpoint` is kube-apiserver's URL, `client` the name of a client certificate."""
        context = ssl.create_default_context(cafile=str(pki.ca))
        context.load_cert_chain(str(pki.cert(client)), str(pki.key(client)))
        self._endpoint = endpoint
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=64),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            read_bufsize=_LONGEST_OBJECT,
        )

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """Send one request; return the object in the answer.

        Raises:
            ApiError: kube-apiserver refused.
            aiohttp.ClientError, TimeoutError: it did not answer.
        """
        async with asyncio.timeout(_ANSWER_SECONDS):
            async with self._session.request(
                method,
                self._endpoint + path,
                params=params,
                data=None if body is None else json.dumps(body),
                headers={"Content-Type": content_type},
            ) as answer:
                return _checked(answer.status, await answer.read())

    async def get(self, path: str) -> Object:
        """The object at `path`."""
        return await self.request("GET", path)

    async def find(self, path: str) -> Object | None:
        """The object at `path`, or None if it does not exist."""
        try:
            return await self.request("GET", path)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    async def create(self, path: str, body: Object) -> Object:
        """Create an object in the collection at `path`."""
        return await self.request("POST", path, body)

    async def patch(self, path: str, body: Object, content_type: str = STRATEGIC) -> Object:
        """Change the object at `path`."""
        return await self.request("PATCH", path, body, content_type=content_type)

    async def apply(self, path: str, body: Object) -> Object:
        """Create or update the object at `path` with `body` (server-side apply)."""
        params = {"fieldManager": "sandbox-agent", "force": "true"}
        return await self.request("PATCH", path, body, params=params, content_type="application/apply-patch+yaml")

    async def delete(self, path: str, *, grace: int | None = None, uid: str | None = None) -> bool:
        """Delete the object at `path` (only if it has that uid); return whether it existed."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            await self.request("DELETE", path, options)
        except ApiError as error:
            if error.status in (NOT_FOUND, CONFLICT):
                return False
            raise
        return True

    async def watch(self, path: str, params: Mapping[str, str]) -> AsyncIterator[tuple[str, Object]]:
        """Events of a collection until kube-apiserver ends the watch."""
        query = {**params, "watch": "true", "allowWatchBookmarks": "true"}
        async with self._session.get(self._endpoint + path, params=query) as answer:
            if answer.status >= _FAILED:
                _checked(answer.status, await answer.read())
            async for line in answer.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    status = event["object"]
                    raise ApiError(status.get("code", 0), status.get("reason", ""), status.get("message", ""))
                yield event["type"], event["object"]


def _checked(status: int, body: bytes) -> Object:
    try:
        answer: Object = json.loads(body)
    except ValueError:
        answer = {"message": body.decode(errors="replace")[:200]}
    if status >= _FAILED:
        raise ApiError(status, answer.get("reason", ""), answer.get("message", ""))
    return answer


def key_of(obj: Object) -> Key:
    """An object's namespace and name."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def timestamp() -> str:
    """The current time in Kubernetes' format."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Handler = Callable[[str, Object], None]
"""Takes `ADDED`, `MODIFIED` or `DELETED`, and the object."""


class Cache:
    """A collection of the cluster, kept up to date by a watch.

    Handlers are called in the order of events, from the event loop; they must leave slow work to a task.
    """

    def __init__(self, api: Api, path: str, **params: str) -> None:
        """`path` is the collection's; `params` may be a `fieldSelector` or `labelSelector`."""
        self._api = api
        self._path = path
        self._params = params
        self._handlers: list[Handler] = []
        self.objects: dict[Key, Object] = {}
        self.synced = asyncio.Event()

    def subscribe(self, handler: Handler) -> None:
        """Call `handler` for every event from now on, beginning with `ADDED` for existing objects."""
        self._handlers.append(handler)
        for obj in self.objects.values():
            handler("ADDED", obj)

    async def run(self) -> None:
        """Follow the collection for ever: kube-apiserver may stop and come back."""
        version: str | None = None
        while True:
            try:
                if version is None:
                    version = await self._list()
                async for event, obj in self._api.watch(self._path, {**self._params, "resourceVersion": version}):
                    version = obj["metadata"]["resourceVersion"]
                    if event != "BOOKMARK":
                        self._take(event, obj)
            except ApiError as error:
                log.info("watch of %s: %s %s", self._path, error.reason, error)
                version = None
                await asyncio.sleep(_RETRY_SECONDS)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                await asyncio.sleep(_RETRY_SECONDS)

    async def _list(self) -> str:
        answer = await self._api.request("GET", self._path, params=self._params)
        listed = {key_of(obj): obj for obj in answer["items"]}
        for key in [k for k in self.objects if k not in listed]:
            self._take("DELETED", self.objects[key])
        for key, obj in listed.items():
            known = self.objects.get(key)
            if known is None:
                self._take("ADDED", obj)
            elif known["metadata"]["uid"] != obj["metadata"]["uid"]:
                self._take("DELETED", known)
                self._take("ADDED", obj)
            elif known["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                self._take("MODIFIED", obj)
        self.synced.set()
        return answer["metadata"]["resourceVersion"]

    def _take(self, event: str, obj: Object) -> None:
        # managedFields are half of an object's size, and nobody here uses them.
        obj["metadata"].pop("managedFields", None)
        if event == "DELETED":
            self.objects.pop(key_of(obj), None)
        else:
            self.objects[key_of(obj)] = obj
        for handler in self._handlers:
            try:
                handler(event, obj)
            except Exception:
                log.exception("%s of %s %s", event, self._path, key_of(obj))
