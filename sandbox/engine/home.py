"""The engine's home inside the state folder: executables, plugins, backend and passphrase.

pulumi/bin/       what goes first on PATH: pulumi (the shim), kubectl, helm, aws
pulumi/engine/    the real pulumi, with the language host beside it
pulumi/home/      PULUMI_HOME: plugins/resource-NAME-vVERSION/pulumi-resource-NAME
pulumi/backend/   the stacks' states
pulumi/copies/    the stacks' settings files with their salts (see `shim`)
pulumi/passphrase
"""

import os
import platform
import secrets
import shlex
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from sandbox.processes import Identity
from sandbox.state import State, read_json, write_text

STAND_INS = {"aws": "pulumi_aws", "eks": "pulumi_eks", "kubernetes": "pulumi_kubernetes", "tls": "pulumi_tls"}
"""Provider plugin -> the SDK whose version its stand-in answers for."""

PREFORK = "prefork.sock"
"""Where the prefork server listens, below the engine's folder."""

_PREFIX = "pulumi-resource-"


def prepare(state: State) -> None:
    """Lay out the engine's home. Repeatable: what is there already is kept or replaced whole."""
    settings = state.settings()
    root = state.pulumi
    for folder in ("bin", "engine", "home/plugins", "backend", "copies"):
        (root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = root / "passphrase"
    if not passphrase.exists():
        write_text(passphrase, secrets.token_urlsafe(32))
    engine = _install_engine(root, Path(settings.tools["pulumi"]))
    shim = Path(__file__).with_name("shim.py")
    _script(root / "bin" / "pulumi", [sys.executable, "-S", "-E", shim, engine, root / "copies"])
    _script(root / "bin" / "kubectl", [settings.tools["control-plane"], "kubectl"])
    for tool in ("helm", "aws"):
        _script(root / "bin" / tool, [settings.tools[tool]])
    for name, sdk in STAND_INS.items():
        replacement = settings.replacements.get(f"{_PREFIX}{name}")
        command = [replacement] if replacement else _prefork(root, f"sandbox.providers.{name}")
        _install_plugin(root / "home", name, version(sdk), command)
    for given, path in settings.replacements.items():
        name = given.removeprefix(_PREFIX)
        if given.startswith(_PREFIX) and name not in STAND_INS:
            # On PATH: no SDK of ours says which version of it a program asks for.
            _script(root / "bin" / given, [path])
    release_dead_locks(root / "backend")


def environment(state: State) -> dict[str, str]:
    """What the engine needs to know of its home."""
    root = state.pulumi
    return {
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_BACKEND_URL": f"file://{root / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(root / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def release_dead_locks(backend: Path) -> list[Path]:
    """Remove locks that a killed engine left on a stack: only of a process of this host that is gone.

    It is what `pulumi cancel` does for a lock whose owner is known to be dead.
    """
    released: list[Path] = []
    for lock in backend.glob(".pulumi/locks/**/*.json"):
        owner = read_json(lock) or {}
        if owner.get("hostname") == platform.node() and Identity.of(int(owner.get("pid", 0))) is None:
            lock.unlink(missing_ok=True)
            released.append(lock)
    return released


def _install_engine(root: Path, source: Path) -> Path:
    """Put the engine where the language host can lie beside it; the host's name is looked for there first."""
    beside = source.with_name("pulumi-language-python")
    if beside.exists():
        return source
    engine = root / "engine" / "pulumi"
    if not engine.exists() or not engine.samefile(source):
        engine.unlink(missing_ok=True)
        try:
            engine.hardlink_to(source)
        except OSError:
            # Another file system: a symbolic link would not do, the engine resolves its own.
            shutil.copy2(source, engine)
    command = _prefork(root, "sandbox.engine.language_host")
    _script(root / "engine" / "pulumi-language-python", ["env", f"SANDBOX_PREFORK={root / PREFORK}", *command])
    return engine


def _prefork(root: Path, module: str) -> list[str | Path]:
    """What starts one of our modules as a plugin."""
    return [sys.executable, "-S", "-E", Path(__file__).with_name("launch.py"), root / PREFORK, module]


def _install_plugin(home: Path, name: str, plugin_version: str, command: Sequence[str | Path]) -> None:
    folder = home / "plugins" / f"resource-{name}-v{plugin_version}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _script(folder / f"{_PREFIX}{name}", command)


def _script(path: Path, command: Sequence[str | Path]) -> None:
    words = " ".join(shlex.quote(str(c)) for c in command)
    write_text(path, f'#!/bin/sh\nexec {words} "$@"\n')
    path.chmod(0o700)


def path_prefix(state: State) -> str:
    """What goes in front of PATH: the tools of this sandbox, then the environment that it runs in."""
    return os.pathsep.join([str(state.pulumi / "bin"), str(Path(sys.executable).parent)])
