"""The API server of one cluster, asked asynchronously: no generated client, just paths and JSON.

The official client takes 0.7 s to import and blocks a thread for every watch; this takes aiohttp, which it brings.
"""

import json
import ssl
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from sandbox.providers.common.server import ProviderError
from sandbox.providers.kubernetes.credentials import Credentials
from sandbox.providers.kubernetes.kinds import Kind, is_namespaced, of_object
from sandbox.providers.kubernetes.kubeconfig import Connection, UnreachableError

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"
SECONDS_TO_ANSWER: Final = 60
_NOT_FOUND, _UNAUTHORIZED, _GONE = 404, 401, 410
_ERRORS_FROM = 400
_LINE_LIMIT = 8 * 1024 * 1024


class ApiError(ProviderError):
    """The API server refused. One line: what it says, and about what.

    Attributes:
        code: HTTP status.
        reason: Kubernetes' reason, such as `Conflict` or `Invalid`.
        causes: The single fields it speaks of: `reason`, `message`, `field`.
        details: What it speaks of: `name`, `kind`, `group`.
    """

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        super().__init__(" ".join(str(status.get("message") or status.get("reason") or f"HTTP {code}").split()))
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.details: Mapping[str, Any] = status.get("details") or {}
        self.causes: tuple[Mapping[str, str], ...] = tuple(self.details.get("causes") or ())

    def lacks_namespace(self) -> bool:
        """Whether the namespace is what was not found."""
        return self.code == _NOT_FOUND and self.details.get("kind") == "namespaces"


class Client:
    """One cluster. Made without asking it anything; `close` ends its connections."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._session: aiohttp.ClientSession | None = None
        self._credentials = Credentials(connection)
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}
        self.warnings: dict[str, None] = {}
        """What the server has warned of (of deprecated APIs, say), each once, in its order."""

    async def close(self) -> None:
        """Ends all connections; a watch that runs ends with them."""
        if self._session:
            await self._session.close()

    async def path(self, kind: Kind, namespace: str = "", name: str = "") -> str | None:
        """The path of a kind's objects, or of one; None if the cluster does not know the kind."""
        known = await self.plural(kind)
        if known is None:
            return None
        plural, namespaced = known
        middle = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{kind.base_path}{middle}/{plural}" + (f"/{name}" if name else "")

    async def plural(self, kind: Kind) -> tuple[str, bool] | None:
        """A kind's plural and whether its objects live in namespaces; None if the cluster does not know it."""
        if kind.name not in self._kinds.get(kind.base_path, {}):
            try:
                found = await self.request("GET", kind.base_path)
            except ApiError as error:
                if error.code == _NOT_FOUND:
                    return None
                raise
            self._kinds[kind.base_path] = {
                entry["kind"]: (entry["name"], bool(entry["namespaced"]))
                for entry in found["resources"]
                if "/" not in entry["name"]
            }
        return self._kinds[kind.base_path].get(kind.name)

    async def is_namespaced(self, kind: Kind) -> bool | None:
        """Whether a kind's objects live in namespaces; None if the cluster does not know the kind."""
        built_in = is_namespaced(kind)
        if built_in is not None:
            return built_in
        known = await self.plural(kind)
        return known[1] if known else None

    async def path_of(self, item: Mapping[str, Any]) -> str | None:
        """The path of an object."""
        metadata = item["metadata"]
        return await self.path(
            of_object(item), metadata.get("namespace") or self.connection.namespace, metadata["name"]
        )

    async def get(self, path: str) -> Any:
        """The object or list at a path; None if there is none."""
        try:
            return await self.request("GET", path)
        except ApiError as error:
            if error.code == _NOT_FOUND:
                return None
            raise

    async def apply(self, path: str, item: Any, manager: str, *, force: bool = False, dry_run: bool = False) -> Any:
        """Server-side apply: the object as it is (or, with `dry_run`, would be) then.

        Raises:
            ApiError: Refused; `Conflict` names the fields that other managers own.
        """
        query = {"fieldManager": manager, "force": str(force).lower()}
        if dry_run:
            query["dryRun"] = "All"
        return await self.request("PATCH", path, item, query=query, content_type=APPLY)

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Any:
        """One request's JSON.

        Raises:
            ApiError: The server refused.
            UnreachableError: It did not answer.
        """
        for attempt in (1, 2):
            async with self._open(
                method, path, body=body, query=query, content_type=content_type, accept=accept
            ) as response:
                text = await response.text()
                if response.status == _UNAUTHORIZED and attempt == 1 and self._credentials.renewable:
                    self._credentials.forget()
                    continue
                if response.status >= _ERRORS_FROM:
                    raise ApiError(response.status, _status(text))
                return json.loads(text)
        raise AssertionError  # the second attempt returned or raised

    async def watch(self, path: str, query: Mapping[str, str]) -> AsyncIterator[tuple[str, Any]]:
        """What happens to a path's objects, as (type, object), until the server ends the watch.

        Raises:
            ApiError: The server refused, or the resource version is too old (410).
            UnreachableError: It went away.
        """
        async with self._open("GET", path, query={**query, "watch": "1"}, stream=True) as response:
            if response.status >= _ERRORS_FROM:
                raise ApiError(response.status, _status(await response.text()))
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(int(event["object"].get("code", _GONE)), event["object"])
                yield event["type"], event["object"]

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        stream: bool = False,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A request and its response; what goes wrong on the line becomes an UnreachableError."""
        session = await self._connected()
        headers = {"Content-Type": content_type, "Accept": accept}
        if token := await self._credentials.token():
            headers["Authorization"] = f"Bearer {token}"
        response = None
        try:
            response = await session.request(
                method,
                self.connection.server + path,
                params=query,
                data=None if body is None else json.dumps(body),
                headers=headers,
                server_hostname=self.connection.server_name,
                timeout=aiohttp.ClientTimeout(total=None if stream else SECONDS_TO_ANSWER, sock_connect=10),
            )
            # RFC 7234: `299 - "text"`; https://kubernetes.io/blog/2020/09/03/warnings/
            self.warnings |= {
                text.partition('"')[2].rstrip('"'): None for text in response.headers.getall("Warning", ())
            }
            yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            what = " ".join(str(error).split()) or type(error).__name__
            raise UnreachableError(f"the cluster at {self.connection.server} does not answer: {what}") from error
        finally:
            if response:
                # A watch is cut off, not read to its end.
                response.close() if stream else response.release()

    async def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=_tls(self.connection), limit=0), read_bufsize=_LINE_LIMIT
            )
        return self._session


def _status(text: str) -> Mapping[str, Any]:
    try:
        status = json.loads(text)
    except json.JSONDecodeError:
        return {"message": text[:300]}
    return status if isinstance(status, Mapping) else {"message": text[:300]}


def _tls(connection: Connection) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=connection.ca)
    if connection.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if connection.certificate and connection.key:
        # ssl reads certificates from files only.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "client.pem"
            file.touch(mode=0o600)
            file.write_text(f"{connection.certificate}\n{connection.key}")
            context.load_cert_chain(file)
    return context
