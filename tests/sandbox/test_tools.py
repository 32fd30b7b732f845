"""Tools: found when built, built when not, and a clear line when neither can be."""

import os
from pathlib import Path

import pytest

from sandbox.tools import build, catalog
from sandbox.tools.catalog import GoTool


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoTool:
    """A tool of one file, whose module lies in a folder of its own."""
    modules = tmp_path / "modules"
    (modules / "small").mkdir(parents=True)
    (modules / "small" / "go.mod").write_text("module small\n\ngo 1.21\n")
    (modules / "small" / "main.go").write_text('package main\n\nvar V string\n\nfunc main() { print("small " + V) }\n')
    monkeypatch.setattr(catalog, "MODULES", modules)
    return GoTool("small", "1.0", ".", variables=("main.V=1.0",), minutes=0.1)


def test_the_cache_lies_outside_the_checkout_and_knows_version_and_sources(cache: Path) -> None:
    tool = catalog.by_name("kwok")
    assert build.place(tool).is_relative_to(cache)
    assert f"kwok-{tool.version}-{tool.key()}" in str(build.place(tool))


def test_a_changed_source_is_another_build(small: GoTool) -> None:
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
def test_a_build_reports_and_leaves_a_working_executable(small: GoTool) -> None:
    told: list[str] = []
    executable = build.ensure(small, told.append)
    assert os.access(executable, os.X_OK)
    assert told[0].startswith("small 1.0: downloading its sources")
    assert told[-1].startswith("small 1.0: built in")
    assert [f.name for f in executable.parent.iterdir()] == ["small"]


@pytest.mark.usefixtures("cache")
def test_a_build_that_fails_names_the_compilers_words_and_leaves_nothing(small: GoTool) -> None:
    (small.module / "main.go").write_text("package main\n\nfunc main() { nothing }\n")
    with pytest.raises(build.BuildError, match=r"small 1\.0 does not build: .*undefined: nothing"):
        build.ensure(small, lambda _: None)
    assert not build.place(small).exists()


def test_progress_counts_packages_and_estimates_what_is_left() -> None:
    assert build.progress(50, 100, 30.0) == "compiled 50 of 100 packages (50%), about 36 s left"
    assert build.progress(100, 100, 60.0).endswith("about 7 s left")
