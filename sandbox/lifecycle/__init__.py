"""Bring a sandbox up, take it down, report its state: what the command line does, without its words.

`up` starts AWS and what Pulumi needs. AWS's EKS starts the rest later: control planes, nodes, pods.
"""

import os
import re
import secrets
import shutil
import sys
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sandbox.aws.agents import stop_all
from sandbox.engine import chart_repository, home
from sandbox.network import requirements
from sandbox.run import ports
from sandbox.run.processes import Identity, Process, ProcessFailedError
from sandbox.run.state import EMPTY_KUBECONFIG, Settings, State, StateError, locked, read_json, write_json, write_text
from sandbox.tools.catalog import CONTROLLER, KUBERNETES_PROVIDER
from sandbox.tools.choose import BUILT, Choice, choose

REGION, ACCOUNT = "us-west-2", "123456789012"
REPLACEABLE = ("pulumi", "kube", "kwok", "helm", "controller")
_PLUGIN = "pulumi-resource-"
_ONE_VERSION = re.compile(r"controller@\d+\.\d+\.\d+")
_READY_SECONDS = 60

Report = Callable[[str], None]


class LifecycleError(Exception):
    """Why a sandbox cannot be brought up or taken down, in one line that names the remedy."""


def replacements(given: tuple[str, ...]) -> dict[str, str]:
    """`--with NAME=PATH` options as a mapping of names to absolute paths.

    Raises:
        LifecycleError: an option is not NAME=PATH, NAME is unknown, or PATH cannot be run.
    """
    found: dict[str, str] = {}
    for word in given:
        name, equals, path = word.partition("=")
        if not equals or not path:
            raise LifecycleError(f"--with {word}: give NAME=PATH, for example --with controller=./manager")
        if name not in REPLACEABLE and not name.startswith(_PLUGIN) and not _ONE_VERSION.fullmatch(name):
            known = f"{', '.join(REPLACEABLE)}, controller@VERSION or {_PLUGIN}NAME"
            raise LifecycleError(f"--with {word}: {name} is none of {known}")
        target = Path(path).absolute()
        usable = target.is_dir() if name == "kube" else os.access(target, os.X_OK) and target.is_file()
        if not usable:
            wanted = "a folder that holds the control plane's executables" if name == "kube" else "an executable file"
            raise LifecycleError(f"--with {word}: {target} is not {wanted}")
        found[name] = str(target)
    return found


@dataclass(frozen=True)
class Wish:
    """What a sandbox is asked to be. None stands for what it was when it first came up."""

    given: dict[str, str]
    """`--with`."""
    aws_port: int | None = None
    traffic: str | None = None
    """One of `TRAFFIC_MODES` for a network."""
    charts: Sequence[str] = ()
    """Absolute paths of charts that are offered from now on."""
    controller_version: str | None = None
    """The controller's release, if it is not the one of the catalog."""


def up(state: State, wish: Wish, report: Report) -> None:
    """Bring the sandbox up. If it is up already, only its charts may change.

    Args:
        state: its folder.
        wish: what it is asked to be.
        report: gets progress, line by line.

    Raises:
        LifecycleError: it cannot start; the message says what to do.
        build.BuildError: a tool cannot be built.
    """
    _check_folder(state)
    for path in wish.charts:
        try:
            chart_repository.read(Path(path))
        except chart_repository.ChartError as error:
            raise LifecycleError(str(error)) from error
    with _only_one(state):
        carries = bool(wish.traffic or (state.exists() and state.settings().traffic))
        release = wish.controller_version
        if release is None and state.exists():
            release = state.settings().origins.get(CONTROLLER, {}).get("release")
        tools = choose(state, wish.given, report, traffic=carries, controller_version=release)
        settings = _settle(state, wish, tools, release)
        home.prepare(state)
        if not state.kubeconfig.exists():
            write_text(state.kubeconfig, EMPTY_KUBECONFIG)
        parts = (_aws(state, settings), _plugins(state), _charts(state), _traffic(state, settings))
        _start([p for p in parts if p is not None], report)


def down(state: State, report: Report) -> bool:
    """End every process of the sandbox and remove its folder; whether there was one.

    Raises:
        LifecycleError: another process works on the folder.
    """
    if not state.root.exists():
        return False
    if not state.exists() and any(state.root.iterdir()) and not (state.root / "lock").exists():
        raise LifecycleError(f"{state.root} is not a sandbox's folder (it has no sandbox.json): it is left alone")
    with _only_one(state):
        identities = (
            ("traffic", _traffic_identity(state)),
            ("charts", _charts_identity(state)),
            ("plugins", _plugins_identity(state)),
            ("aws", _aws_identity(state)),
        )
        for name, identity in identities:
            if identity is not None:
                report(f"ending {name} (pid {identity.pid})")
                identity.end(grace=10)
        # After AWS, which would bring them back.
        report("ending clusters")
        stop_all(state)
        shutil.rmtree(state.root)
    return True


@contextmanager
def _only_one(state: State) -> Generator[None, None, None]:
    lock = state.root / "lock"
    try:
        with locked(lock, wait=False):
            lock.write_text(f"{os.getpid()}\n")
            yield
    except BlockingIOError:
        pid = lock.read_text().strip() or "unknown"
        raise LifecycleError(
            f"another `sandbox up` or `sandbox down` (pid {pid}) works on {state.root}: wait until it is done, "
            "or choose another folder with --state-dir"
        ) from None


def _check_folder(state: State) -> None:
    if state.root.exists() and not state.root.is_dir():
        raise LifecycleError(f"--state-dir {state.root} is a file: name a folder")
    foreign = state.root.is_dir() and not state.exists() and {e.name for e in state.root.iterdir()} - {"lock"}
    if foreign:
        raise LifecycleError(
            f"--state-dir {state.root} holds other things ({', '.join(sorted(foreign)[:3])}): name an empty folder"
        )
    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)


def _settle(state: State, wish: Wish, tools: dict[str, Choice], release: str | None) -> Settings:
    """The folder's settings: made now, or those that it has, if they do not contradict the wish."""
    running = _aws_identity(state) is not None
    mode, charts = wish.traffic or "", list(wish.charts)
    if state.exists():
        old = state.settings()
        mode, charts = old.traffic, [*old.charts, *(c for c in wish.charts if c not in old.charts)]
        _compare(state, old, wish, running=running)
        if running:
            if charts != old.charts:
                old = replace(old, charts=charts)
                write_json(state.settings_file, old.to_json())
            return old
        port, keys = wish.aws_port or old.ports["aws"], old.root_keys
    else:
        port = wish.aws_port or ports.free_port()
        keys = {"access_key": f"AKIA{secrets.token_hex(8).upper()}", "secret_key": secrets.token_urlsafe(30)}
    if not ports.is_free(port):
        raise LifecycleError(
            f"port {port}, AWS's in {state.root}, is taken by {ports.owner(port)}: "
            "end that, or give another with --aws-port"
        )
    if mode and (lack := requirements.missing(state.root)):
        raise LifecycleError(lack)
    origins = {name: {"version": c.version, "source": c.source} for name, c in tools.items()}
    if release:
        origins[CONTROLLER]["release"] = release
    paths = {name: choice.path for name, choice in tools.items()}
    settings = Settings(REGION, ACCOUNT, {"aws": port}, keys, paths, origins, charts, wish.given, mode)
    write_json(state.settings_file, settings.to_json())
    return settings


def _compare(state: State, old: Settings, wish: Wish, *, running: bool) -> None:
    """Refuse what cannot change while the sandbox runs, or ever.

    Raises:
        LifecycleError: the wish contradicts what the sandbox is.
    """

    def refuse(have: str, asked: str) -> None:
        raise LifecycleError(f"the sandbox in {state.root} {have}, not {asked}: `sandbox down` first")

    # A cluster's nodes are made with a network or without one.
    if wish.traffic not in (None, old.traffic):
        have = f"--traffic={old.traffic}" if old.traffic else "no --traffic"
        refuse(f"began with {have}", f"--traffic={wish.traffic}")
    if running and wish.given != old.replacements:
        refuse(f"runs with {_words(old.replacements)}", f"with {_words(wish.given)}")
    if running and wish.aws_port not in (None, old.ports["aws"]):
        refuse(f"has AWS on port {old.ports['aws']}", str(wish.aws_port))
    release = old.origins.get(CONTROLLER, {}).get("release")
    if running and wish.controller_version not in (None, release):
        refuse(f"runs controller {old.origins[CONTROLLER]['version']}", wish.controller_version or "")


def _words(given: dict[str, str]) -> str:
    return ", ".join(f"{name}={path}" for name, path in sorted(given.items())) or "nothing replaced"


def _aws(state: State, settings: Settings) -> Process | None:
    """The AWS process to start, or None if it runs."""
    if _aws_identity(state) is not None:
        return None
    address = f"http://127.0.0.1:{settings.ports['aws']}/_sandbox/ready"

    def ready() -> bool:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200  # noqa: PLR2004 - OK

    return _part(state, "aws", "sandbox.aws", ready)


def _plugins(state: State) -> Process | None:
    """The process that starts plugins quickly, or None if it runs."""
    if _plugins_identity(state) is not None:
        return None
    return _part(state, "plugins", "sandbox.engine.prefork", lambda: _plugins_identity(state) is not None)


def _charts(state: State) -> Process | None:
    """The process that offers charts, or None if it runs."""
    if _charts_identity(state) is not None:
        return None
    return _part(state, "charts", "sandbox.engine.chart_repository", lambda: _charts_identity(state) is not None)


def _traffic(state: State, settings: Settings) -> Process | None:
    """The process that keeps the network, or None if it runs or none is wanted."""
    if not settings.traffic or _traffic_identity(state) is not None:
        return None
    status = state.traffic / "status.json"
    return _part(state, "traffic", "sandbox.network", lambda: _traffic_identity(state) is not None and status.exists())


def _part(state: State, name: str, module: str, ready: Callable[[], bool]) -> Process:
    command = [sys.executable, "-m", module, "--state-dir", state.root]
    return Process(name, command, state.log(name), ready=ready, own_session=True)


def _start(processes: list[Process], report: Report) -> None:
    """Start processes side by side and wait until all are ready; if one is not, none stays."""
    try:
        for process in processes:
            report(f"starting {process.name}")
            process.start()
        for process in processes:
            process.wait_ready(_READY_SECONDS)
    except BaseException as error:
        for process in processes:
            process.stop()
        if isinstance(error, ProcessFailedError):
            raise LifecycleError(str(error)) from error
        raise


def _identity(file: Path) -> Identity | None:
    """The living process that a process.json names, or None."""
    identity = Identity.from_json(read_json(file))
    return identity if identity is not None and identity.alive() else None


def _aws_identity(state: State) -> Identity | None:
    return _identity(state.aws / "process.json")


def _plugins_identity(state: State) -> Identity | None:
    return _identity((state.pulumi / home.PREFORK).with_suffix(".json"))


def _charts_identity(state: State) -> Identity | None:
    return _identity(chart_repository.identity_file(state))


def _traffic_identity(state: State) -> Identity | None:
    return _identity(state.traffic / "process.json")


def _cluster_folders(state: State) -> list[Path]:
    return sorted(f for f in state.clusters.glob("*") if f.is_dir())


@dataclass(frozen=True)
class Part:
    """One part of the sandbox: what runs, and whether it is the real thing."""

    name: str
    kind: str
    """`real` or `stand-in`."""
    version: str
    pid: int | None
    """None for what runs only while it is used, and for what should run and does not."""
    source: str = ""
    """Where the executable comes from: `built`, `--with`, `PATH`, ...; empty for the sandbox's own code."""
    expected: bool = False
    """Whether it should be running now."""

    def to_json(self) -> dict[str, Any]:
        """As `sandbox status --json` gives it."""
        document = {"name": self.name, "kind": self.kind, "version": self.version, "pid": self.pid}
        return document | {"source": self.source}


def parts(state: State) -> list[Part]:
    """Every part of the sandbox."""
    settings = state.settings()
    processes = {"plugins": _plugins_identity(state), "charts": _charts_identity(state)}
    aws = _aws_identity(state)
    found = [Part("aws", "stand-in", f"moto {version('moto')}", aws.pid if aws else None, expected=True)]
    found += [Part(name, "stand-in", "sandbox", p.pid if p else None, expected=True) for name, p in processes.items()]
    if settings.traffic:
        found += _network_parts(state)
    for folder in _cluster_folders(state):
        found += _cluster_parts(folder)
    found.append(_tool_part(settings, "engine", "pulumi"))
    found.append(Part("language host", "stand-in", f"SDK {version('pulumi')}", None))
    for name, sdk in home.STAND_INS.items():
        replaced = settings.replacements.get(f"{_PLUGIN}{name}")
        kind, what = ("real", replaced) if replaced else ("stand-in", f"SDK {version(sdk)}")
        found.append(Part(f"provider {name}", kind, what, None, "--with" if replaced else ""))
    found.append(_tool_part(settings, "provider kubernetes", KUBERNETES_PROVIDER))
    charts = chart_repository.offered(state, chart_repository.CONTROLLER_HOST, chart_repository.CONTROLLER_PATH)
    found += [Part(f"chart {c.metadata['name']}", "real", str(c.metadata["version"]), None) for c in charts]
    found += [_tool_part(settings, name, name) for name in ("helm", "aws")]
    return found


def _tool_part(settings: Settings, name: str, tool: str) -> Part:
    origin = settings.origins.get(tool, {"version": "unknown", "source": ""})
    later = origin["source"] == BUILT and not Path(settings.tools[tool]).exists()
    return Part(name, "real", origin["version"], None, "built when first used" if later else origin["source"])


def _cluster_parts(folder: Path) -> list[Part]:
    if not (folder / "cluster.json").exists():
        return []
    agent = _identity(folder / "process.json")
    found = [Part(f"{folder.name}/agent", "stand-in", "sandbox", agent.pid if agent else None, expected=True)]
    for part in (read_json(folder / "status.json") or {}).get("parts", []):
        pid = part.get("pid")
        alive = pid if pid and Identity.of(pid) else None
        found.append(Part(part["name"], part["kind"], part["version"], alive, part.get("source", ""), expected=True))
    return found


def _network_parts(state: State) -> list[Part]:
    """The keeper of the network, and what runs in it: there pids are others, so that none is told."""
    keeper = _traffic_identity(state)
    found = [Part("traffic", "stand-in", f"Linux {os.uname().release}", keeper.pid if keeper else None, expected=True)]
    inside = (read_json(state.traffic / "status.json") or {}).get("parts", []) if keeper else []
    return found + [Part(p["name"], p["kind"], p["version"], None) for p in inside]


def status(state: State) -> dict[str, Any]:
    """The document of `sandbox status --json`."""
    if not state.exists():
        return {"state": "down", "aws": None, "clusters": [], "parts": []}
    settings = state.settings()
    all_parts = parts(state)
    expected = [p for p in all_parts if p.expected]
    alive = [p for p in expected if p.pid is not None]
    clusters: list[dict[str, Any]] = []
    for folder in _cluster_folders(state):
        spec, seen = read_json(folder / "cluster.json"), read_json(folder / "status.json") or {}
        if spec is None:
            continue
        clusters.append(
            {
                "name": folder.name,
                "endpoint": seen.get("endpoint"),
                "kubeconfig": str(folder / "kubeconfig"),
                "vpc": spec.get("vpc_id"),
                "phase": seen.get("phase", "CREATING"),
            }
        )
    word = "up" if len(alive) == len(expected) else "degraded" if alive else "down"
    return {
        "state": word,
        "aws": {"endpoint": state.aws_endpoint, "region": settings.region, "account": settings.account},
        "clusters": clusters,
        "parts": [p.to_json() for p in all_parts],
    }


def environment(state: State) -> dict[str, str]:
    """What a command needs in its environment to use this sandbox, and nothing of the user's own AWS.

    Raises:
        StateError: there is no sandbox, or it is not running.
    """
    state.settings()
    if _aws_identity(state) is None:
        raise StateError(f"the sandbox in {state.root} is not running: bring it back with `sandbox up`")
    return {
        **state.client_environment(),
        **home.environment(state),
        # A profile or a metadata service of the user's would lead to an account that is not this sandbox's.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "KUBECONFIG": str(state.kubeconfig),
        "SANDBOX_STATE_DIR": str(state.root),
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": f"{home.path_prefix(state)}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN")
"""Variables of a user's that would override the sandbox's."""
