"""Shared by all tests: the built tools, sandboxes, and which tests share one.

`-m "not sandbox"` selects the tests that run in seconds. `SOAK=1` gives campaigns their full counts.
"""

import gc
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from xdist.scheduler import LoadFileScheduling

from sandbox import lifecycle
from sandbox.run.clients import client
from sandbox.run.state import State
from sandbox.tools import build, catalog

if TYPE_CHECKING:
    from tests.conformance.stage import Stage

T = TypeVar("T")
REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Make the tests independent of who started them.

    A `make` in a test is no sub-make of `make test`. A background job of a shell ignores SIGINT, and so would every
    process that a test starts.
    """
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(name, None)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m alone` import only the files with such tests: all the others take ten seconds."""
    asked = config.option.markexpr == "alone" and collection_path.suffix == ".py"
    return True if asked and "mark.alone" not in collection_path.read_text() else None


def pytest_collection_finish() -> None:
    """Leave what is imported out of every later search for garbage, and search less often.

    Searching took a third of tests/unit/right_on_aws.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say at once why a test failed: a run that is ended from outside prints no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\n{report.nodeid} ({report.when}, {report.duration:.0f} s)\n{report.longreprtext[-1500:]}\n")


SHARED = ("existing", "stack", "stage", "traffic")
"""Fixtures with clusters that several files use. These files are a group: one worker runs all of their tests."""


@cache
def group(file: Path) -> str:
    """The shared fixture that the tests of a file use, or the file itself."""
    text = file.read_text()  # the process that distributes tests has not imported them
    parameter = re.search(rf"\b({'|'.join(SHARED)}): [A-Z]", text)
    return parameter[1] if parameter and "mark.sandbox" in text else str(file)


class Groups(LoadFileScheduling):
    """Distributes tests by group, not by file."""

    def _split_scope(self, nodeid: str) -> str:
        return group(REPOSITORY / super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups:
    """Have xdist distribute tests by group."""
    return Groups(config, log)


class Shared:
    """What the tests of a group share. It ends with the last of them, because an idle cluster still uses the CPU."""

    def __init__(self) -> None:
        """Nothing exists until a test asks for it."""
        self._made: dict[str, Any] = {}
        self._exits = ExitStack()

    def get(self, name: str, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What has this name; made when the first test of the group asks for it."""
        if name not in self._made:
            self._made[name] = self._exits.enter_context(make())
        return self._made[name]

    def end(self) -> None:
        """End all of it."""
        self._made.clear()
        self._exits.close()


_shared = Shared()


@pytest.fixture(scope="session")
def shared() -> Iterator[Shared]:
    """For fixtures that last as long as a group's tests."""
    yield _shared
    _shared.end()  # after Ctrl-C too, when no test is torn down


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End what a group has shared after its last test."""
    if nextitem is None or group(nextitem.path) != group(item.path):
        _shared.end()


@pytest.hookimpl(trylast=True)  # after `-m` has deselected tests
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Build the tools before the first sandbox test, and run quick tests first.

    With several workers the long tests run first: groups, other tests with a sandbox, then what is marked `early`. A
    long one that began last would keep a single worker busy.
    """
    quick_last = "PYTEST_XDIST_WORKER" in os.environ

    def place(item: pytest.Item) -> tuple[bool, bool, int]:
        quick, of = item.get_closest_marker("sandbox") is None, group(item.path)
        early = item.get_closest_marker("early") is not None
        return quick == quick_last, not early, SHARED.index(of) if of in SHARED else len(SHARED)

    items.sort(key=place)
    if any(item.get_closest_marker("sandbox") for item in items) and not session.config.option.collectonly:
        cache = session.config.cache
        assert cache is not None
        folder = Path(cache.mkdir(f"tools-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"))
        tools_at_hand(folder, lambda line: sys.stderr.write(f"{line}\n"))


def tools_at_hand(folder: Path, report: Callable[[str], object]) -> None:
    """Build every tool, link them from a folder, and name that folder in SANDBOX_TOOLS."""
    for name, path in build.ensure_all(catalog.CATALOG, report).items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(path)
    os.environ["SANDBOX_TOOLS"] = str(folder)


@cache
def _client(root: Path, _access_key: str, service: str) -> Any:
    """The same each time: making one takes longer than most calls. A sandbox that is made again has another key."""
    return client(State.at(root), service)


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, and its clients for tests: the same that users have."""

    state: State
    cluster: str = ""
    """The cluster for kubectl and helm; "" for the current context's."""

    def environment(self) -> dict[str, str]:
        """The environment of a command in this sandbox."""
        chosen = {"KUBECONFIG": str(self.state.cluster(self.cluster) / "kubeconfig")} if self.cluster else {}
        return lifecycle.child_environment(self.state) | chosen

    def run(self, *command: str, check: bool = True, timeout: float = 300, cwd: Path = REPOSITORY) -> str:
        """Run a command in the sandbox's environment and return its output."""
        done = subprocess.run(
            command, env=self.environment(), cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
        )
        if check and done.returncode:
            pytest.fail(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
            )
        return done.stdout + ("" if check else done.stderr)

    def get(self, *arguments: str) -> Any:
        """What `kubectl get` prints as JSON."""
        from tests import api_server  # noqa: PLC0415 - the client takes half a second, and most tests do not need it

        return api_server.get(Path(self.environment()["KUBECONFIG"]), *arguments)

    def aws(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        return _client(self.state.root, self.state.settings().root_keys["access_key"], service)


@contextmanager
def brought_up(
    folder: Path,
    *,
    given: dict[str, str] | None = None,
    traffic: str | None = None,
    latency: dict[str, Any] | None = None,
    quotas: dict[str, int] | None = None,
) -> Generator[Sandbox]:
    """A sandbox in a folder."""
    state = State.at(folder)
    wish = lifecycle.Wish(given or {}, traffic=traffic, latency=latency, quotas=quotas or {})
    lifecycle.up(state, wish, lambda _: None)
    try:
        yield Sandbox(state)
    finally:
        lifecycle.down(state, lambda _: None)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox for tests whose clusters no other file knows."""
    with brought_up(tmp_path_factory.mktemp("sandbox") / "state") as made:
        yield made


@contextmanager
def with_stack(folder: Path, *, traffic: str | None = None) -> Generator[Sandbox]:
    """A sandbox with the project's stack `sandbox`."""
    with brought_up(folder, traffic=traffic) as sandbox:
        sandbox.run("pulumi", "stack", "init", "sandbox")
        sandbox.run("pulumi", "up", "--stack", "sandbox", "--yes", "--skip-preview", "--non-interactive", timeout=600)
        yield replace(sandbox, cluster="sandbox")


@pytest.fixture(scope="module")
def stack(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A sandbox with the project's stack."""
    return shared.get("stack", lambda: with_stack(tmp_path_factory.mktemp("stack") / "state"))


@contextmanager
def _with_stage(folder: Path) -> Generator["Stage"]:
    from tests.conformance.stage import staged  # noqa: PLC0415 - it imports this module

    with brought_up(folder) as sandbox, staged(sandbox) as stage:
        yield stage


@pytest.fixture(scope="module")
def stage(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> "Stage":
    """A sandbox with a cluster whose controller tests may disturb."""
    return shared.get("stage", lambda: _with_stage(tmp_path_factory.mktemp("stage") / "state"))
