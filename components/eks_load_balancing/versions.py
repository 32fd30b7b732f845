"""The versions that this package knows: Kubernetes on EKS, and the controller. One table each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eks_load_balancing.errors import InvalidInputError

KUBERNETES_VERSIONS: Final = ("1.33", "1.34", "1.35", "1.36")
"""Kubernetes versions in standard support on EKS.

https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
"""


@dataclass(frozen=True)
class ControllerVersion:
    """What belongs to one version of the AWS Load Balancer Controller. Its IAM actions are in `controller_policy`."""

    version: str
    chart: str
    """Version of the Helm chart `aws-load-balancer-controller`, which brings the CRDs of this version."""
    image_tag: str
    oldest_kubernetes: str
    """https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/"""
    crds: Mapping[str, tuple[str, ...]]
    """Its CRDs -> fields of `spec` that came late, by which an older one is told."""


CONTROLLER_VERSIONS: Final = {
    "3.5.0": ControllerVersion(
        version="3.5.0",
        chart="3.5.0",
        image_tag="v3.5.0",
        oldest_kubernetes="1.22",
        crds={
            "targetgroupbindings.elbv2.k8s.aws": ("multiClusterTargetGroup", "targetGroupProtocol"),
            "ingressclassparams.elbv2.k8s.aws": ("targetType", "wafv2AclArn", "sslRedirectPort", "loadBalancerName"),
            "albtargetcontrolconfigs.elbv2.k8s.aws": (),
            "globalaccelerators.aga.k8s.aws": (),
        },
    ),
}
DEFAULT_CONTROLLER_VERSION: Final = "3.5.0"


def controller_version(version: str, kubernetes_version: str | None = None) -> ControllerVersion:
    """Return a controller version's entry.

    Args:
        version: such as `3.5.0`.
        kubernetes_version: the cluster's, to be checked against the oldest that this controller runs on.

    Raises:
        InvalidInputError: for a version that is not in the table, or too new for the cluster.
    """
    entry = CONTROLLER_VERSIONS.get(version)
    if entry is None:
        raise InvalidInputError(
            f"controller version {version!r} is not supported: give one of {', '.join(CONTROLLER_VERSIONS)}"
        )
    if kubernetes_version is not None and _key(kubernetes_version) < _key(entry.oldest_kubernetes):
        raise InvalidInputError(
            f"controller version {version} needs Kubernetes {entry.oldest_kubernetes} or later,"
            f" and the cluster runs {kubernetes_version}: upgrade the cluster first"
        )
    return entry


def kubernetes_version(version: str) -> str:
    """Return a Kubernetes version of this package's table, or name those in it."""
    if version not in KUBERNETES_VERSIONS:
        raise InvalidInputError(
            f"Kubernetes version {version!r} is not supported: give one of {', '.join(KUBERNETES_VERSIONS)}"
        )
    return version


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
