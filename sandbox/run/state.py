"""The state folder: contains everything that a sandbox knows and leaves.

Nothing outside this folder is touched (except the tools' cache, see `sandbox.tools`). The files:

    sandbox.json        settings, chosen once: region, account, ports, tools, the root's access key
    kubeconfig          at a stable path; every cluster adds a context named by its ARN
    aws/                the AWS process: its identity and its journal
    clusters/NAME/      one cluster: AWS's request, its agent's report, its keys and data
    traffic/            with --traffic: the identity of the process that keeps the world, what runs in it, its socket
    pulumi/             the engine's home, backend and passphrase, and the offered charts
    logs/PART.log       one log per part
"""

import fcntl
import json
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_FOLDER = ".sandbox"
ACTIVE = "ACTIVE"
"""The phase of a usable cluster in status.json."""
TRAFFIC_MODES = ("iptables", "nftables", "none")
"""The values of `--traffic`: kube-proxy's modes, or no kube-proxy."""
EMPTY_KUBECONFIG = (
    "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\ncurrent-context: ''\npreferences: {}\n"
)


class StateError(Exception):
    """What is wrong with a state folder; the message is one line with the remedy."""


def write_json(path: Path, data: Any) -> None:
    """Replace `path` with `data` atomically: a reader sees the old document or the new one, never a part of it."""
    write_text(path, json.dumps(data, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace `path` with `text` atomically, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp creates the file with mode 0600: some of these contain keys.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> Any:
    """The document at `path`, or None if it does not exist."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise StateError(f"{path} is not JSON ({error}): start again with `sandbox down` and `sandbox up`") from error


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Generator[None, None, None]:
    """Hold an exclusive lock on `path` (a file for that purpose).

    Raises:
        BlockingIOError: `wait` is false and another process holds it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


@dataclass(frozen=True)
class Settings:
    """What a sandbox chose at its first start, and keeps."""

    region: str
    account: str
    ports: dict[str, int]
    root_keys: dict[str, str]
    tools: dict[str, str] = field(default_factory=dict[str, str])
    """Tool name -> absolute path of its executable."""
    origins: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Tool name -> its `version`, and its origin (`source`)."""
    charts: list[str] = field(default_factory=list[str])
    """`--chart`: folders and archives that are offered besides the controller's chart."""
    replacements: dict[str, str] = field(default_factory=dict[str, str])
    """`--with NAME=PATH`: what runs in the place of a part of ours. Stands under "with" in the file."""
    quotas: dict[str, int] = field(default_factory=dict[str, int])
    """Quotas of Elastic Load Balancing that are not every new account's, by the names of DescribeAccountLimits."""
    latency: dict[str, Any] = field(default_factory=dict[str, Any])
    """`--latency`: AWS's delays (`sandbox.run.latency`); empty if everything is done at once."""
    traffic: str = ""
    """`--traffic`: kube-proxy's mode (`TRAFFIC_MODES`); empty without a network."""

    def to_json(self) -> dict[str, Any]:
        """The document as written in sandbox.json."""
        return {
            "version": 1,
            "region": self.region,
            "account": self.account,
            "ports": self.ports,
            "root_keys": self.root_keys,
            "tools": self.tools,
            "origins": self.origins,
            "charts": self.charts,
            "with": self.replacements,
            "quotas": self.quotas,
            "latency": self.latency,
            "traffic": self.traffic,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Settings":
        """The settings from the output of `to_json`."""
        return Settings(
            region=data["region"],
            account=data["account"],
            ports=data["ports"],
            root_keys=data["root_keys"],
            tools=data.get("tools", {}),
            origins=data.get("origins", {}),
            charts=data.get("charts", []),
            replacements=data.get("with", {}),
            quotas=data.get("quotas", {}),
            latency=data.get("latency", {}),
            traffic=data.get("traffic", ""),
        )


@dataclass(frozen=True)
class State:
    """Paths of one state folder, and its settings."""

    root: Path

    @staticmethod
    def at(path: str | Path) -> "State":
        """The state folder at `path`, made absolute; it need not exist."""
        return State(Path(path).absolute())

    @property
    def settings_file(self) -> Path:
        """sandbox.json."""
        return self.root / "sandbox.json"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of `sandbox env`: one context per cluster, named by its ARN."""
        return self.root / "kubeconfig"

    @property
    def aws(self) -> Path:
        """The AWS process's folder."""
        return self.root / "aws"

    @property
    def clusters(self) -> Path:
        """The folder of all clusters."""
        return self.root / "clusters"

    @property
    def traffic(self) -> Path:
        """The folder of the network."""
        return self.root / "traffic"

    @property
    def pulumi(self) -> Path:
        """The engine's folder."""
        return self.root / "pulumi"

    def cluster(self, name: str) -> Path:
        """The folder of one cluster."""
        return self.clusters / name

    def active_clusters(self) -> list[str]:
        """The names of the usable clusters, in order."""
        return [
            folder.name
            for folder in sorted(self.clusters.glob("*"))
            if (read_json(folder / "status.json") or {}).get("phase") == ACTIVE
        ]

    def log(self, part: str) -> Path:
        """The log file of one part."""
        return self.root / "logs" / f"{part}.log"

    def exists(self) -> bool:
        """Whether a sandbox was started here and not yet removed."""
        return self.settings_file.exists()

    def settings(self) -> Settings:
        """The settings.

        Raises:
            StateError: there is no sandbox here, or its settings cannot be read.
        """
        data = read_json(self.settings_file)
        if data is None:
            raise StateError(f"no sandbox in {self.root}: start one with `sandbox up`")
        return Settings.from_json(data)

    @property
    def aws_endpoint(self) -> str:
        """The URL of the sandbox's AWS."""
        return f"http://127.0.0.1:{self.settings().ports['aws']}"

    def client_environment(self) -> dict[str, str]:
        """Environment variables with which AWS clients reach this sandbox as the account's root."""
        settings = self.settings()
        return {
            "AWS_ENDPOINT_URL": self.aws_endpoint,
            "AWS_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            "AWS_ACCESS_KEY_ID": settings.root_keys["access_key"],
            "AWS_SECRET_ACCESS_KEY": settings.root_keys["secret_key"],
        }
