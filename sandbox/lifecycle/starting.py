"""Starts and removes a sandbox.

`up` starts AWS and what Pulumi needs. AWS's EKS starts the rest later: control planes, nodes, pods.
"""

import os
import shutil
import sys
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sandbox.aws.agents import clusters_on_disk, stop_all
from sandbox.cluster.sockets import socket_path
from sandbox.engine import chart_repository, home
from sandbox.lifecycle.errors import LifecycleError
from sandbox.lifecycle.running import aws_identity, charts_identity, plugins_identity, traffic_identity
from sandbox.lifecycle.settings import Wish, settle
from sandbox.run.processes import Process, ProcessFailedError, wait_until
from sandbox.run.state import EMPTY_KUBECONFIG, Settings, State, locked, write_text
from sandbox.tools.catalog import CONTROLLER
from sandbox.tools.choose import choose

_READY_SECONDS = 60
Report = Callable[[str], None]


def up(state: State, wish: Wish, report: Report, prepare: Callable[[State], object] = lambda _: None) -> None:
    """Start the sandbox. If it is up already, only its charts may change.

    Args:
        state: its folder.
        wish: the user's wishes.
        report: gets progress, line by line.
        prepare: is called when the settings are written and nothing runs yet.

    Raises:
        LifecycleError: startup failed; the message says how to fix it.
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
        tools = choose(state, wish.given, report, traffic=carries, controller_version=release, engine=wish.engine)
        settings = settle(state, wish, tools, release)
        prepare(state)
        if wish.engine:
            home.prepare(state)
        if not state.kubeconfig.exists():
            write_text(state.kubeconfig, EMPTY_KUBECONFIG)
        engine = (_plugins(state), _charts(state)) if wish.engine else ()
        parts = (_aws(state, settings), *engine, _traffic(state, settings))
        _start([p for p in parts if p is not None], report)


def down(state: State, report: Report) -> bool:
    """Stop every process of the sandbox and remove its folder; return whether it existed.

    Raises:
        LifecycleError: another process works on the folder.
    """
    if not state.root.exists():
        return False
    if not state.exists() and any(state.root.iterdir()) and not (state.root / "lock").exists():
        raise LifecycleError(f"{state.root} is not a sandbox's folder (it has no sandbox.json): it was not touched")
    with _only_one(state):
        identities = (
            ("traffic", traffic_identity(state)),
            ("charts", charts_identity(state)),
            ("plugins", plugins_identity(state)),
            ("aws", aws_identity(state)),
        )
        for name, identity in identities:
            if identity is not None:
                report(f"ending {name} (pid {identity.pid})")
                identity.end(grace=10)
        # After AWS, which would restart them.
        report("ending clusters")
        sockets = [socket_path(state.cluster(name) / "run") for name in clusters_on_disk(state)]
        stop_all(state)
        for folder in sockets:
            shutil.rmtree(folder, ignore_errors=True)
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
            f"--state-dir {state.root} contains other files ({', '.join(sorted(foreign)[:3])}): name an empty folder"
        )
    state.root.mkdir(mode=0o700, parents=True, exist_ok=True)


def _start(processes: list[Process], report: Report) -> None:
    """Start processes in parallel and wait until all are ready; if one fails, stop all."""
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


def _aws(state: State, settings: Settings) -> Process | None:
    """The AWS process to start, or None if it runs."""
    # If an interrupted `up` left it starting, it continues by itself.
    wait_until(lambda: aws_identity(state) is not None or _is_free(state.aws / "lock"), _READY_SECONDS)
    if aws_identity(state) is not None:
        return None
    address = f"http://127.0.0.1:{settings.ports['aws']}/_sandbox/ready"

    def ready() -> bool:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200  # noqa: PLR2004 - OK

    return _part(state, "aws", "sandbox.aws", ready)


def _is_free(lock: Path) -> bool:
    try:
        with locked(lock, wait=False):
            return True
    except BlockingIOError:
        return False


def _plugins(state: State) -> Process | None:
    """The process that starts plugins quickly, or None if it runs."""
    if plugins_identity(state) is not None:
        return None
    return _part(state, "plugins", "sandbox.engine.prefork", lambda: plugins_identity(state) is not None)


def _charts(state: State) -> Process | None:
    """The process that serves charts, or None if it runs."""
    if charts_identity(state) is not None:
        return None
    return _part(state, "charts", "sandbox.engine.chart_repository", lambda: charts_identity(state) is not None)


def _traffic(state: State, settings: Settings) -> Process | None:
    """The process that keeps the network, or None if it runs or no network is wanted."""
    if not settings.traffic or traffic_identity(state) is not None:
        return None
    status = state.traffic / "status.json"
    return _part(state, "traffic", "sandbox.network", lambda: traffic_identity(state) is not None and status.exists())


def _part(state: State, name: str, module: str, ready: Callable[[], bool]) -> Process:
    command = [sys.executable, "-m", module, "--state-dir", state.root]
    return Process(name, command, state.log(name), ready=ready, own_session=True)
