"""Releases of the AWS Load Balancer Controller, and the Go module that each is built from.

Since 3.5.0 a release is a version of the module `sigs.k8s.io/aws-load-balancer-controller/v3`. The tags of earlier
releases do not match the module's path, so Go needs their commits: pseudo-versions of the repository's path. The table
has the commits of the tags at https://github.com/kubernetes-sigs/aws-load-balancer-controller/tags.
"""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sandbox.run.state import locked, write_text
from sandbox.tools import build
from sandbox.tools.catalog import CONTROLLER, CONTROLLER_MODULE, Tool, by_name, controller

_REPOSITORY: Final = "github.com/kubernetes-sigs/aws-load-balancer-controller"
_TAGGED: Final = f"{CONTROLLER_MODULE}/v3"
_FIRST_TAGGED: Final = (3, 5, 0)
_FIRST_WITH_GATEWAYS: Final = (2, 13, 0)
_LOOKUP_SECONDS: Final = 60

COMMITS: Final = {
    "2.8.0": "20240516234126-6afa4042433b",
    "2.8.1": "20240531193057-e6ce604adc07",
    "2.8.2": "20240809195826-f39ae43121c3",
    "2.8.3": "20240916233025-a1418f94a060",
    "2.9.0": "20240930203324-0700e85d3b75",
    "2.9.1": "20241011225909-e0f59c6c35f4",
    "2.9.2": "20241017200559-22fcc22790da",
    "2.10.0": "20241031225412-8416a4320aeb",
    "2.10.1": "20241122064454-2a63f05a5e0b",
    "2.11.0": "20241212190427-ba4152c1ba7c",
    "2.12.0": "20250308005243-ab69d951f7f4",
    "2.13.0": "20250506192115-73980cf11d1c",
    "2.13.1": "20250513211710-2d66bb1ae6ed",
    "2.13.2": "20250515164834-ac0e1ffc76ad",
    "2.13.3": "20250616192115-31ec9f041632",
    "2.13.4": "20250730175427-aefed36aa305",
    "2.14.0": "20251002041656-d847890e67b4",
    "2.14.1": "20251017213042-584e3fbbd09d",
    "2.15.0": "20251114005603-3b18c251d123",
    "2.16.0": "20251120210810-95b07ef8c01f",
    "2.17.0": "20251219172825-0f0cf4acb180",
    "2.17.1": "20260109171550-3b9bdb1e3fb2",
    "3.0.0": "20260123173528-eada2dbae991",
    "3.1.0": "20260224174935-250024dbcc7a",
    "3.2.0": "20260403192305-0fb5e3b7d704",
    "3.2.1": "20260406183131-5cd8e3bf6024",
    "3.2.2": "20260417234843-32e047bc1709",
    "3.3.0": "20260505182222-46816a2070db",
    "3.4.0": "20260602161751-3f1e9707ac4c",
    "3.4.1": "20260707185428-bc8331031ce9",
    "3.4.2": "20260713202347-22f6cd7fbfc3",
    "3.4.3": "20260728222100-ad671982ff6a",
}
"""The commit of each release before 3.5.0, in Go's format."""


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def module(release: str) -> str:
    """The Go module of a release, in the format of `go list -m`: path@version.

    Raises:
        build.BuildError: the table does not have this release.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", release):
        raise build.BuildError(f"controller version {release!r}: give a release such as 3.5.0")
    if release in COMMITS:
        return f"{_REPOSITORY}@v0.0.0-{COMMITS[release]}"
    if _numbers(release) >= _FIRST_TAGGED:
        return f"{_TAGGED}@v{release}"
    raise build.BuildError(
        f"controller version {release}: unknown release; the oldest one here is {next(iter(COMMITS))}"
    )


def requirement(release: str) -> str:
    """A `go.mod` that requires only this release."""
    path, _, version = module(release).partition("@")
    if path == _TAGGED:
        lines = [f"tool {path}", f"require {path} {version}"]
    else:
        placeholder = "v0.0.0-00010101000000-000000000000"
        lines = [
            f"replace {CONTROLLER_MODULE} => {path} {version}",
            f"tool {CONTROLLER_MODULE}",
            f"require {CONTROLLER_MODULE} {placeholder}",
        ]
    return "\n".join(["module sandbox/load-balancer-controller", "", "go 1.26.0", "", *lines, ""])


def tool(release: str, report: build.Report) -> Tool:
    """The controller of a release, as a tool that can be built. Its dependencies are resolved once, in the cache.

    Raises:
        build.BuildError: the release is unknown, or the module proxy does not serve it.
    """
    wanted = module(release)
    home = build.cache() / "modules" / f"load-balancer-controller-{release}"
    with locked(home.with_name(f"{home.name}.lock")):
        if not (home / "go.sum").exists():
            report(f"load-balancer-controller {release}: resolving its modules")
            _resolve(home, release, wanted)
    path = _TAGGED if wanted.startswith(_TAGGED) else CONTROLLER_MODULE
    return controller(f"v{release}", module=path, gateway_api=_numbers(release) >= _FIRST_WITH_GATEWAYS, folder=home)


def _resolve(home: Path, release: str, wanted: str) -> None:
    command = build.go(f"load-balancer-controller {release}")
    draft = home.with_name(f".{home.name}")
    shutil.rmtree(draft, ignore_errors=True)
    write_text(draft / "go.mod", requirement(release))
    done = subprocess.run(
        [command, "mod", "tidy"], cwd=draft, env=build.go_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(draft)
        served = available()
        words = re.sub(r"\s+", " ", done.stderr.strip())[-300:]
        raise build.BuildError(
            f"controller {release} cannot be built: your Go module proxy does not serve {wanted}. It serves "
            f"{', '.join(served) or 'no other release'}; the sandbox's own is {by_name(CONTROLLER).version}. "
            f"Or give a program with --with controller@{release}=PATH (go said: {words})"
        )
    shutil.rmtree(home, ignore_errors=True)
    draft.replace(home)


def available() -> list[str]:
    """The releases that the user's module proxy serves, oldest first."""
    command = build.go("load-balancer-controller")

    def ask(*arguments: str) -> str:
        try:
            done = subprocess.run(
                [command, "list", "-m", *arguments],
                env={**build.go_environment(), "GOFLAGS": "-mod=mod"},
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                timeout=_LOOKUP_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    with ThreadPoolExecutor(8) as lookups:
        tagged = lookups.submit(ask, "-versions", _TAGGED)
        commits = dict(zip(COMMITS, lookups.map(lambda release: ask(module(release)), COMMITS), strict=True))
    found = [release for release, answer in commits.items() if answer]
    return found + [word.removeprefix("v") for word in tagged.result().split()[1:]]
