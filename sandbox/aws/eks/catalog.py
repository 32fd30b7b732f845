"""What the sandbox's EKS offers: Kubernetes versions, and the node images and add-ons of each."""

from datetime import date
from typing import Final

from sandbox.aws.eks.errors import InvalidParameterError, InvalidRequestError
from sandbox.aws.eks.store import timestamp

VERSION = "1.36"
"""EKS's default version, and the only Kubernetes version whose control plane the sandbox builds: every cluster runs it,
whatever version EKS reports.
"""
PATCH = f"{VERSION}.3"
PLATFORM = "eks.1"
NODE_IMAGE = "ami-0e5a0db0c5a9d1e36"
"""The placeholder for EKS's node image, of any architecture: nothing boots from it."""

SUPPORT: Final = {
    "1.32": (date(2026, 3, 23), date(2027, 3, 23)),
    "1.33": (date(2026, 7, 29), date(2027, 7, 29)),
    "1.34": (date(2026, 12, 2), date(2027, 12, 2)),
    "1.35": (date(2027, 3, 27), date(2028, 3, 27)),
    "1.36": (date(2027, 8, 2), date(2028, 8, 2)),
}
"""By version, oldest first: the first days without standard and without extended support.
https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html
"""

# Newest first. The last one is EKS's default for a Kubernetes version; EKS offers newer ones before they become the
# default.
ADDONS: Final = {
    "vpc-cni": ("v1.21.2-eksbuild.1", "v1.21.1-eksbuild.1"),
    "coredns": ("v1.13.2-eksbuild.1", "v1.13.1-eksbuild.1"),
    "kube-proxy": ("v{version}.2-eksbuild.1", "v{version}.0-eksbuild.1"),
    "eks-pod-identity-agent": ("v1.3.10-eksbuild.1",),
    "aws-ebs-csi-driver": ("v1.54.0-eksbuild.1",),
    "metrics-server": ("v0.8.0-eksbuild.5",),
}
WITH_A_ROLE: Final = {"vpc-cni", "aws-ebs-csi-driver"}
"""Add-ons whose service account may have a role."""


def node_release(version: str) -> str:
    """The newest release of the node image for a Kubernetes version."""
    return f"{version}.3-20260901"


NODE_RELEASE = node_release(VERSION)


def minor(version: str) -> int:
    """The number after the dot."""
    return int(version.partition(".")[2])


def addon_versions(name: str, version: str) -> list[str]:
    """The versions of an add-on for a Kubernetes version, newest first; the last one is EKS's default."""
    return [offered.format(version=version) for offered in ADDONS[name]]


def check_version(version: str) -> str:
    """The version, if EKS supports it."""
    if version not in SUPPORT or timestamp().date() >= SUPPORT[version][1]:
        raise InvalidParameterError(f"unsupported Kubernetes version {version}")
    return version


def check_support(version: str, policy: str) -> None:
    """Raise if a version is out of standard support and the policy allows only standard support.

    https://docs.aws.amazon.com/eks/latest/userguide/disable-extended-support.html
    """
    if policy == "STANDARD" and timestamp().date() >= SUPPORT[version][0]:
        raise InvalidRequestError(
            f"Kubernetes version {version} is in extended support: upgradePolicy.supportType STANDARD is not possible"
        )
