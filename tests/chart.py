"""The controller's chart, CRDs and the Gateway API's CRDs, as the controller's Go module carries them."""

import functools
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

_GATEWAY_KINDS = (
    *("gatewayclasses", "gateways", "listenersets", "referencegrants"),
    *("httproutes", "grpcroutes", "tcproutes", "tlsroutes", "udproutes"),
)


def tool(name: str) -> Path:
    """The executable of a tool. Tests that use it are marked `sandbox`, so it is built before."""
    return Path(os.environ["SANDBOX_TOOLS"], name).resolve()


def folder() -> Path:
    """The chart's folder."""
    return tool("load-balancer-controller").with_name("chart")


def gateway_api() -> tuple[Path, ...]:
    """The files of the CRDs of the Gateway API that the controller watches."""
    crds = tool("load-balancer-controller").with_name("gateway-api") / "experimental"
    return tuple(crds / f"gateway.networking.k8s.io_{plural}.yaml" for plural in _GATEWAY_KINDS)


@functools.cache
def definitions() -> tuple[dict[str, Any], ...]:
    """The chart's CRDs."""
    documents = (d for f in sorted((folder() / "crds").glob("*crds.yaml")) for d in yaml.safe_load_all(f.read_text()))
    return tuple(d for d in documents if d and d["kind"] == "CustomResourceDefinition")


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The output of helm for the chart with these values, without CRDs."""
    command = [str(tool("helm")), "template", "release", str(folder()), "--namespace", "kube-system", "--values", "-"]
    done = subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]
