"""`python -m sandbox.engine.chart_repository --state-dir D`: Helm charts under the names of their public repositories.

The Kubernetes provider and helm reach it as an HTTPS proxy, and trust its authority; no other process does. The
controller's chart is offered at its own address, charts of `sandbox up --chart` at any; so are the Gateway API's CRDs
that the controller's module carries. Everything else is refused: the sandbox has no network. The formats are Helm's: https://helm.sh/docs/topics/chart_repository/
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import io
import logging
import os
import re
import ssl
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import certifi
import yaml

from sandbox.run.ports import free_port
from sandbox.run.processes import Identity
from sandbox.run.state import State, read_json, write_json, write_text
from sandbox.tools.catalog import CONTROLLER

log = logging.getLogger(__name__)

CONTROLLER_HOST: Final = "aws.github.io"
CONTROLLER_PATH: Final = "/eks-charts"
GATEWAY_HOST: Final = "github.com"
_GATEWAY_PATH: Final = re.compile(
    r"/kubernetes-sigs/gateway-api/releases/download/(v[\d.]+)/(standard|experimental)-install\.yaml"
)
_GATEWAY_VERSION: Final = re.compile(r"gateway\.networking\.k8s\.io/bundle-version: (\S+)")
_HINT_AFTER_SECONDS: Final = 0.5
_LONGEST_REQUEST: Final = 64 * 1024


class ChartError(Exception):
    """A folder or archive is not a chart; the message gives the reason in one line."""


@dataclass(frozen=True)
class Chart:
    """A packed chart."""

    metadata: dict[str, Any]
    """Its Chart.yaml."""
    archive: bytes

    @property
    def file_name(self) -> str:
        """The archive's name in a repository."""
        return f"{self.metadata['name']}-{self.metadata['version']}.tgz"

    def __str__(self) -> str:
        return f"{self.metadata['name']} {self.metadata['version']}"


def read(path: Path) -> Chart:
    """The chart in a folder or an archive.

    Raises:
        ChartError: it contains no chart.
    """
    if path.is_dir():
        file = path / "Chart.yaml"
        if not file.exists():
            raise ChartError(f"--chart {path}: the folder has no Chart.yaml")
        metadata = yaml.safe_load(file.read_text())
        return Chart(metadata, _packed(path, metadata["name"]))
    try:
        with tarfile.open(path, "r:gz") as archive:
            # The chart's own Chart.yaml comes first; its dependencies' are in deeper folders.
            name = min((n for n in archive.getnames() if n.endswith("/Chart.yaml")), key=lambda n: n.count("/"))
            member = archive.extractfile(name)
            return Chart(yaml.safe_load(member.read() if member else b""), path.read_bytes())
    except (OSError, ValueError, tarfile.TarError) as error:
        raise ChartError(f"--chart {path}: neither a folder with a Chart.yaml nor a packed chart ({error})") from error


def _packed(folder: Path, name: str) -> bytes:
    """A folder, packed like `helm package` does: without the files in .helmignore."""
    # Not at the top: a tenth of a second that most commands need not spend.
    from pathspec import GitIgnoreSpec  # noqa: PLC0415

    rules = folder / ".helmignore"
    ignored = GitIgnoreSpec.from_lines(rules.read_text().splitlines() if rules.exists() else [])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            inside = path.relative_to(folder)
            if not ignored.match_file(inside):
                archive.add(path, Path(name, inside))
    return packed.getvalue()


def index(charts: Iterable[Chart], address: str) -> str:
    """The index of a repository at `address`."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for chart in charts:
        digest = hashlib.sha256(chart.archive).hexdigest()
        entry = {**chart.metadata, "urls": [f"{address}/{chart.file_name}"], "digest": digest}
        entries.setdefault(chart.metadata["name"], []).append(entry)
    return yaml.safe_dump({"apiVersion": "v1", "entries": entries})


def offered(state: State, host: str, path: str) -> list[Chart]:
    """The charts of the repository at an address: read again each time, because `sandbox up --chart` may add some."""
    settings = state.settings()
    given = [read(Path(chart)) for chart in settings.charts]
    controller = Path(settings.tools.get(CONTROLLER, "")).absolute().with_name("chart")
    ours = host == CONTROLLER_HOST and path.startswith(CONTROLLER_PATH) and (controller / "Chart.yaml").exists()
    return [*([read(controller)] if ours else []), *given]


def gateway_api(state: State, path: str) -> str:
    """The Gateway API's CRDs as its releases have them, at the path of a release; empty if they are of another one."""
    asked = _GATEWAY_PATH.fullmatch(path)
    folder = Path(state.settings().tools.get(CONTROLLER, "")).absolute().with_name("gateway-api")
    if asked is None:
        return ""
    files = sorted((folder / asked[2]).glob("gateway*.yaml"))
    text = "---\n".join(file.read_text() for file in files)
    version = _GATEWAY_VERSION.search(text)
    return text if version and version[1] == asked[1] else ""


def environment(state: State) -> dict[str, str]:
    """The environment in which a process finds the charts. `$$` is for the shell that becomes this process."""
    port = (read_json(_folder(state) / "ports.json") or {"proxy": 1})["proxy"]
    return {"HTTPS_PROXY": f"http://$$:@127.0.0.1:{port}", "SSL_CERT_FILE": str(_folder(state) / "authorities.pem")}


def _folder(state: State) -> Path:
    return state.pulumi / "charts"


def prepare(state: State) -> None:
    """Choose a port and create the authority, once."""
    folder = _folder(state)
    if (folder / "ports.json").exists():
        return
    from trustme import CA  # noqa: PLC0415 - likewise

    authority = CA()
    write_text(folder / "authority.pem", authority.cert_pem.bytes().decode())
    write_text(folder / "authority.key", authority.private_key_pem.bytes().decode())
    public = Path(os.environ.get("SSL_CERT_FILE") or certifi.where()).read_text()
    write_text(folder / "authorities.pem", public + authority.cert_pem.bytes().decode())
    write_json(folder / "ports.json", {"proxy": free_port()})


def identity_file(state: State) -> Path:
    """The file with the process's identity."""
    return _folder(state) / "process.json"


class Repository:
    """A proxy that answers for chart repositories."""

    def __init__(self, state: State) -> None:
        """Load the authority."""
        from trustme import CA  # noqa: PLC0415 - likewise

        self._state = state
        folder = _folder(state)
        self._authority = CA.from_pem((folder / "authority.pem").read_bytes(), (folder / "authority.key").read_bytes())
        self._taken: dict[int, asyncio.Event] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of a client."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            line, headers = await _request(reader)
            host = line.split(" ")[1].rpartition(":")[0]
            if not line.startswith("CONNECT ") or not self._known(host):
                writer.write(f"HTTP/1.1 403 {self._refusal(host)}\r\nContent-Length: 0\r\n\r\n".encode())
                log.info("refused: %s", line)
            else:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert(host).configure_cert(context)
                await writer.start_tls(context)
                await self._serve(host, _client(headers), reader, writer)
            await writer.drain()
        writer.close()

    def _known(self, host: str) -> bool:
        return host in {CONTROLLER_HOST, GATEWAY_HOST} or bool(self._state.settings().charts)

    def _refusal(self, host: str) -> str:
        there = ", ".join(map(str, offered(self._state, CONTROLLER_HOST, CONTROLLER_PATH)))
        return f"the sandbox has no network and no chart of {host}: it offers {there}; sandbox up --chart adds others"

    async def _serve(
        self, host: str, client: int | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while True:
            line, _ = await _request(reader)
            path = urlsplit(line.split(" ")[1]).path
            folder, _, name = path.rpartition("/")
            charts = offered(self._state, host, folder)
            found = next((c for c in charts if c.file_name == name), None)
            if name == "index.yaml" and charts:
                body, status = index(charts, f"https://{host}{folder}").encode(), "200 OK"
                if client is not None:
                    asyncio.get_running_loop().create_task(self._hint(client, charts))
            elif found:
                body, status = found.archive, "200 OK"
                self._taken.setdefault(client or 0, asyncio.Event()).set()
            elif host == GATEWAY_HOST and (crds := gateway_api(self._state, path)):
                body, status = crds.encode(), "200 OK"
            else:
                body, status = b"", f"404 {self._refusal(host + folder)}"
            log.info("%s %s: %s", host, line, status)
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    async def _hint(self, client: int, charts: list[Chart]) -> None:
        """A client that reads an index and then takes no chart asked for a missing one: report what is available.

        Helm's own error only says that the chart or version was not found.
        """
        taken = self._taken[client] = asyncio.Event()
        try:
            async with asyncio.timeout(_HINT_AFTER_SECONDS):
                await taken.wait()
        except TimeoutError:
            text = f"this sandbox offers the charts {', '.join(map(str, charts))}; `sandbox up --chart` adds others\n"
            with contextlib.suppress(OSError):
                Path(f"/proc/{client}/fd/2").open("w").write(text)  # noqa: ASYNC230, SIM115 - a pipe, one line


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """A request's first line, and its headers by lower-case name."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in head[1:] if ":" in line)
    return head[0], {name.lower(): value.strip() for name, value in pairs}


def _client(headers: dict[str, str]) -> int | None:
    """The pid in a client's user name (see `environment`)."""
    word = headers.get("proxy-authorization", "").rpartition(" ")[2]
    pid = base64.b64decode(word + "==").decode("latin-1").partition(":")[0] if word else ""
    return int(pid) if pid.isdigit() else None


async def serve(state: State) -> None:
    """Serve until the process is stopped."""
    port = read_json(_folder(state) / "ports.json")["proxy"]
    server = await asyncio.start_server(Repository(state).answer, "127.0.0.1", port, limit=_LONGEST_REQUEST)
    write_json(identity_file(state), Identity.own().to_json())
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="Offer Helm charts under the names of their repositories.")
    parser.add_argument("--state-dir", required=True)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    asyncio.run(serve(State.at(parser.parse_args().state_dir)))


if __name__ == "__main__":
    main()
