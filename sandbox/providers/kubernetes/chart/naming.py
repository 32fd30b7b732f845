"""How the chart names and labels what it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.providers.kubernetes.chart.releases import CHARTS, NEWEST, ChartVersion

CHART: Final = "aws-load-balancer-controller"
_LONGEST, _LONGEST_PREFIX = 63, 42


@dataclass(frozen=True)
class Release:
    """One installation of the chart."""

    name: str
    namespace: str
    version: str = NEWEST
    """The chart's, one of `CHARTS`."""


@dataclass(frozen=True)
class Names:
    """The names and labels of one release with its values."""

    release: Release
    values: Mapping[str, Any]

    @property
    def chart(self) -> ChartVersion:
        """The version of the chart that names them."""
        return CHARTS[self.release.version]

    @property
    def app(self) -> str:
        """The label `app.kubernetes.io/name`, which the webhooks leave alone."""
        return _cut(self.values["nameOverride"] or CHART, _LONGEST)

    @property
    def full(self) -> str:
        """The Deployment's name, and the beginning of most others."""
        if override := self.values["fullnameOverride"]:
            return _cut(override, _LONGEST)
        name = self.values["nameOverride"] or CHART
        release = self.release.name
        return _cut(release if name in release else f"{release}-{name}", _LONGEST)

    @property
    def prefix(self) -> str:
        """The beginning of the webhooks' names."""
        return _cut(self.values["nameOverride"] or CHART.removesuffix("-controller"), _LONGEST_PREFIX)

    @property
    def webhook_service(self) -> str:
        """The Service behind which the webhooks answer."""
        return f"{self.prefix}-webhook-service"

    @property
    def certificate(self) -> str:
        """The Secret that holds the serving certificate."""
        return f"{self.prefix}-tls"

    @property
    def service_account(self) -> str:
        """The service account that the controller runs as."""
        account = self.values["serviceAccount"]
        return account["name"] or (self.full if account["create"] else "default")

    @property
    def ingress_class_params(self) -> str:
        """The IngressClassParams that the IngressClass points to."""
        return self.values["ingressClassParams"]["name"] or self.values["ingressClass"]

    @property
    def selector(self) -> dict[str, str]:
        """The labels that select the controller's pods."""
        return {"app.kubernetes.io/name": self.app, "app.kubernetes.io/instance": self.release.name}

    @property
    def labels(self) -> dict[str, str]:
        """The labels of everything that the chart makes."""
        by_helm = {"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": f"{CHART}-{self.chart.chart}"}
        return {
            **(by_helm if (self.values["creator"] or "helm") == "helm" else {}),
            **self.selector,
            "app.kubernetes.io/version": self.chart.app,
            **(self.values["additionalLabels"] or {}),
        }

    def metadata(self, name: str, *, cluster_wide: bool = False, **more: Mapping[str, Any] | None) -> dict[str, Any]:
        """An object's metadata: name, namespace, labels (`labels` adds to them), and `annotations` if there are any."""
        result: dict[str, Any] = {"name": name}
        if not cluster_wide:
            result["namespace"] = self.release.namespace
        result["labels"] = {**self.labels, **(more.get("labels") or {})}
        if annotations := more.get("annotations"):
            result["annotations"] = dict(annotations)
        return result


def written(value: Any) -> str:
    """A value as it stands in a text.

    Example:
        >>> written(True), written(3)
        ('true', '3')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def listed(values: Mapping[str, Any]) -> str:
    """A mapping as a flag's value, in the order of its keys.

    Example:
        >>> listed({"b": True, "a": 1})
        'a=1,b=true'
    """
    return ",".join(f"{key}={written(value)}" for key, value in sorted(values.items()))


def _cut(name: str, length: int) -> str:
    return name[:length].removesuffix("-")
