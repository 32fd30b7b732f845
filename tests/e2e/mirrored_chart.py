"""The controller's chart as a folder, as `helm pull --untar` leaves it: what a mirror hands out.

No registry serves the real one here. The sandbox's own rendering is turned into templates: it is given marks for
values, which become references to the values that Helm is given.
"""

import base64
from pathlib import Path
from typing import Any

import yaml

from sandbox.providers.kubernetes import chart

_PLAIN = ("clusterName", "region", "vpcId", "image.repository", "image.tag", "serviceAccount.name")
_IN_A_SECRET = ("webhookTLS.caCert", "webhookTLS.cert", "webhookTLS.key")


def write(folder: Path) -> Path:
    """Write the chart, and give its folder."""
    made = folder / chart.CHART
    (made / "templates").mkdir(parents=True)
    (made / "crds").mkdir()
    about = {"apiVersion": "v2", "name": chart.CHART, "version": chart.NEWEST, "appVersion": f"v{chart.NEWEST}"}
    (made / "Chart.yaml").write_text(yaml.safe_dump(about))
    objects = chart.render(chart.Release(chart.CHART, _mark("Release.Namespace")), _marked())
    definitions = [one for one in objects if one["kind"] == "CustomResourceDefinition"]
    (made / "crds" / "crds.yaml").write_text(yaml.safe_dump_all(definitions))
    text = yaml.safe_dump_all([one for one in objects if one not in definitions], width=10_000)
    text = text.replace(_mark("Release.Namespace"), "{{ .Release.Namespace }}")
    for path in _PLAIN:
        text = text.replace(_mark(path), f"{{{{ .Values.{path} }}}}")
    for path in _IN_A_SECRET:
        text = text.replace(base64.b64encode(_mark(path).encode()).decode(), f"{{{{ .Values.{path} | b64enc }}}}")
    (made / "templates" / "all.yaml").write_text(text)
    return made


def _mark(path: str) -> str:
    return f"value-of-{path.lower().replace('.', '-')}"


def _marked() -> dict[str, Any]:
    values: dict[str, Any] = {"serviceAccount": {"create": False}, "defaultTargetType": "ip"}
    for path in (*_PLAIN, *_IN_A_SECRET):
        section, _, key = path.rpartition(".")
        (values.setdefault(section, {}) if section else values)[key] = _mark(path)
    return values
