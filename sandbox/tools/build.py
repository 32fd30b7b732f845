"""Builds a tool of the catalog, or finds an earlier build.

The cache is `$XDG_CACHE_HOME/eks-load-balancing` (or `~/.cache/…`), with one folder for each tool, version and key. A
build writes to a draft and renames it at the end, under a lock. So an interrupted build leaves nothing that looks
finished, and two builds of the same tool become one.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.run.state import locked
from sandbox.tools.catalog import Tool

Report = Callable[[str], object]
"""Takes one line at a time, at most a few per second."""


class BuildError(Exception):
    """A tool cannot be built; the message is one line with the remedy."""


def cache() -> Path:
    """The folder of all built tools."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "eks-load-balancing" / "tools"


def folder(tool: Tool) -> Path:
    """The folder of a built tool."""
    return cache() / f"{tool.name}-{tool.version}-{tool.key()}"


def place(tool: Tool) -> Path:
    """The path of the tool's executable, whether or not it is built."""
    return folder(tool) / tool.name


def missing(tools: Iterable[Tool]) -> list[Tool]:
    """Those of `tools` that are not built yet."""
    return [t for t in tools if not place(t).exists()]


def ensure_all(tools: Sequence[Tool], report: Report) -> dict[str, Path]:
    """The executables of `tools` by name, in the given order.

    While one tool compiles, the sources of the next ones download.

    Raises:
        BuildError: one of them cannot be built.
    """
    todo = missing(tools)
    if todo:
        minutes = sum(t.minutes for t in todo)
        names = ", ".join(t.name for t in todo)
        what = names if len(todo) == 1 else f"{len(todo)} tools: {names}"
        report(f"building {what}; once, about {minutes:.0f} min on 2 cores")
    with ThreadPoolExecutor(1, "download") as ahead:
        later = [ahead.submit(_download, t) for t in todo[1:]]
        try:
            return {t.name: ensure(t, report) for t in tools}
        finally:
            for download in later:
                download.cancel()


def ensure(tool: Tool, report: Report) -> Path:
    """The tool's executable; built first if it is missing.

    Raises:
        BuildError: it cannot be built here.
    """
    executable = place(tool)
    if executable.exists():
        return executable
    home = folder(tool)
    with locked(home.with_name(f"{home.name}.lock")):
        if not executable.exists():
            _build(tool, executable, report)
    return executable


def ensure_files(tool: Tool, report: Report) -> None:
    """The files that a tool's module contains, without its executable.

    Raises:
        BuildError: they are not available.
    """
    home = folder(tool)
    if not all((home / file.name).exists() for file in tool.files):
        report(f"{tool.name} {tool.version}: downloading {', '.join(file.name for file in tool.files)}")
        home.mkdir(parents=True, exist_ok=True)
        with locked(home.with_name(f"{home.name}.lock")):
            _copy_files(tool, go(tool.name), home)


def go_environment() -> dict[str, str]:
    """The environment of every `go` command: static executables without paths of this machine."""
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath", "GOWORK": "off"}


def go(what: str) -> str:
    """The path of the `go` command.

    Raises:
        BuildError: it is missing; `what` is the tool that needs it.
    """
    found = shutil.which("go")
    if found is None:
        raise BuildError(
            f"{what} is not built and there is no `go` on PATH to build it with: "
            "install Go 1.26 or later (https://go.dev/dl), or name a built one with `--with`"
        )
    return found


def _download(tool: Tool) -> None:
    """Fetch a tool's sources. The build reports errors, because it meets them again."""
    if command := shutil.which("go"):
        listing = [command, "list", "-deps", "-f", "{{.ImportPath}}", tool.package]
        subprocess.run(listing, cwd=tool.module, env=go_environment(), capture_output=True, check=False)


def _build(tool: Tool, executable: Path, report: Report) -> None:
    command = go(f"{tool.name} {tool.version}")
    environment = go_environment()
    begun = time.monotonic()
    report(f"{tool.name} {tool.version}: downloading its sources (about {tool.minutes:.0f} min in all on 2 cores)")
    listing = [command, "list", "-deps", *tool.build_flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", tool.package]
    stale = _run(listing, tool, environment)
    total = max(len(stale.split()), 1)
    draft = executable.with_name(f".{executable.name}.{os.getpid()}")
    executable.parent.mkdir(parents=True, exist_ok=True)
    build = [command, "build", "-v", *tool.build_flags, "-o", str(draft), tool.package]
    compile_begun = time.monotonic()
    with subprocess.Popen(
        build, cwd=tool.module, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 - says to the type checker what PIPE means
        last: list[str] = []
        reported, interval = 0.0, 1 if sys.stderr.isatty() else 15  # a log of CI keeps every line
        for done, line in enumerate(process.stderr, 1):
            last = [*last[-4:], line.strip()]
            now = time.monotonic()
            if now - reported > interval:
                reported = now
                report(f"{tool.name} {tool.version}: {progress(done, total, now - compile_begun)}")
    if process.returncode:
        draft.unlink(missing_ok=True)
        raise BuildError(f"{tool.name} {tool.version} failed to build: {' | '.join(last)}")
    _copy_files(tool, command, executable.parent)
    draft.replace(executable)
    report(f"{tool.name} {tool.version}: built in {time.monotonic() - begun:.0f} s")


def _copy_files(tool: Tool, command: str, home: Path) -> None:
    for file in tool.files:
        root = _run([command, "list", "-m", "-f", "{{.Dir}}", file.module], tool, go_environment()).strip()
        if not root:
            _run([command, "mod", "download", file.module], tool, go_environment())
            root = _run([command, "list", "-m", "-f", "{{.Dir}}", file.module], tool, go_environment()).strip()
        _copy(Path(root, file.path), home / file.name)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder from the module cache, whose files are read-only."""
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    else:
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)


def progress(done: int, total: int, elapsed: float) -> str:
    """The progress of a compilation of `total` packages after `elapsed` seconds, with an estimate of the rest."""
    share = min(done / total, 0.99)
    # Linking counts as a tenth of the work: it is one step, and `go build` prints no package for it.
    remaining = elapsed / share * 1.1 - elapsed if share else 0.0
    return f"compiled {min(done, total)} of {total} packages ({share:.0%}), about {max(remaining, 1):.0f} s left"


def _run(command: list[str], tool: Tool, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=tool.module, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        words = re.sub(r"\s+", " ", done.stderr.strip())[-400:]
        raise BuildError(f"{tool.name} {tool.version} failed to build: {words}")
    return done.stdout
