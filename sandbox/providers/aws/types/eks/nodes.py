"""EKS: node groups and add-ons."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, created_once, known, same_json
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.eks.clusters import retag, settled, timestamp
from sandbox.providers.common.fields import Field, each, inside, same_set

_AS_GIVEN = (
    *("scalingConfig", "instanceTypes", "amiType", "capacityType", "diskSize", "launchTemplate"),
    *("updateConfig", "nodeRepairConfig", "version", "releaseVersion"),
)
"""Properties that EKS and the provider name alike."""


def _named(kind: str, resource_id: str) -> dict[str, str]:
    """The parameters that name a cluster's `nodegroup` or `addon`; its id is `CLUSTER:NAME`."""
    cluster, _, name = resource_id.partition(":")
    return {"clusterName": cluster, f"{kind}Name": name}


def _described(aws: Aws, kind: str, resource_id: str) -> dict[str, Any]:
    return getattr(aws.client("eks"), f"describe_{kind}")(**_named(kind, resource_id))[kind]


def _created(aws: Aws, kind: str, resource_id: str, wanted: Wanted, settings: dict[str, Any]) -> str:
    eks = aws.client("eks")
    with created_once(
        eks.exceptions.ResourceInUseException, wanted, lambda: _described(aws, kind, resource_id).get("tags")
    ):
        getattr(eks, f"create_{kind}")(**_named(kind, resource_id), tags=wanted.all_tags, **settings)
    return resource_id


def _is_active(aws: Aws, kind: str, what: str, resource_id: str) -> bool:
    found = _described(aws, kind, resource_id)
    return settled(found["status"], f"the {what} {resource_id}", found.get("health", {}).get("issues"))


def _create_node_group(aws: Aws, wanted: Wanted) -> str:
    settings = known(**{name: wanted.get(name) for name in (*_AS_GIVEN, "labels", "taints")})
    settings |= {"nodeRole": wanted["nodeRoleArn"], "subnets": wanted["subnetIds"]}
    return _created(aws, "nodegroup", f"{wanted['clusterName']}:{wanted['nodeGroupName']}", wanted, settings)


def _update_node_group(aws: Aws, group_id: str, wanted: Wanted, changed: set[str]) -> None:
    eks = aws.client("eks")
    where = _named("nodegroup", group_id)
    if {"version", "releaseVersion", "launchTemplate"} & changed:
        given = {key: wanted.get(key) for key in ("version", "releaseVersion", "launchTemplate") if key in changed}
        eks.update_nodegroup_version(**where, force=wanted.get("forceUpdateVersion", False), **known(**given))
    config = {key: wanted.get(key) for key in ("scalingConfig", "updateConfig", "nodeRepairConfig") if key in changed}
    has = _described(aws, "nodegroup", group_id)
    if "labels" in changed:
        labels = wanted.get("labels", {})
        removed = sorted(set(has.get("labels") or {}) - set(labels))
        config["labels"] = {"addOrUpdateLabels": labels, "removeLabels": removed}
    if "taints" in changed:
        taints = wanted.get("taints", [])
        removed = [taint for taint in has.get("taints") or () if taint not in taints]
        config["taints"] = {"addOrUpdateTaints": taints, "removeTaints": removed}
    if known(**config):
        eks.update_nodegroup_config(**where, **known(**config))


def _read_node_group(aws: Aws, group_id: str, _state: State) -> dict[str, Any] | None:
    group = _described(aws, "nodegroup", group_id)
    resources = group.get("resources") or {}
    return {
        "clusterName": group["clusterName"],
        "nodeGroupName": group["nodegroupName"],
        "nodeRoleArn": group["nodeRole"],
        "subnetIds": group["subnets"],
        **known(**{name: group.get(name) for name in _AS_GIVEN}),
        "labels": group.get("labels") or {},
        "taints": group.get("taints") or [],
        "arn": group["nodegroupArn"],
        "status": group["status"],
        "resources": [
            {
                "autoscalingGroups": [{"name": each["name"]} for each in resources.get("autoScalingGroups") or ()],
                "remoteAccessSecurityGroupId": resources.get("remoteAccessSecurityGroup") or "",
            }
        ],
        "tagsAll": dict(group.get("tags") or {}),
    }


def _delete_node_group(aws: Aws, group_id: str, _state: State) -> None:
    aws.client("eks").delete_nodegroup(**_named("nodegroup", group_id))


def _same_template(one: Any, other: Any) -> bool:
    """By id if both have it; AWS returns id and name, whichever the program gave."""
    keys = {"version", "id"} if "id" in one and "id" in other else {"version", "name"}
    return {key: str(one.get(key)) for key in keys} == {key: str(other.get(key)) for key in keys}


NODE_GROUP = Kind(
    type="aws:eks/nodeGroup:NodeGroup",
    inputs={
        "clusterName": Field(required=True, replaces=True),
        "nodeGroupName": Field(replaces=True),
        "nodeRoleArn": Field(required=True, replaces=True),
        "subnetIds": Field(required=True, replaces=True, same=same_set),
        "scalingConfig": Field(required=True, inside=inside("desiredSize", "minSize", "maxSize")),
        **each("instanceTypes", "amiType", "capacityType", "diskSize", replaces=True),
        "labels": Field(default={}),
        "taints": Field(same=same_set, default=[], inside=inside("key", "value", "effect")),
        "launchTemplate": Field(same=_same_template, inside=inside("id", "name", "version")),
        "updateConfig": Field(inside=inside("maxUnavailable", "maxUnavailablePercentage", "updateStrategy")),
        "nodeRepairConfig": Field(inside=inside("enabled")),
        **each("version", "releaseVersion", "forceUpdateVersion"),
    },
    outputs=("arn", "resources", "status"),
    calls=Calls(_create_node_group, _read_node_group, _update_node_group, _delete_node_group),
    retag=retag(),
    ready=lambda aws, group_id: _is_active(aws, "nodegroup", "node group", group_id),
    naming=("nodeGroupName", 63),
    minutes=60,
)


# Add-ons

_SETTINGS = ("addonVersion", "serviceAccountRoleArn", "configurationValues", "podIdentityAssociations")


def _create_addon(aws: Aws, wanted: Wanted) -> str:
    settings = _addon_settings(wanted, "resolveConflictsOnCreate")
    return _created(aws, "addon", f"{wanted['clusterName']}:{wanted['addonName']}", wanted, settings)


def _addon_settings(wanted: Wanted, conflicts: str) -> dict[str, Any]:
    return known(resolveConflicts=wanted.get(conflicts), **{name: wanted.get(name) for name in _SETTINGS})


def _update_addon(aws: Aws, addon_id: str, wanted: Wanted, changed: set[str]) -> None:
    if changed - {"preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"}:
        settings = _addon_settings(wanted, "resolveConflictsOnUpdate")
        aws.client("eks").update_addon(**_named("addon", addon_id), **settings)


def _read_addon(aws: Aws, addon_id: str, state: State) -> dict[str, Any] | None:
    addon = _described(aws, "addon", addon_id)
    live = {
        "clusterName": addon["clusterName"],
        "addonName": addon["addonName"],
        "addonVersion": addon.get("addonVersion"),
        "serviceAccountRoleArn": addon.get("serviceAccountRoleArn"),
        "configurationValues": addon.get("configurationValues") or "",
        "arn": addon["addonArn"],
        "createdAt": timestamp(addon.get("createdAt")),
        "modifiedAt": timestamp(addon.get("modifiedAt")),
        "tagsAll": dict(addon.get("tags") or {}),
    }
    if "podIdentityAssociations" in state and addon.get("podIdentityAssociations"):
        # EKS returns the associations' ARNs, but the program gave roles: only a missing association is a difference.
        live["podIdentityAssociations"] = state["podIdentityAssociations"]
    return live


def _delete_addon(aws: Aws, addon_id: str, state: State) -> None:
    aws.client("eks").delete_addon(**_named("addon", addon_id), preserve=bool(state.get("preserve")))


ADDON = Kind(
    type="aws:eks/addon:Addon",
    inputs={
        **each("clusterName", "addonName", required=True, replaces=True),
        "addonVersion": Field(),
        "configurationValues": Field(same=same_json, default=""),
        "serviceAccountRoleArn": Field(),
        "podIdentityAssociations": Field(same=same_set, inside=inside("roleArn", "serviceAccount")),
        **each("preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"),
    },
    outputs=("arn", "createdAt", "modifiedAt"),
    volatile=("modifiedAt",),
    calls=Calls(_create_addon, _read_addon, _update_addon, _delete_addon),
    retag=retag(),
    ready=lambda aws, addon_id: _is_active(aws, "addon", "add-on", addon_id),
    minutes=20,
)

KINDS = (NODE_GROUP, ADDON)
