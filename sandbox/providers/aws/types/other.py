"""KMS keys and aliases, CloudWatch log groups."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, created_once, deleting, known, retagging, same_json
from sandbox.providers.aws.session import CREATION_TAG, Aws
from sandbox.providers.common.fields import Field
from sandbox.providers.common.server import ProviderError

# Keys


def _kms_tags(kms: Any, key_id: str) -> dict[str, str]:
    return {tag["TagKey"]: tag["TagValue"] for tag in kms.list_resource_tags(KeyId=key_id).get("Tags", ())}


def _kms_tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def _made_before(aws: Aws, wanted: Wanted) -> str | None:
    kms = aws.client("kms")
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if metadata["KeyManager"] != "CUSTOMER" or metadata["KeyState"] == "PendingDeletion":
                continue
            if _kms_tags(kms, key["KeyId"]).get(CREATION_TAG) == wanted.creation:
                return key["KeyId"]
    return None


def _create_key(aws: Aws, wanted: Wanted) -> str:
    kms = aws.client("kms")
    key_id = (
        _made_before(aws, wanted)
        or (
            kms.create_key(
                Description=wanted.get("description", ""),
                KeyUsage=wanted.get("keyUsage", "ENCRYPT_DECRYPT"),
                KeySpec=wanted.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
                MultiRegion=wanted.get("multiRegion", False),
                **wanted.parameters("policy"),
                Tags=_kms_tag_list(wanted.all_tags),
            )["KeyMetadata"]["KeyId"]
        )
    )
    _change_key(aws, key_id, wanted, {"enableKeyRotation", "isEnabled"} & set(wanted.inputs))
    return key_id


def _change_key(aws: Aws, key_id: str, wanted: Wanted, changed: set[str]) -> None:
    kms = aws.client("kms")
    if "policy" in changed and wanted.get("policy"):
        kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=wanted["policy"])
    if "description" in changed:
        kms.update_key_description(KeyId=key_id, Description=wanted.get("description", ""))
    if {"enableKeyRotation", "rotationPeriodInDays"} & changed:
        if wanted.get("enableKeyRotation", False):
            kms.enable_key_rotation(KeyId=key_id, **wanted.parameters("rotationPeriodInDays"))
        else:
            kms.disable_key_rotation(KeyId=key_id)
    if "isEnabled" in changed:
        (kms.enable_key if wanted.get("isEnabled", True) else kms.disable_key)(KeyId=key_id)


def _read_key(aws: Aws, key_id: str, _state: State) -> dict[str, Any] | None:
    kms = aws.client("kms")
    key = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    if key["KeyState"] == "PendingDeletion":
        return None
    rotation = kms.get_key_rotation_status(KeyId=key_id)
    return {
        "description": key.get("Description", ""),
        "keyUsage": key.get("KeyUsage"),
        "customerMasterKeySpec": key.get("KeySpec") or key.get("CustomerMasterKeySpec"),
        "multiRegion": key.get("MultiRegion", False),
        "isEnabled": key.get("Enabled", True),
        "enableKeyRotation": rotation["KeyRotationEnabled"],
        "policy": kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"],
        "arn": key["Arn"],
        "keyId": key_id,
        "tagsAll": _kms_tags(kms, key_id),
    }


def _delete_key(aws: Aws, key_id: str, state: State) -> None:
    days = state.get("deletionWindowInDays") or 30
    aws.client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=days)


KEY = Kind(
    type="aws:kms/key:Key",
    inputs={
        "description": Field(default=""),
        "policy": Field(same=same_json),
        "enableKeyRotation": Field(default=False),
        "rotationPeriodInDays": Field(),
        "isEnabled": Field(default=True),
        "deletionWindowInDays": Field(),
        "keyUsage": Field(replaces=True, default="ENCRYPT_DECRYPT"),
        "customerMasterKeySpec": Field(replaces=True, default="SYMMETRIC_DEFAULT"),
        "multiRegion": Field(replaces=True, default=False),
    },
    outputs=("arn", "keyId"),
    calls=Calls(_create_key, _read_key, _change_key, _delete_key),
    retag=retagging(
        "kms",
        lambda kms, key_id, keys: kms.untag_resource(KeyId=key_id, TagKeys=keys),
        lambda kms, key_id, tags: kms.tag_resource(KeyId=key_id, Tags=_kms_tag_list(tags)),
    ),
)


# Aliases


def _find_alias(aws: Aws, name: str) -> dict[str, Any] | None:
    pages = aws.client("kms").get_paginator("list_aliases").paginate()
    return next((alias for page in pages for alias in page["Aliases"] if alias["AliasName"] == name), None)


def _key_arn(aws: Aws, key: str) -> str:
    return aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]


def _create_alias(aws: Aws, wanted: Wanted) -> str:
    name = wanted["name"]
    if not name.startswith("alias/"):
        raise ProviderError(f"a key's alias is `alias/...`, not {name!r}; put `alias/` in front")
    found = _find_alias(aws, name)
    # Aliases have no tags: if an alias with this name and key exists, it is the result of the interrupted creation.
    if found is None or found.get("TargetKeyId") != _key_arn(aws, wanted["targetKeyId"]).rpartition("/")[2]:
        aws.client("kms").create_alias(AliasName=name, TargetKeyId=wanted["targetKeyId"])
    return name


def _read_alias(aws: Aws, name: str, state: State) -> dict[str, Any] | None:
    alias = _find_alias(aws, name)
    if alias is None:
        return None
    arn = _key_arn(aws, alias["TargetKeyId"])
    target = arn if str(state.get("targetKeyId", "")).startswith("arn:") else alias["TargetKeyId"]
    return {"name": name, "targetKeyId": target, "targetKeyArn": arn, "arn": alias["AliasArn"]}


def _move_alias(aws: Aws, name: str, wanted: Wanted, changed: set[str]) -> None:
    if "targetKeyId" in changed:
        aws.client("kms").update_alias(AliasName=name, TargetKeyId=wanted["targetKeyId"])


ALIAS = Kind(
    type="aws:kms/alias:Alias",
    inputs={"name": Field(required=True, replaces=True), "targetKeyId": Field(required=True)},
    outputs=("arn", "targetKeyArn"),
    volatile=("targetKeyArn",),
    calls=Calls(_create_alias, _read_alias, _move_alias, deleting("kms", "delete_alias", "AliasName")),
)


# Log groups


def _find_log_group(aws: Aws, name: str) -> dict[str, Any] | None:
    pages = aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return next((group for page in pages for group in page["logGroups"] if group["logGroupName"] == name), None)


def _arn(group: dict[str, Any]) -> str:
    return group["arn"].removesuffix(":*")


def _create_log_group(aws: Aws, wanted: Wanted) -> str:
    logs = aws.client("logs")
    name = wanted["name"]

    def tags() -> Any:
        found = _find_log_group(aws, name)
        return logs.list_tags_for_resource(resourceArn=_arn(found))["tags"] if found else {}

    with created_once(logs.exceptions.ResourceAlreadyExistsException, wanted, tags):
        logs.create_log_group(
            logGroupName=name,
            tags=wanted.all_tags,
            **known(kmsKeyId=wanted.get("kmsKeyId"), logGroupClass=wanted.get("logGroupClass")),
        )
    _change_log_group(aws, name, wanted, {"retentionInDays"} & set(wanted.inputs))
    return name


def _change_log_group(aws: Aws, name: str, wanted: Wanted, changed: set[str]) -> None:
    logs = aws.client("logs")
    if "retentionInDays" in changed:
        days = wanted.get("retentionInDays", 0)
        if days:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            logs.delete_retention_policy(logGroupName=name)
    if "kmsKeyId" in changed and wanted.get("kmsKeyId"):
        logs.associate_kms_key(logGroupName=name, kmsKeyId=wanted["kmsKeyId"])
    elif "kmsKeyId" in changed:
        logs.disassociate_kms_key(logGroupName=name)


def _read_log_group(aws: Aws, name: str, _state: State) -> dict[str, Any] | None:
    group = _find_log_group(aws, name)
    return group and {
        "name": name,
        "retentionInDays": group.get("retentionInDays", 0),
        "kmsKeyId": group.get("kmsKeyId"),
        "arn": _arn(group),
        "tagsAll": aws.client("logs").list_tags_for_resource(resourceArn=_arn(group))["tags"],
    }


LOG_GROUP = Kind(
    type="aws:cloudwatch/logGroup:LogGroup",
    inputs={
        "name": Field(replaces=True),
        "retentionInDays": Field(default=0),
        "kmsKeyId": Field(),
        "logGroupClass": Field(replaces=True, default="STANDARD"),
    },
    outputs=("arn",),
    calls=Calls(
        _create_log_group, _read_log_group, _change_log_group, deleting("logs", "delete_log_group", "logGroupName")
    ),
    retag=retagging(
        "logs",
        lambda logs, arn, keys: logs.untag_resource(resourceArn=arn, tagKeys=keys),
        lambda logs, arn, tags: logs.tag_resource(resourceArn=arn, tags=tags),
        lambda _, state: state["arn"],
    ),
    naming=("name", 512),
    # EKS may have created the group again by now: terraform-provider-aws, internal/service/logs/group.go.
    deleted_unseen=True,
)

KINDS = (KEY, ALIAS, LOG_GROUP)
