"""The inputs of `eks:index:Cluster` that the stand-in supports, and its errors for the rest. No I/O."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.providers.common.fields import Field, Fields, problems
from sandbox.providers.common.server import ProviderError

CLUSTER: Final = "eks:index:Cluster"

_ADDON: Fields = {
    name: Field()
    for name in ("enabled", "version", "configurationValues", "resolveConflictsOnCreate", "resolveConflictsOnUpdate")
}

FIELDS: Final[Fields] = {
    **{
        name: Field()
        for name in (
            *("name", "version", "vpcId", "subnetIds", "publicSubnetIds", "privateSubnetIds"),
            *("authenticationMode", "accessEntries", "enabledClusterLogTypes", "encryptionConfigKeyArn"),
            *("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs"),
            *("skipDefaultNodeGroup", "skipDefaultSecurityGroups", "useDefaultVpcCni", "createInstanceRole"),
            *("bootstrapSelfManagedAddons", "createOidcProvider", "deletionProtection"),
            *("serviceRole", "ipFamily", "kubernetesServiceIpAddressRange", "tags", "clusterTags"),
        )
    },
    "upgradePolicy": Field(inside={"supportType": Field()}),
    "providerCredentialOpts": Field(inside={"profileName": Field(), "roleArn": Field()}),
    "kubeProxyAddonOptions": Field(inside=_ADDON),
    "corednsAddonOptions": Field(inside=_ADDON),
}

ACCESS_ENTRY: Final[Fields] = {
    **{name: Field() for name in ("kubernetesGroups", "tags", "type", "username")},
    "principalArn": Field(required=True),
    "accessPolicies": Field(),
}

ONE_WAY_ONLY: Final[Mapping[str, tuple[Any, str]]] = {
    "skipDefaultNodeGroup": (True, "it creates no node group; declare an aws.eks.NodeGroup"),
    "skipDefaultSecurityGroups": (True, "it creates no security groups; nodes carry the group that EKS creates"),
    "useDefaultVpcCni": (True, "it creates no vpc-cni add-on; declare it, with its own role"),
    "authenticationMode": ("API", "it writes no aws-auth ConfigMap; use access entries"),
    "createInstanceRole": (None, "it creates no node role; declare one"),
}
"""Inputs for which the stand-in supports one value: the value, and the reason."""


def check(inputs: Mapping[str, Any]) -> None:
    """Refuses what the stand-in cannot do like the real provider.

    Args:
        inputs: By camelCase name; any value may be an output.

    Raises:
        ProviderError: The first problem, with its remedy.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    for failure in problems(given, FIELDS, CLUSTER, _exists):
        raise ProviderError(failure.reason)
    for name, (wanted, why) in ONE_WAY_ONLY.items():
        if given.get(name) != wanted and not (wanted is None and given.get(name) is False):
            said = f"leave `{name}` out" if wanted is None else f"set `{name}` to {wanted}"
            raise ProviderError(f"{CLUSTER} of the sandbox's stand-in: {said}: {why}")
    if "vpcId" not in given or not {"subnetIds", "publicSubnetIds", "privateSubnetIds"} & set(given):
        raise ProviderError(
            f"{CLUSTER} of the sandbox's stand-in needs a `vpcId` and subnets: it does not use the default VPC"
        )
    if "subnetIds" in given and {"publicSubnetIds", "privateSubnetIds"} & set(given):
        raise ProviderError(f"{CLUSTER}: give `subnetIds`, or `publicSubnetIds` and `privateSubnetIds`, not both")
    if given.get("publicAccessCidrs") and given.get("endpointPublicAccess") is False:
        raise ProviderError(f"{CLUSTER}: `publicAccessCidrs` can only be set when `endpointPublicAccess` is true")
    entries = given.get("accessEntries")
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        for failure in problems(entry, ACCESS_ENTRY, f"{CLUSTER} accessEntries[{name}]", lambda _: False):
            raise ProviderError(failure.reason)


def _exists(name: str) -> bool:
    from pulumi._types import input_type_py_to_pulumi_names  # noqa: PLC0415 - on the way to an error only
    from pulumi_eks.cluster import ClusterArgs  # noqa: PLC0415

    return name in input_type_py_to_pulumi_names(ClusterArgs).values()
