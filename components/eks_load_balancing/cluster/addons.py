"""EKS add-ons of a `Cluster`, and which version of each is installed."""

from typing import Final

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

DEFAULT: Final = "default"
"""EKS's default version for the cluster's Kubernetes version: it follows when the cluster moves on."""
LATEST: Final = "latest"
"""The newest version for the cluster's Kubernetes version."""
LEFT_TO_EKS: Final = "eks"
"""What EKS chose when the thing was made; nobody moves it."""


def addon_version(
    addon: str, wanted: str, kubernetes_version: str, opts: pulumi.InvokeOutputOptions
) -> Input[str] | None:
    """Return the version of an add-on to ask for, or None to leave it to EKS.

    EKS never moves an add-on by itself, and a cluster's upgrade leaves it where it is:
    https://docs.aws.amazon.com/eks/latest/userguide/updating-an-add-on.html

    Args:
        addon: its name, such as `coredns`.
        wanted: `default`, `latest`, `eks`, or a version such as `v1.13.1-eksbuild.1`.
        kubernetes_version: the cluster's.
        opts: of the lookup.
    """
    if wanted == LEFT_TO_EKS:
        return None
    if wanted not in (DEFAULT, LATEST):
        return wanted
    found: Output[aws.eks.GetAddonVersionResult] = aws.eks.get_addon_version_output(
        addon_name=addon, kubernetes_version=kubernetes_version, most_recent=wanted == LATEST, opts=opts
    )
    return found.version
