"""Tools: found when built, built when missing, and a clear line if neither is possible."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.run.state import State
from sandbox.tools import build, catalog, choose, controllers
from sandbox.tools.catalog import Tool


@pytest.fixture(scope="module")
def go_cache() -> str:
    """Go's own cache, also while XDG_CACHE_HOME is another: otherwise each test compiles Go's standard library."""
    return subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def cache(tmp_path: Path, go_cache: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOCACHE", go_cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A tool of one file, whose module lies in a folder of its own."""
    modules = tmp_path / "modules"
    (modules / "small").mkdir(parents=True)
    (modules / "small" / "go.mod").write_text("module small\n\ngo 1.21\n")
    (modules / "small" / "main.go").write_text('package main\n\nvar V string\n\nfunc main() { print("small " + V) }\n')
    monkeypatch.setattr(catalog, "MODULES", modules)
    return Tool("small", "1.0", ".", variables=("main.V=1.0",), minutes=0.1)


def test_the_cache_lies_outside_the_checkout_and_knows_version_and_sources(cache: Path) -> None:
    tool = catalog.by_name("kwok")
    assert build.place(tool).is_relative_to(cache)
    assert f"kwok-{tool.version}-{tool.key()}" in str(build.place(tool))


def test_a_changed_source_is_another_build(small: Tool) -> None:
    before = small.key()
    (small.module / "main.go").write_text("package main\n\nfunc main() {}\n")
    assert small.key() != before


def test_a_missing_go_is_one_line_that_says_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(
        build.BuildError, match=r"kwok 0\.8\.0 is not built and there is no `go` on PATH.*install Go 1\.26"
    ):
        build.ensure(catalog.by_name("kwok"), lambda _: None)


@pytest.mark.usefixtures("cache")
def test_a_built_tool_needs_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = catalog.by_name("helm")
    build.place(tool).parent.mkdir(parents=True)
    build.place(tool).touch()
    monkeypatch.setenv("PATH", "")
    assert build.ensure(tool, lambda _: None) == build.place(tool)
    assert tool not in build.missing(catalog.CATALOG)


@pytest.mark.usefixtures("cache")
def test_a_build_reports_and_leaves_a_working_executable(small: Tool) -> None:
    told: list[str] = []
    executable = build.ensure(small, told.append)
    assert os.access(executable, os.X_OK)
    assert told[0].startswith("small 1.0: downloading its sources")
    assert told[-1].startswith("small 1.0: built in")
    assert [f.name for f in executable.parent.iterdir()] == ["small"]


@pytest.mark.usefixtures("cache")
def test_a_build_that_fails_names_the_compilers_words_and_leaves_nothing(small: Tool) -> None:
    (small.module / "main.go").write_text("package main\n\nfunc main() { nothing }\n")
    with pytest.raises(build.BuildError, match=r"small 1\.0 failed to build: .*undefined: nothing"):
        build.ensure(small, lambda _: None)
    assert not build.place(small).exists()


def test_progress_counts_packages_and_estimates_what_is_left() -> None:
    assert build.progress(50, 100, 30.0) == "compiled 50 of 100 packages (50%), about 36 s left"
    assert build.progress(100, 100, 60.0).endswith("about 7 s left")


@pytest.mark.usefixtures("cache")
def test_a_modules_files_are_beside_the_executable_and_writable(small: Tool) -> None:
    (small.module / "chart").mkdir()
    (small.module / "chart" / "Chart.yaml").write_text("name: small\n")
    (small.module / "chart" / "Chart.yaml").chmod(0o400)
    tool = replace(small, files=(catalog.ModuleFiles("chart", "small", "chart"),))
    executable = build.ensure(tool, lambda _: None)
    (executable.parent / "chart" / "Chart.yaml").write_text("name: other\n")


@pytest.mark.usefixtures("cache")
def test_a_modules_files_are_available_without_a_build(small: Tool) -> None:
    (small.module / "chart").mkdir()
    (small.module / "chart" / "Chart.yaml").write_text("name: small\n")
    tool = replace(small, files=(catalog.ModuleFiles("chart", "small", "chart"),))
    build.ensure_files(tool, lambda _: None)
    assert (build.folder(tool) / "chart" / "Chart.yaml").exists()
    assert not build.place(tool).exists()


@pytest.mark.usefixtures("cache")
def test_tools_are_built_in_order_and_the_first_line_says_how_many(small: Tool) -> None:
    told: list[str] = []
    other = replace(small, name="other", folder=small.module)
    assert list(build.ensure_all([small, other], told.append)) == ["small", "other"]
    assert told[0] == "building 2 tools: small, other; once, about 0 min on 2 cores"
    built = [line.split(" ")[0] for line in told if "built in" in line]
    assert built == ["small", "other"]


@pytest.mark.usefixtures("cache")
def test_another_optimisation_is_another_build(small: Tool) -> None:
    assert replace(small, unoptimised="small/...").key() != small.key()


def test_make_up_builds_neither_helm_nor_the_cloud_controller_manager() -> None:
    assert {t.name for t in catalog.wanted(traffic=False)} == {
        "pulumi",
        "pulumi-resource-kubernetes",
        "control-plane",
        "kwok",
        "load-balancer-controller",
    }


# The user's own executables.


def script(path: Path, prints: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, choose.Choice]]:
    """The choice with some executables on the PATH; nothing is built."""
    monkeypatch.setattr(build, "ensure_all", lambda tools, _: {t.name: build.place(t) for t in tools})
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SANDBOX_STATE_DIR", raising=False)
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)

    def choice(*, given: dict[str, str] | None = None, **prints: str) -> dict[str, choose.Choice]:
        for name, text in prints.items():
            script(tmp_path / "bin" / name.replace("_", "-"), text)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        return choose.choose(State.at(tmp_path / "state"), given or {}, lambda _: None, traffic=False)

    return choice


def test_what_nobody_has_is_built(chosen: Callable[..., dict[str, choose.Choice]]) -> None:
    found = chosen()
    assert {choice.source for choice in found.values()} == {"built"}
    assert found["load-balancer-controller"].version == catalog.by_name("load-balancer-controller").version


def test_a_kwok_on_path_is_used_if_it_is_of_the_same_minor_release(
    chosen: Callable[..., dict[str, choose.Choice]],
) -> None:
    assert chosen(kwok="kwok version v0.8.9 (linux)")["kwok"].source == "PATH"
    assert chosen(kwok="kwok version v0.5.0 (linux)")["kwok"].source == "built"


def test_pulumi_on_path_is_used_if_its_language_host_is_beside_it(
    chosen: Callable[..., dict[str, choose.Choice]],
) -> None:
    assert chosen(pulumi="v3.100.0")["pulumi"].source == "built"
    found = chosen(pulumi="v3.100.0", pulumi_language_python="")["pulumi"]
    assert (found.source, found.version) == ("PATH", "3.100.0")


def test_the_providers_plugin_of_the_right_version_is_used(
    chosen: Callable[..., dict[str, choose.Choice]], tmp_path: Path
) -> None:
    name = "pulumi-resource-kubernetes"
    script(tmp_path / "home" / "plugins" / "resource-kubernetes-v4.0.0" / name, "")
    assert chosen()[name].source == "built"
    version = catalog.by_name(name).version
    script(tmp_path / "home" / "plugins" / f"resource-kubernetes-v{version}" / name, "")
    assert chosen()[name].source == str(tmp_path / "home" / "plugins")


@pytest.mark.parametrize(("version", "source"), [("1.36.0", "KUBEBUILDER_ASSETS"), ("1.30.0", "built")])
def test_etcd_and_the_api_server_of_kubebuilder_run_if_they_are_of_the_same_minor_release(
    chosen: Callable[..., dict[str, choose.Choice]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    source: str,
) -> None:
    assets = tmp_path / "assets"
    for part in ("etcd", "kube-apiserver"):
        script(assets / part, f"the {part} of kubebuilder, Kubernetes v{version}")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    found = chosen()["control-plane"]
    assert found.source == source
    if source != "built":
        done = subprocess.run([found.path, "etcd"], capture_output=True, text=True, check=False)
        assert "the etcd of kubebuilder" in done.stdout
        assert str(build.place(catalog.by_name("control-plane"))) in Path(found.path).read_text()


def test_a_controller_that_was_given_leaves_the_chart_where_the_build_would_put_it(
    chosen: Callable[..., dict[str, choose.Choice]], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(build, "ensure_files", lambda tool, _: fetched.append(tool.name))
    found = chosen(given={"controller": "/bin/true"})["load-balancer-controller"]
    assert (found.source, fetched) == ("--with", ["load-balancer-controller"])


# Releases of the controller.


def test_a_release_since_3_5_is_a_version_of_its_module_and_an_earlier_one_a_commit() -> None:
    assert controllers.module("3.6.1") == "sigs.k8s.io/aws-load-balancer-controller/v3@v3.6.1"
    assert controllers.module("2.12.0").endswith("@v0.0.0-20250308005243-ab69d951f7f4")
    assert "replace sigs.k8s.io/aws-load-balancer-controller => github.com/" in controllers.requirement("2.12.0")
    assert "replace" not in controllers.requirement("3.5.0")


@pytest.mark.parametrize(("release", "words"), [("v3", "give a release such as 3.5.0"), ("3.2.9", "unknown release")])
def test_a_release_that_never_was_is_refused(release: str, words: str) -> None:
    with pytest.raises(build.BuildError, match=words):
        controllers.module(release)


@pytest.mark.usefixtures("cache")
def test_a_release_that_the_module_proxy_does_not_serve_says_which_ones_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = controllers.COMMITS["3.0.0"]
    fake = f"""#!/bin/sh
case "$*" in
  "mod tidy") echo "reading v9: 404 Not Found" >&2; exit 1 ;;
  *{served}) echo ok ;;
  *-versions*) echo "sigs.k8s.io/aws-load-balancer-controller/v3 v3.5.0 v3.6.0" ;;
  *) exit 1 ;;
esac
"""
    (tmp_path / "go").write_text(fake)
    (tmp_path / "go").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(build.BuildError, match=r"does not serve .*v3@v3\.9\.0\. It serves 3\.0\.0, 3\.5\.0, 3\.6\.0;"):
        controllers.tool("3.9.0", lambda _: None)
