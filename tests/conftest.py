"""Shared by all tests: the built tools, and one sandbox for everything that needs one.

`-m "not sandbox"` selects the tests that run in seconds. `SOAK=1` gives campaigns their full counts.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import lifecycle
from sandbox.run.clients import client
from sandbox.run.state import State
from sandbox.tools import build, catalog

if TYPE_CHECKING:
    from tests.conformance.stage import Stage

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


def pytest_collection_finish() -> None:
    """Leave what is imported out of every later search for garbage. It took a third of tests/unit/right_on_aws."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say at once why a test failed: a run that is ended from outside prints no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\n{report.nodeid} ({report.when}, {report.duration:.0f} s)\n{report.longreprtext[-1500:]}\n")


@pytest.hookimpl(trylast=True)  # after `-m` has deselected tests
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Build the tools before the first sandbox test, and run sandbox tests after the quick ones."""
    items.sort(key=lambda item: item.get_closest_marker("sandbox") is not None)
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

    def kubectl(self, *arguments: str) -> Any:
        """The answer of kubectl, as JSON."""
        return json.loads(self.run("kubectl", *arguments, "-o", "json"))

    def aws(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        return client(self.state, service)


def brought_up(
    folder: Path,
    *,
    given: dict[str, str] | None = None,
    traffic: str | None = None,
    latency: dict[str, Any] | None = None,
    quotas: dict[str, int] | None = None,
) -> Generator[Sandbox, None, None]:
    """A sandbox in `folder` for the generator's lifetime."""
    state = State.at(folder)
    wish = lifecycle.Wish(given or {}, traffic=traffic, latency=latency, quotas=quotas or {})
    lifecycle.up(state, wish, lambda _: None)
    try:
        yield Sandbox(state)
    finally:
        lifecycle.down(state, lambda _: None)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sandbox that all tests share."""
    yield from brought_up(tmp_path_factory.mktemp("sandbox") / "state")


@pytest.fixture(scope="session")
def stack(sandbox: Sandbox) -> Sandbox:
    """The shared sandbox with the project's stack `sandbox`."""
    sandbox.run("pulumi", "stack", "init", "sandbox")
    sandbox.run("pulumi", "up", "--stack", "sandbox", "--yes", "--skip-preview", "--non-interactive", timeout=600)
    name = sandbox.run("pulumi", "stack", "output", "--stack", "sandbox", "clusterName").strip()
    # Another test's cluster may have come first, so the current context may be another cluster's.
    return replace(sandbox, cluster=name)


@pytest.fixture(scope="session")
def stage(sandbox: Sandbox) -> Iterator["Stage"]:
    """A second cluster in the shared sandbox, whose controller tests may disturb."""
    from tests.conformance.stage import staged  # noqa: PLC0415 - it imports this module

    with staged(sandbox) as made:
        yield made
