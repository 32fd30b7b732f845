"""The engine's home inside the state folder: executables, plugins and backend.

pulumi/bin/       what goes first on PATH: pulumi, kubectl, helm, aws, the language host
pulumi/engine/    the real pulumi, with the language hosts for Python and YAML beside it
pulumi/home/      PULUMI_HOME: plugins/resource-NAME-vVERSION/pulumi-resource-NAME
pulumi/backend/   the stacks' states
pulumi/charts/    the files of `chart_repository`
pulumi/cache/     what kubectl and Helm keep
pulumi/tmp/       what the Kubernetes provider leaves behind: a kubeconfig for each command
"""

import os
import platform
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution, version
from pathlib import Path

from sandbox.engine import chart_repository
from sandbox.run.processes import Identity
from sandbox.run.state import State, read_json, write_text
from sandbox.tools.catalog import KUBERNETES_PROVIDER, LANGUAGE_YAML, by_name

STAND_INS = {"aws": "pulumi_aws", "eks": "pulumi_eks", "tls": "pulumi_tls"}
"""Provider plugin -> the SDK whose version its stand-in reports."""

PREFORK = "prefork.sock"
"""Where the prefork server listens, below the engine's folder."""
AWS_CLI = "aws-cli.sock"
"""Where the AWS CLI's prefork server listens."""
PASSPHRASE = "sandbox"  # noqa: S105 - well known on purpose
"""Encrypts the secrets of stacks. A stack's file can be checked in with its salt, because the passphrase is public. The
mode of the folder protects a sandbox's secrets.
"""

_SHORT_LIVED = {"GOGC": "${GOGC:-400}"}
"""Variables of Go programs that end soon: they lose more time by collecting garbage than they gain. With 400 percent
instead of 100 `pulumi` needs a tenth less CPU time (docs/measured/performance.md). https://go.dev/doc/gc-guide
"""

_PREFIX = "pulumi-resource-"


def prepare(state: State) -> None:
    """Create the engine's home. Repeatable: existing parts are kept or replaced as a whole."""
    settings = state.settings()
    root = state.pulumi
    for folder in ("bin", "engine", "home/plugins", "backend", "tmp"):
        (root / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    _without_automatic_log(root / "home" / "logs")
    chart_repository.prepare(state)
    _install_engine(root, Path(settings.tools["pulumi"]))
    # By default kubectl keeps for hours what the API server of an address serves; another sandbox can get the address.
    kubectl = {"KUBECACHEDIR": str(root / "cache" / "kubectl"), **_SHORT_LIVED}
    _script(root / "bin" / "kubectl", [settings.tools["control-plane"], "kubectl"], kubectl)
    charts = {**chart_repository.environment(state), "HELM_CACHE_HOME": str(root / "cache" / "helm")}
    _script(root / "bin" / "helm", [settings.tools["helm"]], charts, first_use="helm")
    # The CLI adds its folder to this variable when it is imported; a fork has the variables of its caller.
    cli_data = {
        "AWS_DATA_PATH": f"${{AWS_DATA_PATH:+$AWS_DATA_PATH:}}{distribution('awscli').locate_file('awscli/data')}"
    }
    _script(root / "bin" / "aws", _prefork(root / AWS_CLI, "awscli"), cli_data)
    for name, sdk in STAND_INS.items():
        replacement = settings.replacements.get(f"{_PREFIX}{name}")
        command = [replacement] if replacement else _prefork(root / PREFORK, f"sandbox.providers.{name}")
        _install_plugin(root / "home", name, version(sdk), command)
    provider = settings.replacements.get(KUBERNETES_PROVIDER) or settings.tools[KUBERNETES_PROVIDER]
    _install_plugin(
        root / "home",
        "kubernetes",
        by_name(KUBERNETES_PROVIDER).version,
        [provider],
        {**charts, **_SHORT_LIVED, "TMPDIR": str(root / "tmp")},
    )
    for given, path in settings.replacements.items():
        name = given.removeprefix(_PREFIX)
        if given.startswith(_PREFIX) and name not in {*STAND_INS, "kubernetes"}:
            # On the PATH, because no SDK of ours states which version a program needs.
            _script(root / "bin" / given, [path])
    release_dead_locks(root / "backend")


def environment(state: State) -> dict[str, str]:
    """What the engine must know about its home."""
    root = state.pulumi
    return {
        "PULUMI_HOME": str(root / "home"),
        "PULUMI_BACKEND_URL": f"file://{root / 'backend'}",
        # The engine saves its state at every step. Nobody needs a copy of each from a sandbox.
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def release_dead_locks(backend: Path) -> list[Path]:
    """Remove locks that a killed engine left on a stack, if its process was on this host and is gone.

    It does the same as `pulumi cancel`, for a lock whose owner is known to be dead.
    """
    released: list[Path] = []
    for lock in backend.glob(".pulumi/locks/**/*.json"):
        owner = read_json(lock) or {}
        if owner.get("hostname") == platform.node() and Identity.of(int(owner.get("pid", 0))) is None:
            lock.unlink(missing_ok=True)
            released.append(lock)
    return released


def _install_engine(root: Path, source: Path) -> None:
    """Put the engine on the PATH with its language hosts beside it, where the engine looks first."""
    host = "pulumi-language-python"
    if source.with_name(host).exists():
        _script(root / "bin" / "pulumi", [source], _SHORT_LIVED)
        return
    engine = root / "engine" / "pulumi"
    if not engine.exists() or not engine.samefile(source):
        engine.unlink(missing_ok=True)
        try:
            engine.hardlink_to(source)
        except OSError:
            # Another file system: a symbolic link would not work, because the engine resolves its own.
            shutil.copy2(source, engine)
    command = _prefork(root / PREFORK, "sandbox.engine.language_host")
    _script(root / "engine" / host, command, {"SANDBOX_PREFORK": str(root / PREFORK)})
    _install_yaml(root / "engine")
    _script(root / "bin" / "pulumi", [engine], _SHORT_LIVED)
    # The language hosts of other languages look for it on the PATH when a program uses a Python plugin.
    _link(root / "bin" / host, root / "engine" / host)


def _install_yaml(folder: Path) -> None:
    """Put the language host for YAML beside the engine, to be built when it is first used.

    It lies there itself, by a link: it looks for the one for Python beside its own executable.
    """
    host = shlex.quote(str(folder / f"yaml-{by_name(LANGUAGE_YAML).version}"))
    builder = f"{shlex.quote(sys.executable)} -m sandbox.tools {LANGUAGE_YAML}"
    linked = f'built=$({builder}) && {{ ln "$built" {host} 2>/dev/null || cp "$built" {host}; }}'
    write_text(folder / LANGUAGE_YAML, f'#!/bin/sh\n[ -x {host} ] || {{ {linked}; }} || exit 1\nexec {host} "$@"\n')
    (folder / LANGUAGE_YAML).chmod(0o700)


def _without_automatic_log(place: Path) -> None:
    """Keep the engine from logging every call: that takes a quarter of an `up` without changes, and has no switch.

    If it cannot create the folder, it continues without a log:
    https://github.com/pulumi/pulumi/blob/v3.276.0/pkg/cmd/pulumi/pulumi.go
    """
    if not place.exists():
        write_text(place, "The engine would write a log of every call here; in a sandbox it does not.\n")


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _prefork(socket: Path, module: str) -> list[str | Path]:
    """The command that starts a module as a fork."""
    return [sys.executable, "-S", "-E", Path(__file__).with_name("launch.py"), socket, module]


def _install_plugin(
    home: Path,
    name: str,
    plugin_version: str,
    command: Sequence[str | Path],
    variables: Mapping[str, str] | None = None,
) -> None:
    folder = home / "plugins" / f"resource-{name}-v{plugin_version}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _script(folder / f"{_PREFIX}{name}", command, variables)


def _script(
    path: Path, command: Sequence[str | Path], variables: Mapping[str, str] | None = None, *, first_use: str = ""
) -> None:
    """Write a script that becomes a command.

    Args:
        path: the script.
        command: the command, with its first arguments.
        variables: set for the command; the shell expands what they contain.
        first_use: the tool to build if the command does not exist yet.
    """
    words = " ".join(shlex.quote(str(c)) for c in command)
    lines = ["#!/bin/sh"]
    if first_use:
        builder = f"{shlex.quote(sys.executable)} -m sandbox.tools {first_use}"
        lines.append(f"[ -x {shlex.quote(str(command[0]))} ] || {builder} >/dev/null || exit 1")
    lines += [f'export {name}="{value}"' for name, value in (variables or {}).items()]
    write_text(path, "\n".join([*lines, f'exec {words} "$@"', ""]))
    path.chmod(0o700)


def path_prefix(state: State) -> str:
    """The first part of the PATH: the tools of this sandbox, then its Python environment."""
    return os.pathsep.join([str(state.pulumi / "bin"), str(Path(sys.executable).parent)])
