"""Which executable each tool is: the one in `--with`, one that the user already has, or one that is built.

A user's executable is used if it has the version that the sandbox is tested with, or one that behaves the same. Nothing
that belongs to the user is changed.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.run.state import State, write_text
from sandbox.tools import build, controllers
from sandbox.tools.catalog import CONTROLLER, KUBERNETES_PROVIDER, by_name, release, wanted

Report = Callable[[str], object]

BUILT = "built"
GIVEN = "--with"
_ASSETS = "KUBEBUILDER_ASSETS"
_ASSET_PARTS = ("etcd", "kube-apiserver")
_ALL_PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")


@dataclass(frozen=True)
class Choice:
    """An executable, its version, and its origin."""

    path: str
    version: str
    source: str
    """`built`, `--with`, `PATH`, `KUBEBUILDER_ASSETS` or the folder of Pulumi's plugins."""

    def to_json(self) -> dict[str, str]:
        """As written in sandbox.json."""
        return asdict(self)


def choose(
    state: State,
    given: Mapping[str, str],
    report: Report,
    *,
    traffic: bool,
    controller_version: str | None = None,
    engine: bool = True,
) -> dict[str, Choice]:
    """Every tool that a sandbox needs before it starts, and those that are built on first use.

    Args:
        state: where a script may be written.
        given: `--with`, by name.
        report: gets progress, line by line.
        traffic: whether the sandbox carries packets.
        controller_version: the controller's release, if it is not the one of the catalog.
        engine: whether Pulumi programs are to run in it.

    Raises:
        build.BuildError: a tool cannot be built.
    """
    replaced = [name for name in ("pulumi", "kwok", "helm") if name in given]
    chosen = {name: Choice(given[name], _says(given[name], name), GIVEN) for name in replaced}
    needed = wanted(traffic=traffic, engine=engine)
    tools = {t.name: t for t in (*needed, by_name("helm"))}
    if controller_version and controller_version != release(by_name(CONTROLLER).version):
        tools[CONTROLLER] = controllers.tool(controller_version, report)
    if "controller" in given:
        # The chart still comes from the module, in the folder of the executable.
        build.ensure_files(tools[CONTROLLER], report)
        chosen[CONTROLLER] = Choice(str(build.place(tools[CONTROLLER])), "", GIVEN)
    for name in tools:
        if name not in chosen and (found := _found(name)):
            chosen[name] = found
    parts = _kube_parts(given)
    if parts.keys() >= set(_ALL_PARTS) and not traffic:
        tools.pop("control-plane")
    at_once = [t for t in tools.values() if t.name not in chosen and any(t.name == n.name for n in needed)]
    paths = build.ensure_all(at_once, report)
    for tool in tools.values():
        if tool.name not in chosen:
            chosen[tool.name] = Choice(str(paths.get(tool.name, build.place(tool))), tool.version, BUILT)
    if parts:
        chosen["control-plane"] = _dispatched(state, parts, chosen.get("control-plane"), given)
    return chosen


def _found(name: str) -> Choice | None:
    """The user's executable of a tool, or None."""
    if name == "pulumi":
        # An engine needs a language host beside it; then both are the user's.
        path = _on_path("pulumi")
        beside = path is not None and path.resolve().with_name("pulumi-language-python").exists()
        return Choice(str(path.resolve()), _says(path, name), "PATH") if path and beside else None
    if name == KUBERNETES_PROVIDER:
        home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
        version = by_name(name).version
        plugin = home / "plugins" / f"resource-kubernetes-v{version}" / KUBERNETES_PROVIDER
        return Choice(str(plugin), version, str(plugin.parents[1])) if os.access(plugin, os.X_OK) else None
    if name in ("kwok", "helm") and (path := _on_path(name)):
        version = _says(path, name)
        pinned = by_name(name).version
        # kwok's stages change between minor releases; every Helm since 3.8 does what the sandbox needs.
        usable = version.startswith(pinned.rpartition(".")[0] + ".") if name == "kwok" else version[:1] in ("3", "4")
        return Choice(str(path), version, "PATH") if usable else None
    return None


def _on_path(name: str) -> Path | None:
    """A user's command, ignoring the commands of a sandbox whose environment this is."""
    folder = os.environ.get("SANDBOX_STATE_DIR")
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept = [place for place in places if not folder or not place.startswith(folder)]
    found = shutil.which(name, path=os.pathsep.join(kept))
    return Path(found) if found else None


_VERSION_ARGUMENTS = {"pulumi": ["version"], "helm": ["version", "--short"]}
_NUMBER = re.compile(r"\d+\.\d+\.\d+[\w.+-]*")


def _says(path: str | Path, name: str) -> str:
    """The version that an executable prints, or `unknown`."""
    try:
        command = [str(path), *_VERSION_ARGUMENTS.get(name, ["--version"])]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    number = _NUMBER.search(done.stdout + done.stderr)
    return number.group() if number else "unknown"


def _kube_parts(given: Mapping[str, str]) -> dict[str, Path]:
    """Existing executables of the control plane: those in `--with kube=`, or in KUBEBUILDER_ASSETS."""
    if "kube" in given:
        return {part: Path(given["kube"], part) for part in (*_ALL_PARTS, "kube-proxy")}
    assets = Path(os.environ.get(_ASSETS, "")) if os.environ.get(_ASSETS) else None
    if assets is None or not all(os.access(assets / part, os.X_OK) for part in _ASSET_PARTS):
        return {}
    minor = by_name("control-plane").version.rpartition(".")[0]
    if not _says(assets / "kube-apiserver", "kube-apiserver").startswith(f"{minor}."):
        return {}
    return {part: assets / part for part in _ALL_PARTS if os.access(assets / part, os.X_OK)}


def _dispatched(state: State, parts: Mapping[str, Path], built: Choice | None, given: Mapping[str, str]) -> Choice:
    """One command for several executables, like the built one: the first argument names the part."""
    cases = [f'{part}) exec {shlex.quote(str(path))} "$@" ;;' for part, path in parts.items()]
    rest = f'exec {shlex.quote(built.path)} "$part" "$@"' if built else 'echo "no $part here" >&2; exit 2'
    script = state.root / "kube"
    write_text(script, "\n".join(["#!/bin/sh", 'part="$1"; shift', 'case "$part" in', *cases, "esac", rest, ""]))
    script.chmod(0o700)
    source = GIVEN if "kube" in given else _ASSETS
    return Choice(str(script), _says(parts["kube-apiserver"], "kube-apiserver"), source)
