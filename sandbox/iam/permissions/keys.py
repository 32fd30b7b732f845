"""The condition keys that a request itself provides, by service. Pure.

A key with the value None is one that the request could carry and does not: for IAM the key does not exist. Keys that
are neither here nor in the resource's state are unknown, and a policy that uses one cannot be judged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.iam.permissions.paths import at, tag_keys
from sandbox.iam.permissions.reference import Place

Keys = dict[str, Sequence[str] | None]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """An action, the call's parameters, and where it goes."""

    name: str
    parameters: Parameters
    place: Place


def request_keys(service: str, name: str, parameters: Parameters, place: Place) -> Keys:
    """The keys of a call of `service:name`, names in lower case."""
    own = _BY_SERVICE.get(service)
    return {"aws:tagkeys": tag_keys(parameters), **(own(Asked(name, parameters, place)) if own else {})}


def _given(parameters: Parameters, paths: Mapping[str, str]) -> Keys:
    """Keys that are parameters of the call."""
    return {key: [_text(value) for value in at(parameters, path)] or None for key, path in paths.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ec2(asked: Asked) -> Keys:
    return {
        "ec2:region": (asked.place.region,),
        "ec2:createaction": None,
        "ec2:managedresourceoperator": None,
        **_given(
            asked.parameters,
            {
                "ec2:instancetype": "InstanceType",
                "ec2:metadatahttptokens": "MetadataOptions.HttpTokens",
                "ec2:metadatahttpputresponsehoplimit": "MetadataOptions.HttpPutResponseHopLimit",
                "ec2:metadatahttpendpoint": "MetadataOptions.HttpEndpoint",
                "ec2:imageid": "ImageId",
                "ec2:vpceservicename": "ServiceName",
            },
        ),
    }


def _elasticloadbalancing(asked: Asked) -> Keys:
    scheme = [asked.parameters.get("Scheme") or "internet-facing"] if asked.name == "CreateLoadBalancer" else None
    return {
        "elasticloadbalancing:createaction": None,
        "elasticloadbalancing:scheme": scheme,
        **_given(
            asked.parameters,
            {
                "elasticloadbalancing:securitygroup": "SecurityGroups",
                "elasticloadbalancing:listenerprotocol": "Protocol",
                "elasticloadbalancing:securitypolicy": "SslPolicy",
            },
        ),
        "elasticloadbalancing:subnet": [
            *at(asked.parameters, "Subnets"),
            *at(asked.parameters, "SubnetMappings.SubnetId"),
        ]
        or None,
    }


def _iam(asked: Asked) -> Keys:
    keys = _given(asked.parameters, {"iam:awsservicename": "AWSServiceName", "iam:policyarn": "PolicyArn"})
    if asked.name in {"CreateRole", "CreateUser", "PutRolePermissionsBoundary", "PutUserPermissionsBoundary"}:
        keys |= _given(asked.parameters, {"iam:permissionsboundary": "PermissionsBoundary"})
    return keys


def _sts(asked: Asked) -> Keys:
    keys = {
        "sts:externalid": "ExternalId",
        "sts:rolesessionname": "RoleSessionName",
        "sts:sourceidentity": "SourceIdentity",
        "sts:transitivetagkeys": "TransitiveTagKeys",
    }
    return _given(asked.parameters, keys)


def _eks(asked: Asked) -> Keys:
    return _given(
        asked.parameters,
        {
            "eks:accessentrytype": "type",
            "eks:accessscope": "accessScope.type",
            "eks:authenticationmode": "accessConfig.authenticationMode",
            "eks:bootstrapclustercreatoradminpermissions": "accessConfig.bootstrapClusterCreatorAdminPermissions",
            "eks:bootstrapselfmanagedaddons": "bootstrapSelfManagedAddons",
            "eks:clustername": "clusterName",
            "eks:kubernetesgroups": "kubernetesGroups",
            "eks:namespaces": "accessScope.namespaces",
            "eks:policyarn": "policyArn",
            "eks:principalarn": "principalArn",
            "eks:supporttype": "upgradePolicy.supportType",
            "eks:username": "username",
        },
    )


def _kms(asked: Asked) -> Keys:
    alias = [key for key in at(asked.parameters, "KeyId") if str(key).startswith("alias/")]
    keys = _given(
        asked.parameters,
        {
            "kms:bypasspolicylockoutsafetycheck": "BypassPolicyLockoutSafetyCheck",
            "kms:rotationperiodindays": "RotationPeriodInDays",
            "kms:schedulekeydeletionpendingwindowindays": "PendingWindowInDays",
        },
    )
    if asked.name == "CreateKey":
        keys |= {
            "kms:keyspec": (asked.parameters.get("KeySpec", "SYMMETRIC_DEFAULT"),),
            "kms:keyusage": (asked.parameters.get("KeyUsage", "ENCRYPT_DECRYPT"),),
            "kms:keyorigin": (asked.parameters.get("Origin", "AWS_KMS"),),
            "kms:multiregion": (_text(asked.parameters.get("MultiRegion", False)),),
        }
    return {
        **keys,
        "kms:calleraccount": (asked.place.account,),
        "kms:viaservice": None,
        "kms:requestalias": alias or None,
    }


_BY_SERVICE: dict[str, Callable[[Asked], Keys]] = {
    "ec2": _ec2,
    "eks": _eks,
    "elasticloadbalancing": _elasticloadbalancing,
    "iam": _iam,
    "kms": _kms,
    "sts": _sts,
}
