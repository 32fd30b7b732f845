"""Build a tool of the catalog, or find it built already.

The cache is `$XDG_CACHE_HOME/eks-load-balancing` (or `~/.cache/…`), one folder a tool, version and key. A build writes
beside its place and moves in when it is whole, under a lock: interrupted builds leave nothing that looks finished, and
two builds of the same tool are one.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.state import locked
from sandbox.tools.catalog import GoTool, PythonTool, Tool

Report = Callable[[str], object]
"""Told what happens, one line at a time, at most a few times a second."""


class BuildError(Exception):
    """Why a tool cannot be built, in one line that names the remedy."""


def cache() -> Path:
    """The folder of all built tools."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "eks-load-balancing" / "tools"


def place(tool: Tool) -> Path:
    """Where the built executable stands, or will."""
    folder = cache() / f"{tool.name}-{tool.version}-{tool.key()}"
    return folder / "bin" / "aws" if isinstance(tool, PythonTool) else folder / tool.name


def missing(tools: Iterable[Tool]) -> list[Tool]:
    """Those of `tools` that are not built yet."""
    return [t for t in tools if not place(t).exists()]


def ensure(tool: Tool, report: Report) -> Path:
    """The tool's executable; built if it is not there.

    Raises:
        BuildError: it cannot be built here.
    """
    executable = place(tool)
    if executable.exists():
        return executable
    folder = executable.parent if isinstance(tool, GoTool) else executable.parent.parent
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not executable.exists():
            if isinstance(tool, GoTool):
                _build_go(tool, executable, report)
            else:
                _build_python(tool, folder, report)
    return executable


def _build_go(tool: GoTool, executable: Path, report: Report) -> None:
    go = shutil.which("go")
    if go is None:
        raise BuildError(
            f"{tool.name} {tool.version} is not built and there is no `go` on PATH to build it with: "
            "install Go 1.26 or later (https://go.dev/dl), or name a built one with `--with`"
        )
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-trimpath", "GOWORK": "off"}
    begun = time.monotonic()
    report(f"{tool.name} {tool.version}: downloading its sources (about {tool.minutes:.0f} min in all on 2 cores)")
    flags = ["-ldflags", tool.ldflags]
    listing = [go, "list", "-deps", *flags, "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", tool.package]
    stale = _run(listing, tool, environment)
    total = max(len(stale.split()), 1)
    draft = executable.with_name(f".{executable.name}.{os.getpid()}")
    executable.parent.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-v", *flags, "-o", str(draft), tool.package]
    compile_begun = time.monotonic()
    with subprocess.Popen(
        command, cwd=tool.module, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 - says to the type checker what PIPE means
        last: list[str] = []
        told = 0.0
        for done, line in enumerate(process.stderr, 1):
            last = [*last[-4:], line.strip()]
            now = time.monotonic()
            if now - told > 1:
                told = now
                report(f"{tool.name} {tool.version}: {progress(done, total, now - compile_begun)}")
    if process.returncode:
        draft.unlink(missing_ok=True)
        raise BuildError(f"{tool.name} {tool.version} does not build: {' | '.join(last)}")
    draft.replace(executable)
    report(f"{tool.name} {tool.version}: built in {time.monotonic() - begun:.0f} s")


def progress(done: int, total: int, elapsed: float) -> str:
    """How far a compilation of `total` packages is after `elapsed` seconds, and about how long it still takes."""
    share = min(done / total, 0.99)
    # The link at the end counts as a tenth of the work: it is one step that no package is printed for.
    remaining = elapsed / share * 1.1 - elapsed if share else 0.0
    return f"compiled {min(done, total)} of {total} packages ({share:.0%}), about {max(remaining, 1):.0f} s left"


def _build_python(tool: PythonTool, folder: Path, report: Report) -> None:
    begun = time.monotonic()
    report(f"{tool.distribution} {tool.version}: installing (about {tool.minutes * 60:.0f} s)")
    # An environment knows its own path, so it cannot be moved in when whole: the executable is made last, by pip.
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], tool, dict(os.environ))
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        _run([*pip, *tool.requirements], tool, dict(os.environ))
    except BuildError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    report(f"{tool.distribution} {tool.version}: installed in {time.monotonic() - begun:.0f} s")


def _run(command: list[str], tool: Tool, environment: dict[str, str]) -> str:
    cwd = tool.module if isinstance(tool, GoTool) else None
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        words = re.sub(r"\s+", " ", done.stderr.strip())[-400:]
        raise BuildError(f"{tool.name} {tool.version} does not build: {words}")
    return done.stdout
