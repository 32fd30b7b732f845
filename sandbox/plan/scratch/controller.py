"""The real controller in the scratch cluster: its chart, rendered by helm, with what a plan needs changed."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.plan.errors import PlanError
from sandbox.plan.inputs.account import Account
from sandbox.tools import build, catalog, controllers

Object = dict[str, Any]
NAMESPACE: Final = "kube-system"
RELEASE: Final = "aws-load-balancer-controller"
USER: Final = "plan-controller"
"""The IAM user that the controller is in the scratch account."""
_HELM_SECONDS: Final = 60
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SERVICES: Final = ("Elastic Load Balancing v2", "WAFV2", "WAF Regional")
_DROPPED: Final = ("PodDisruptionBudget", "HorizontalPodAutoscaler", "ServiceMonitor")


@dataclass(frozen=True)
class Release:
    """A release of the controller that is built."""

    version: str
    """Such as 3.5.0."""
    executable: Path

    @property
    def chart(self) -> Path:
        """Its chart's folder."""
        return self.executable.with_name("chart")

    def definitions(self, *, gateways: bool) -> list[Object]:
        """Its CRDs; with `gateways` also those of Gateways, if it serves them.

        Without the Gateway API's CRDs the controller runs without Gateways.
        https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/pkg/gateway/crddetect
        """
        files = sorted((self.chart / "crds").glob("*crds.yaml" if gateways else "crds.yaml"))
        if gateways:
            standards = self.executable.with_name("gateway-api") / "experimental"
            files += sorted(standards.glob("gateway.networking*.yaml"))
        documents = (d for file in files for d in yaml.load_all(file.read_text(), _LOADER))
        return [d for d in documents if d and d["kind"] == "CustomResourceDefinition"]


def release(version: str, given: Mapping[str, str], report: build.Report) -> Release:
    """A release, built if it is not; the catalog's for an empty version.

    Args:
        version: such as 3.5.0.
        given: `--with`; `controller@VERSION` needs no build, and takes the chart of the sandbox's own controller.
        report: gets progress.

    Raises:
        build.BuildError: it cannot be built.
    """
    own = catalog.by_name(catalog.CONTROLLER)
    if f"controller@{version}" in given:
        build.ensure_files(own, report)
        return Release(version, build.place(own))
    if not version or version == catalog.release(own.version):
        return Release(catalog.release(own.version), build.ensure(own, report))
    return Release(version, build.ensure(controllers.tool(version, report), report))


def values(account: Account, vpc: str, keys: Mapping[str, str], version: str) -> Object:
    """The chart's values.

    One replica that waits for no election, and that does not spare an AWS which is nobody's: its own limits are for an
    account that others share.
    """
    return {
        "clusterName": account.cluster,
        "region": account.region,
        "vpcId": vpc,
        "replicaCount": 1,
        "image": {"tag": f"v{version}"},
        "env": dict(keys),
        "terminationGracePeriodSeconds": 0,
        # Roles are not applied: whoever names a Secret in an annotation has let the controller read it.
        "clusterSecretsPermissions": {"allowAllSecrets": True},
        "awsApiThrottle": [f"{service}:.*=1000:1000" for service in _SERVICES],
        "ingressMaxConcurrentReconciles": 8,
        "serviceMaxConcurrentReconciles": 8,
        "targetgroupbindingMaxConcurrentReconciles": 8,
    }


def rendered(chart: Path, given: Object, helm: str) -> list[Object]:
    """What helm makes of a chart.

    Raises:
        PlanError: it does not render.
    """
    command = [helm, "template", RELEASE, str(chart), "--namespace", NAMESPACE, "--values", "-"]
    done = subprocess.run(
        command, input=yaml.safe_dump(given), capture_output=True, text=True, check=False, timeout=_HELM_SECONDS
    )
    if done.returncode:
        raise PlanError(f"the controller's chart {chart} does not render: {' '.join(done.stderr.split())[-300:]}")
    return list(adapted(d for d in yaml.load_all(done.stdout, _LOADER) if d))


def adapted(documents: Iterable[Object]) -> Iterator[Object]:
    """The chart's objects as a plan has them, in the order in which they are applied: webhooks come last."""
    flat = [item for d in documents for item in (d["items"] if d["kind"] == "List" else [d])]
    for document in sorted(flat, key=lambda d: d["kind"].endswith("WebhookConfiguration")):
        if document["kind"] in _DROPPED:
            continue
        if document["kind"] == "Deployment":
            spec = document["spec"]
            # Two would both work on the plan, and the new one would wait for the old one's end.
            spec["strategy"] = {"type": "Recreate"}
            container = spec["template"]["spec"]["containers"][0]
            container["args"].append("--enable-leader-election=false")
        yield document
