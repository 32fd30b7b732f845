"""EKS permissions: access entries, access policies, Pod Identity associations."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, created_once, known, same_json
from sandbox.providers.aws.session import CREATION_TAG, Aws
from sandbox.providers.aws.types.eks.clusters import retag, timestamp
from sandbox.providers.common.fields import Field, each, inside, same_set


def _of(entry_id: str) -> dict[str, str]:
    """`CLUSTER:PRINCIPAL_ARN`, the real provider's id of an access entry."""
    cluster, _, principal = entry_id.partition(":")
    return {"clusterName": cluster, "principalArn": principal}


def _create_entry(aws: Aws, wanted: Wanted) -> str:
    eks = aws.client("eks")
    entry_id = f"{wanted['clusterName']}:{wanted['principalArn']}"

    def tags() -> Any:
        return eks.describe_access_entry(**_of(entry_id))["accessEntry"].get("tags")

    with created_once(eks.exceptions.ResourceInUseException, wanted, tags):
        eks.create_access_entry(
            **_of(entry_id),
            tags=wanted.all_tags,
            **known(
                kubernetesGroups=wanted.get("kubernetesGroups"),
                username=wanted.get("userName"),
                type=wanted.get("type"),
            ),
        )
    return entry_id


def _update_entry(aws: Aws, entry_id: str, wanted: Wanted, changed: set[str]) -> None:
    if changed:
        groups, user = wanted.get("kubernetesGroups", []), wanted.get("userName")
        aws.client("eks").update_access_entry(**_of(entry_id), kubernetesGroups=groups, **known(username=user))


def _read_entry(aws: Aws, entry_id: str, _state: State) -> dict[str, Any] | None:
    entry = aws.client("eks").describe_access_entry(**_of(entry_id))["accessEntry"]
    return {
        "clusterName": entry["clusterName"],
        "principalArn": entry["principalArn"],
        "kubernetesGroups": entry.get("kubernetesGroups") or [],
        "userName": entry.get("username"),
        "type": entry.get("type", "STANDARD"),
        "accessEntryArn": entry["accessEntryArn"],
        "createdAt": timestamp(entry.get("createdAt")),
        "modifiedAt": timestamp(entry.get("modifiedAt")),
        "tagsAll": dict(entry.get("tags") or {}),
    }


ACCESS_ENTRY = Kind(
    type="aws:eks/accessEntry:AccessEntry",
    inputs={
        **each("clusterName", "principalArn", required=True, replaces=True),
        "kubernetesGroups": Field(same=same_set, default=[]),
        "type": Field(replaces=True, default="STANDARD"),
        "userName": Field(),
    },
    outputs=("accessEntryArn", "createdAt", "modifiedAt"),
    volatile=("modifiedAt",),
    calls=Calls(
        _create_entry,
        _read_entry,
        _update_entry,
        lambda aws, entry_id, _: aws.client("eks").delete_access_entry(**_of(entry_id)),
    ),
    retag=retag("accessEntryArn"),
)


def _associate(aws: Aws, wanted: Wanted) -> str:
    names = ("clusterName", "principalArn", "policyArn")
    aws.client("eks").associate_access_policy(
        **{name: wanted[name] for name in names}, accessScope=known(**wanted["accessScope"])
    )
    return "#".join(wanted[name] for name in names)


def _read_association(aws: Aws, association_id: str, _state: State) -> dict[str, Any] | None:
    cluster, principal, policy = association_id.split("#")
    where = {"clusterName": cluster, "principalArn": principal}
    for found in aws.client("eks").list_associated_access_policies(**where)["associatedAccessPolicies"]:
        if found["policyArn"] == policy:
            return {
                **where,
                "policyArn": policy,
                "accessScope": found["accessScope"],
                "associatedAt": timestamp(found.get("associatedAt")),
                "modifiedAt": timestamp(found.get("modifiedAt")),
            }
    return None


def _dissociate(aws: Aws, association_id: str, _state: State) -> None:
    cluster, principal, policy = association_id.split("#")
    aws.client("eks").disassociate_access_policy(clusterName=cluster, principalArn=principal, policyArn=policy)


ACCESS_POLICY_ASSOCIATION = Kind(
    type="aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    inputs={
        **each("clusterName", "principalArn", "policyArn", required=True, replaces=True),
        "accessScope": Field(required=True, replaces=True, inside=inside("namespaces", type=Field(required=True))),
    },
    outputs=("associatedAt", "modifiedAt"),
    calls=Calls(_associate, _read_association, None, _dissociate),
    delete_first=True,
)


_IDENTITY = ("roleArn", "targetRoleArn", "disableSessionTags", "policy")


def _create_identity(aws: Aws, wanted: Wanted) -> str:
    eks = aws.client("eks")
    where = {"clusterName": wanted["clusterName"]}
    who = {"namespace": wanted["namespace"], "serviceAccount": wanted["serviceAccount"]}
    for found in eks.list_pod_identity_associations(**where, **who)["associations"]:
        one = eks.describe_pod_identity_association(**where, associationId=found["associationId"])["association"]
        if one.get("tags", {}).get(CREATION_TAG) == wanted.creation:
            return found["associationId"]
    asked = known(**{name: wanted.get(name) for name in _IDENTITY})
    created = eks.create_pod_identity_association(**where, **who, **asked, tags=wanted.all_tags)
    return created["association"]["associationId"]


def _update_identity(aws: Aws, association_id: str, wanted: Wanted, changed: set[str]) -> None:
    if changed:
        aws.client("eks").update_pod_identity_association(
            clusterName=wanted["clusterName"],
            associationId=association_id,
            **known(**{name: wanted.get(name) for name in _IDENTITY}),
        )


def _read_identity(aws: Aws, association_id: str, state: State) -> dict[str, Any] | None:
    where = {"clusterName": state["clusterName"], "associationId": association_id}
    one = aws.client("eks").describe_pod_identity_association(**where)["association"]
    return {
        **{name: one.get(name) for name in ("clusterName", "namespace", "serviceAccount", *_IDENTITY)},
        "disableSessionTags": one.get("disableSessionTags") or False,
        "associationArn": one["associationArn"],
        "associationId": one["associationId"],
        "externalId": one.get("externalId") or "",
        "tagsAll": dict(one.get("tags") or {}),
    }


def _delete_identity(aws: Aws, association_id: str, state: State) -> None:
    aws.client("eks").delete_pod_identity_association(clusterName=state["clusterName"], associationId=association_id)


POD_IDENTITY_ASSOCIATION = Kind(
    type="aws:eks/podIdentityAssociation:PodIdentityAssociation",
    inputs={
        **each("clusterName", "namespace", "serviceAccount", required=True, replaces=True),
        "roleArn": Field(required=True),
        "targetRoleArn": Field(),
        "disableSessionTags": Field(default=False),
        "policy": Field(same=same_json),
    },
    outputs=("associationArn", "associationId", "externalId"),
    calls=Calls(_create_identity, _read_identity, _update_identity, _delete_identity),
    retag=retag("associationArn"),
    import_id=lambda imported: {"clusterName": imported.partition(",")[0]},
    delete_first=True,
)

KINDS = (ACCESS_ENTRY, ACCESS_POLICY_ASSOCIATION, POD_IDENTITY_ASSOCIATION)
