"""The chart as one function: values in, objects out."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.providers.kubernetes.chart import access, certificates, extras, webhooks
from sandbox.providers.kubernetes.chart.crds import definitions
from sandbox.providers.kubernetes.chart.deployment import deployment
from sandbox.providers.kubernetes.chart.naming import CHART, Names, Release
from sandbox.providers.kubernetes.chart.releases import CHARTS, NEWEST
from sandbox.providers.kubernetes.chart.values import merged

REPOSITORY: Final = "https://aws.github.io/eks-charts"
__all__ = ["CHART", "CHARTS", "NEWEST", "REPOSITORY", "Release", "render", "secret_to_keep"]


def render(
    release: Release, given: Mapping[str, Any], *, crds: bool = True, secret: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The objects of the chart.

    Pure but for one thing, as the chart is: without a certificate in `webhookTLS` each call makes a new one.

    Args:
        release: Name and namespace of the installation, and the version of the chart.
        given: The values that differ from the chart's defaults.
        crds: Whether to begin with the CRDs.
        secret: The Secret of `secret_to_keep` as it is in the cluster.

    Raises:
        ProviderError: A value that the chart does not have, or of another shape.
    """
    names = Names(release, merged(given, release.version))
    values = names.values
    certificate = None if values["enableCertManager"] else certificates.given(values)
    if not certificate and not values["enableCertManager"]:
        certificate = certificates.kept(secret) or certificates.generated(names)
    return [
        *(definitions(release.version) if crds else ()),
        *extras.disruption_budget(names),
        *access.service_account(names),
        *extras.serving_certificate(names, certificate),
        *access.roles(names),
        *extras.services(names),
        deployment(names),
        *extras.autoscaler(names),
        *extras.ingress_classes(names),
        *webhooks.configurations(names, certificate.ca if certificate else None),
        *extras.service_monitor(names),
    ]


def secret_to_keep(release: Release, given: Mapping[str, Any]) -> str | None:
    """The Secret whose certificate the chart goes on using (`keepTLSSecret`); None if it is to look for none.

    Raises:
        ProviderError: As `render`.
    """
    values = merged(given, release.version)
    looks = values["keepTLSSecret"] and not values["enableCertManager"] and not certificates.given(values)
    return Names(release, values).certificate if looks else None
