"""The world ends with its first process, however that ends, and the machine is as before."""

import json
import os
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.network import requirements
from sandbox.network.inside import own_run
from sandbox.run.processes import Process, wait_until
from tests.sandbox.network.conftest import processes

BARE = Path(__file__).with_name("bare_network.py")
WORLD = Path(__file__).with_name("small_world.py")
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(
    requirements.missing(Path("/somewhere")) is not None, reason=f"{requirements.missing(Path('/somewhere'))}"
)


def network_of_the_machine() -> str:
    """The host's links, names of namespaces, rules and routes."""
    commands = ("ip -brief link", "ip netns list", "ip rule", "ip route", "nft list ruleset", "iptables-save")
    path = {**os.environ, "PATH": requirements.search_path()}
    listed = [subprocess.run(c.split(), capture_output=True, text=True, check=False, env=path).stdout for c in commands]
    return "\n".join(line for text in listed for line in text.splitlines() if not line.startswith(("#", ":")))


def namespaces() -> set[str]:
    """The network namespaces that any process of the machine is in."""
    found: set[str] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add(str((process / "ns" / "net").readlink()))
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def before() -> str:
    return network_of_the_machine()


@pytest.fixture
def sleep(tmp_path: Path) -> str:
    """A process that only this test's world has: `sleep` with a unique number of seconds."""
    return f"sleep {10**6 + zlib.crc32(str(tmp_path).encode())}"


@pytest.fixture(params=[False, True], ids=["as root", "in a user namespace"])
def world(request: pytest.FixtureRequest, tmp_path: Path, sleep: str) -> Iterator[Process]:
    report = tmp_path / "report"
    if not request.param and os.geteuid():
        pytest.skip("only root has a world without a user namespace")
    process = Process(
        "world",
        requirements.isolated(sys.executable, str(WORLD), str(report), sleep.split()[1], own_user=request.param),
        tmp_path / "log",
        env={**os.environ, "PATH": requirements.search_path(), "PYTHONPATH": str(ROOT)},
        ready=report.exists,
    )
    process.start()
    process.wait_ready(20)
    yield process
    process.stop(0)


@pytest.mark.usefixtures("world")
def test_a_world_is_seen_by_nobody_outside(before: str, tmp_path: Path, sleep: str) -> None:
    assert (tmp_path / "report").read_text().startswith("10.0.0.1 net:[")
    assert network_of_the_machine() == before
    assert processes(sleep)


def test_killed_it_leaves_no_namespace_and_no_process(world: Process, before: str, tmp_path: Path, sleep: str) -> None:
    own = set((tmp_path / "report").read_text().split()[1:])
    assert own & namespaces()
    assert world.identity
    world.identity.signal(signal.SIGKILL)
    assert wait_until(lambda: not processes(sleep) and not processes(str(tmp_path)), 5)
    assert network_of_the_machine() == before
    assert wait_until(lambda: not own & namespaces(), 5)


@pytest.mark.parametrize("own_user", [False, True], ids=["as root", "in a user namespace"])
def test_it_ends_with_its_keeper(tmp_path: Path, sleep: str, *, own_user: bool) -> None:
    if not own_user and os.geteuid():
        pytest.skip("only root has a world without a user namespace")
    report = tmp_path / "report"
    # A keeper as `python -m sandbox.network` is one: it starts the world with `Process`, and is killed.
    argv = requirements.isolated(sys.executable, str(WORLD), str(report), sleep.split()[1], own_user=own_user)
    start = f"Process('w', {argv!r}, Path({str(tmp_path / 'log')!r})).start()"
    keeper = (
        f"import time; from pathlib import Path; from sandbox.run.processes import Process; {start}; time.sleep(100)"
    )
    environment = {**os.environ, "PATH": requirements.search_path(), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", keeper], env=environment) as process:
        try:
            assert wait_until(report.exists, 60)
        finally:
            process.kill()
    assert wait_until(lambda: not processes(sleep) and not processes(str(tmp_path)), 5)


def test_a_pod_is_reached_by_whom_its_group_names_and_without_kube_proxy_no_node_tracks(tmp_path: Path) -> None:
    report = tmp_path / "report"
    argv = requirements.isolated(sys.executable, str(BARE), str(report))
    environment = {**os.environ, "PATH": requirements.search_path(), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(report.read_text())
    timed_out = 28
    assert (told["eni-0000000000000003c"], told["clients"], told["pod-u1"]) == (0, timed_out, timed_out)
    assert told["entries"] == 0
    assert [told[f"gateway in turn {turn}"] for turn in range(3)] == [True, False, True]
    assert told["left"] == ["clients"]


def test_the_machines_own_run_is_not_hidden() -> None:
    with pytest.raises(RuntimeError, match="only the first process of a world"):
        own_run()


def test_what_is_missing_is_one_line_that_names_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(requirements, "search_path", lambda: str(tmp_path))
    line = requirements.missing(Path("/somewhere"))
    assert line
    assert line.endswith(f"apt-get install {' '.join(sorted(set(requirements.PROGRAMS.values())))}")
    assert "\n" not in line


def test_a_state_folder_under_run_is_refused() -> None:
    assert "--state-dir /run/user/7/s" in (requirements.missing(Path("/run/user/7/s")) or "")
