"""EKS add-ons of a `Cluster`: which version of each is installed, and how it is configured."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.forms import check_addon_version
from eks_load_balancing.outputs import applied

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
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


class AddonArgs(TypedDict):
    """An EKS add-on of a cluster."""

    version: NotRequired[str]
    """A version such as `v1.13.1-eksbuild.1`; `default` (the default), EKS's default for the Kubernetes version;
    `latest`; or `eks`, what EKS chose when the add-on was made."""
    configuration: NotRequired[Input[Mapping[str, Any]]]
    """Its configuration values, as `aws eks describe-addon-configuration` describes them."""
    role_arn: NotRequired[Input[str]]
    """The role of its service account, by IRSA. Default: one that is made here for `vpc-cni`, none for others."""
    pod_identity_role_arns: NotRequired[Mapping[str, Input[str]]]
    """Roles of its service accounts, by the account's name, by EKS Pod Identity."""


def check_addons(addons: Mapping[str, AddonArgs], versions: Mapping[str, str]) -> Mapping[str, AddonArgs]:
    """Return add-ons, or say which of them cannot be.

    Args:
        addons: by name.
        versions: those of `addon_versions`.
    """
    for name, addon in addons.items():
        if not _NAME.fullmatch(name):
            raise InvalidInputError(
                f"add-on {name!r} is not an add-on's name: give one such as aws-ebs-csi-driver", key="addons"
            )
        if "version" in addon:
            check_addon_version(name, addon["version"])
        if "version" in addon and name in versions:
            raise InvalidInputError(
                f"{name} has a version in addons and another in addon_versions: give one of them", key="addons"
            )
        if "role_arn" in addon and "pod_identity_role_arns" in addon:
            raise InvalidInputError(
                f"addons.{name} has role_arn (IRSA) and pod_identity_role_arns: give one of them", key="addons"
            )
    return addons


def configuration(values: Input[Mapping[str, Any]] | None) -> Input[str] | None:
    """Return an add-on's configuration values as EKS takes them; None leaves the add-on's own."""
    return None if values is None else applied(json.dumps, values)
