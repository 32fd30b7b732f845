"""Charts that are folders on this machine, rendered by the real Helm."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.providers.common.server import ProviderError

SECONDS: Final = 120


@dataclass(frozen=True)
class Template:
    """One call of `helm template`."""

    chart: str
    name: str
    namespace: str
    values: Mapping[str, Any]
    crds: bool = True
    dependency_update: bool = False
    kube_version: str | None = None
    api_versions: Sequence[str] = ()


def is_local(chart: str) -> bool:
    """Whether a chart is a folder or an archive on this machine."""
    path = Path(chart)
    return (path / "Chart.yaml").is_file() or (path.is_file() and path.suffix in (".tgz", ".gz"))


def find() -> str:
    """The Helm to call: the environment's SANDBOX_HELM, else the one on PATH.

    Raises:
        ProviderError: There is none.
    """
    helm = os.environ.get("SANDBOX_HELM") or shutil.which("helm")
    if not helm:
        raise ProviderError("a chart given as a folder needs helm: put it on PATH, or `sandbox up --with helm=PATH`")
    return helm


async def template(call: Template) -> str:
    """The YAML that Helm makes of a chart, without hooks, as pulumi-kubernetes asks for it.

    Raises:
        ProviderError: There is no Helm, or it failed; the message is its own.
    """
    with tempfile.TemporaryDirectory() as folder:
        values = Path(folder) / "values.yaml"
        values.touch(mode=0o600)
        values.write_text(yaml.safe_dump(dict(call.values)))
        argv = [find(), "template", call.name, call.chart, "--namespace", call.namespace, "--values", str(values)]
        argv += ["--no-hooks", *(["--include-crds"] if call.crds else ["--skip-crds"])]
        argv += ["--dependency-update"] if call.dependency_update else []
        argv += ["--kube-version", call.kube_version] if call.kube_version else []
        argv += [word for version in call.api_versions for word in ("--api-versions", version)]
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
        except OSError as error:
            raise ProviderError(f"{argv[0]} cannot be run: {error.strerror}") from error
        try:
            out, err = await asyncio.wait_for(process.communicate(), SECONDS)
        except TimeoutError as error:
            process.kill()
            raise ProviderError(f"helm did not render {call.chart} within {SECONDS} s") from error
    if process.returncode:
        said = " ".join(
            err.decode(errors="replace").removesuffix("Use --debug flag to render out invalid YAML\n").split()
        )
        raise ProviderError(f"helm cannot render {call.chart}: {said}")
    return out.decode()
