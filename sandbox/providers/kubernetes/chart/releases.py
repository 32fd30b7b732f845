"""The versions of the chart that are rendered here, and in what the older differ: facts, which the templates ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.providers.common.server import ProviderError


@dataclass(frozen=True)
class ChartVersion:
    """One version of the chart; the defaults here are the newest's."""

    chart: str
    app: str
    """The controller's version: the image's tag, and a label of everything."""
    lacks: frozenset[str] = frozenset()
    """Values that it does not have yet, by their whole paths."""
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Defaults that are others than the newest's, by their whole paths."""
    reviews: str = "v1"
    """The version of the AdmissionReviews that its webhooks take."""
    injects: bool = True
    """Whether it has webhooks that put QUIC's server id and ALB's target control agent into pods."""
    accelerators_and_gateways: bool = True
    """Whether its controller may watch Global Accelerators and Gateways."""
    root_issuer: bool = True
    """Whether cert-manager signs the serving certificate by a CA of its own, for a time that the values give."""


CHARTS: Final[Mapping[str, ChartVersion]] = {
    "1.12.0": ChartVersion(
        chart="1.12.0",
        app="v2.12.0",
        lacks=frozenset(
            {
                "albGatewayMaxConcurrentReconciles",
                "certManagement",
                "certManager",
                "defaultLoadBalancerScheme",
                "enableManageBackendSecurityGroupRules",
                "globalAcceleratorMaxConcurrentReconciles",
                "globalAcceleratorMaxExponentialBackoffDelay",
                "maxTargetsPerTargetGroup",
                "nlbGatewayMaxConcurrentReconciles",
                "serviceMutatorWebhookConfig.namespaceSelectors",
                "targetgroupbindingRequeueDuration",
                "webhookConfig.ingressValdationFailurePolicy",
                "webhookConfig.ingressValidationNamespaceSelector",
                "webhookConfig.ingressValidationObjectSelector",
            }
        ),
        defaults={"image.tag": "v2.12.0", "keepTLSSecret": True},
        reviews="v1beta1",
        injects=False,
        accelerators_and_gateways=False,
        root_issuer=False,
    ),
    "3.5.0": ChartVersion(chart="3.5.0", app="v3.5.0"),
}
NEWEST: Final = "3.5.0"
"""The version whose values and CRDs are written down in full."""


def known(version: str) -> ChartVersion:
    """The facts of a version.

    Raises:
        ProviderError: It is none of those that are rendered here.
    """
    if found := CHARTS.get(version.removeprefix("v")):
        return found
    raise ProviderError(
        f"the chart aws-load-balancer-controller {version} is not known: this stand-in renders {', '.join(CHARTS)}"
    )
