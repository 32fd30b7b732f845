"""Charts under public names: what is packed, what is offered to whom, and what is refused."""

import io
import ssl
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sandbox.engine import chart_repository
from sandbox.engine.chart_repository import CONTROLLER_HOST, CONTROLLER_PATH, ChartError
from sandbox.run.processes import Process
from sandbox.run.state import Settings, State, read_json, write_json
from tests.chart import tool

_CONTROLLER = f"https://{CONTROLLER_HOST}{CONTROLLER_PATH}"


def a_chart(folder: Path, name: str, version: str) -> Path:
    """A chart's folder with a file that .helmignore leaves out."""
    made = folder / name
    (made / "templates").mkdir(parents=True)
    (made / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": name, "version": version}))
    (made / "templates" / "one.yaml").write_text("kind: ConfigMap\n")
    (made / "templates" / "scratch.tmp").write_text("not a template\n")
    (made / ".helmignore").write_text("*.tmp\n")
    return made


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return sorted(opened.getnames())


def test_a_folder_is_packed_without_what_helmignore_names(tmp_path: Path) -> None:
    chart = chart_repository.read(a_chart(tmp_path, "web", "1.2.3"))
    assert chart.file_name == "web-1.2.3.tgz"
    assert names(chart.archive) == ["web/.helmignore", "web/Chart.yaml", "web/templates/one.yaml"]


def test_an_archive_is_offered_as_it_is(tmp_path: Path) -> None:
    packed = tmp_path / "web.tgz"
    packed.write_bytes(chart_repository.read(a_chart(tmp_path, "web", "1.2.3")).archive)
    again = chart_repository.read(packed)
    assert (str(again), again.archive) == ("web 1.2.3", packed.read_bytes())


@pytest.mark.parametrize("content", [None, b"no archive"])
def test_an_invalid_chart_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "thing"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ChartError, match=rf"--chart {path}: .*Chart\.yaml"):
        chart_repository.read(path)


@pytest.fixture
def state(tmp_path: Path) -> Generator[State, None, None]:
    """A repository that runs, with the controller's chart 3.2.2."""
    made = State.at(tmp_path / "state")
    controller = tmp_path / "tool" / "load-balancer-controller"
    a_chart(controller.parent, "aws-load-balancer-controller", "3.2.2").rename(controller.with_name("chart"))
    tools = {"load-balancer-controller": str(controller)}
    settings = Settings("us-west-2", "1", {"aws": 1}, {"access_key": "A", "secret_key": "S"}, tools)
    write_json(made.settings_file, settings.to_json())
    chart_repository.prepare(made)
    command = [sys.executable, "-m", "sandbox.engine.chart_repository", "--state-dir", made.root]
    process = Process("charts", command, made.log("charts"))
    process.ready = lambda: chart_repository.identity_file(made).exists()
    process.start()
    process.wait_ready(30)
    yield made
    process.stop()


def offer(state: State, *charts: Path) -> None:
    settings = replace(state.settings(), charts=[str(chart) for chart in charts])
    write_json(state.settings_file, settings.to_json())


def fetched(state: State, url: str) -> bytes:
    """The answer for a client that has the proxy and trusts the authority."""
    folder = state.pulumi / "charts"
    proxy = f"http://127.0.0.1:{read_json(folder / 'ports.json')['proxy']}"
    context = ssl.create_default_context(cafile=str(folder / "authorities.pem"))
    handlers = (urllib.request.ProxyHandler({"https": proxy}), urllib.request.HTTPSHandler(context=context))
    with urllib.request.build_opener(*handlers).open(url, timeout=10) as answer:
        return answer.read()


def test_the_controllers_chart_is_found_under_its_public_address(state: State) -> None:
    index = yaml.safe_load(fetched(state, f"{_CONTROLLER}/index.yaml"))
    (entry,) = index["entries"]["aws-load-balancer-controller"]
    assert entry["version"] == "3.2.2"
    assert "aws-load-balancer-controller/Chart.yaml" in names(fetched(state, entry["urls"][0]))


def test_another_repository_is_refused_with_a_list_of_what_there_is(state: State) -> None:
    with pytest.raises(
        OSError, match=r"no chart of charts\.example\.com: it offers aws-load-balancer-controller 3\.2\.2"
    ):
        fetched(state, "https://charts.example.com/stable/index.yaml")


def test_a_chart_that_was_added_is_offered_under_whatever_repository_a_program_names(
    state: State, tmp_path: Path
) -> None:
    offer(state, a_chart(tmp_path, "web", "1.0.0"))
    for repository in ("https://charts.example.com/stable", _CONTROLLER):
        assert "web" in yaml.safe_load(fetched(state, f"{repository}/index.yaml"))["entries"]
    # The controller's chart has one address, as outside the sandbox.
    entries = yaml.safe_load(fetched(state, "https://charts.example.com/stable/index.yaml"))["entries"]
    assert "aws-load-balancer-controller" not in entries


def test_a_file_that_is_not_there_is_a_404_that_says_what_is(state: State) -> None:
    with pytest.raises(urllib.error.HTTPError, match="it offers aws-load-balancer-controller") as refused:
        fetched(state, f"{_CONTROLLER}/aws-load-balancer-controller-9.9.9.tgz")
    assert refused.value.code == 404


def test_the_gateway_apis_crds_are_found_under_the_address_of_the_release_that_the_controller_is_built_with(
    state: State,
) -> None:
    folder = Path(state.settings().tools["load-balancer-controller"]).with_name("gateway-api") / "standard"
    folder.mkdir(parents=True)
    for name in ("gateways", "httproutes"):
        marked = f"metadata:\n  annotations:\n    gateway.networking.k8s.io/bundle-version: v1.5.0\n  name: {name}\n"
        (folder / f"gateway.networking.k8s.io_{name}.yaml").write_text(marked)
    release = "https://github.com/kubernetes-sigs/gateway-api/releases/download"
    found = yaml.safe_load_all(fetched(state, f"{release}/v1.5.0/standard-install.yaml"))
    assert [each["metadata"]["name"] for each in found] == ["gateways", "httproutes"]
    for other in (f"{release}/v9.9.9/standard-install.yaml", "https://github.com/kubernetes-sigs/gateway-api"):
        with pytest.raises(urllib.error.HTTPError, match="no network"):
            fetched(state, other)


def test_clients_without_the_proxy_do_not_come_here(state: State) -> None:
    """Only the provider's and helm's scripts use the proxy: nothing else in the environment does."""
    assert set(chart_repository.environment(state)) == {"HTTPS_PROXY", "SSL_CERT_FILE"}
    assert (state.pulumi / "charts" / "authority.key").stat().st_mode & 0o077 == 0


@pytest.mark.sandbox
def test_helm_lists_what_there_is_when_a_version_is_not_found(state: State, tmp_path: Path) -> None:
    variables = chart_repository.environment(state)
    exports = "; ".join(f'export {name}="{value}"' for name, value in variables.items())
    wanted = f"pull aws-load-balancer-controller --version 9.9.9 --repo {_CONTROLLER}"
    script = f"{exports}; {tool('helm')} {wanted}; sleep 1"  # the script is the client whose error output gets the list
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "9.9.9" in done.stderr
    assert "this sandbox offers the charts aws-load-balancer-controller 3.2.2" in done.stderr
