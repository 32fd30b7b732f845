"""The Gateway API's own CRDs, as its Go module brings them: a megabyte of schemas that need not be carried twice.

Apache-2.0, https://github.com/kubernetes-sigs/gateway-api
"""

import functools
import json
import subprocess
from pathlib import Path

VERSION = "v1.6.0"
_MODULE = "sigs.k8s.io/gateway-api"
_SUM = "h1:735YBRj5NXFrOGX0GoSjwzUIzbz8kiEOfADsqHFmHgE="
_KINDS = ("gatewayclasses", "gateways", "listenersets", "referencegrants")
_ROUTES = ("httproutes", "grpcroutes", "tcproutes", "tlsroutes", "udproutes")


@functools.cache
def standard_channel() -> tuple[Path, ...]:
    """The files of the standard channel's CRDs that the controller has to do with; downloaded once."""
    done = subprocess.run(["go", "mod", "download", "-json", f"{_MODULE}@{VERSION}"], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found["Sum"] == _SUM, f"{_MODULE} {VERSION} is not what it was: {found['Sum']}"
    folder = Path(found["Dir"]) / "config" / "crd" / "standard"
    return tuple(folder / f"gateway.networking.k8s.io_{plural}.yaml" for plural in (*_KINDS, *_ROUTES))
