"""Launch templates."""

import base64
from typing import Any

from sandbox.providers.aws.kind import (
    Calls,
    Kind,
    State,
    Wanted,
    deleting,
    known,
    lower_first,
    pascal,
    tag_list,
    tag_map,
)
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.ec2.common import created_before, described, described_one, retag, tag_specification
from sandbox.providers.common.fields import Field, each, inside, same_set

PLAIN = ("imageId", "instanceType", "keyName", "userData", "ebsOptimized", "instanceInitiatedShutdownBehavior")
BLOCKS = ("metadataOptions", "blockDeviceMappings", "monitoring", "iamInstanceProfile", "networkInterfaces")
FLAGS = ("DeleteOnTermination", "Encrypted", "AssociatePublicIpAddress", "EbsOptimized")
"""A value that the SDK allows as a string ("true") and EC2 wants as a boolean."""

_EBS = ("deleteOnTermination", "encrypted", "iops", "kmsKeyId", "snapshotId", "throughput", "volumeSize", "volumeType")
_INTERFACE = (
    "associatePublicIpAddress",
    "deleteOnTermination",
    "description",
    "deviceIndex",
    "securityGroups",
    "subnetId",
)
_METADATA = ("httpEndpoint", "httpProtocolIpv6", "httpPutResponseHopLimit", "httpTokens", "instanceMetadataTags")


def template_data(wanted: Wanted) -> dict[str, Any]:
    """The inputs as EC2's LaunchTemplateData."""
    data = pascal({name: wanted.get(name) for name in (*PLAIN, *BLOCKS)})
    data |= known(SecurityGroupIds=wanted.get("vpcSecurityGroupIds"))
    for interface in data.get("NetworkInterfaces", ()):
        if "SecurityGroups" in interface:
            interface["Groups"] = interface.pop("SecurityGroups")
    if wanted.get("tagSpecifications"):
        data["TagSpecifications"] = [
            {"ResourceType": each["resourceType"], "Tags": tag_list(each.get("tags") or {})}
            for each in wanted["tagSpecifications"]
        ]
    return _with_flags(data)


def _with_flags(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: str(item).lower() == "true" if key in FLAGS else _with_flags(item) for key, item in value.items()
            }
        case list():
            return [_with_flags(item) for item in value]
        case _:
            return value


def inputs_of(data: dict[str, Any]) -> dict[str, Any]:
    """EC2's LaunchTemplateData as inputs."""
    said = lower_first(known(**{name: data.get(name[0].upper() + name[1:]) for name in (*PLAIN, *BLOCKS)}))
    for device in said.get("blockDeviceMappings", ()):
        for flag in {"deleteOnTermination", "encrypted"} & set(device.get("ebs", {})):
            device["ebs"][flag] = str(device["ebs"][flag]).lower()
    for interface in said.get("networkInterfaces", ()):
        interface["securityGroups"] = interface.pop("groups", None)
        for flag in {"deleteOnTermination", "associatePublicIpAddress"} & set(interface):
            interface[flag] = str(interface[flag]).lower()
    specifications = [
        {"resourceType": each["ResourceType"], "tags": tag_map(each.get("Tags"))}
        for each in data.get("TagSpecifications", ())
        if each["ResourceType"] != "launch-template"  # moto puts the template's own tags there
    ]
    return said | known(vpcSecurityGroupIds=data.get("SecurityGroupIds"), tagSpecifications=specifications or None)


def same_user_data(one: Any, other: Any) -> bool:
    """Whether two base64 texts contain the same bytes."""
    try:
        return base64.b64decode(one) == base64.b64decode(other)
    except (TypeError, ValueError):
        return one == other


def _create_template(aws: Aws, wanted: Wanted) -> str:
    made = (
        created_before(aws, "describe_launch_templates", wanted)
        or aws.client("ec2").create_launch_template(
            LaunchTemplateName=wanted["name"],
            LaunchTemplateData=template_data(wanted),
            **known(VersionDescription=wanted.get("description")),
            TagSpecifications=tag_specification("launch-template", wanted),
        )["LaunchTemplate"]
    )
    return made["LaunchTemplateId"]


def _new_version(aws: Aws, template_id: str, wanted: Wanted, changed: set[str]) -> None:
    ec2 = aws.client("ec2")
    if changed - {"updateDefaultVersion", "defaultVersion"}:
        ec2.create_launch_template_version(
            LaunchTemplateId=template_id,
            LaunchTemplateData=template_data(wanted),
            **known(VersionDescription=wanted.get("description")),
        )
    default = wanted.get("defaultVersion")
    if wanted.get("updateDefaultVersion"):
        default = _template(aws, template_id)["LatestVersionNumber"]
    if default:
        ec2.modify_launch_template(LaunchTemplateId=template_id, DefaultVersion=str(default))


def _template(aws: Aws, template_id: str) -> dict[str, Any]:
    return described_one(aws, "describe_launch_templates", LaunchTemplateIds=[template_id]) or {}


def _read_template(aws: Aws, template_id: str, _state: State) -> dict[str, Any] | None:
    template = _template(aws, template_id)
    if not template:
        return None
    asked = {"LaunchTemplateId": template_id, "Versions": [str(template["LatestVersionNumber"])]}
    latest = aws.client("ec2").describe_launch_template_versions(**asked)["LaunchTemplateVersions"][0]
    return {
        **inputs_of(latest["LaunchTemplateData"]),
        "name": template["LaunchTemplateName"],
        **known(description=latest.get("VersionDescription")),
        "defaultVersion": template["DefaultVersionNumber"],
        "latestVersion": template["LatestVersionNumber"],
        "arn": aws.arn("ec2", f"launch-template/{template_id}"),
        # moto's templates return the tags of their creation, even after changes.
        "tagsAll": tag_map(described(aws, "describe_tags", resource_id=template_id)),
    }


LAUNCH_TEMPLATE = Kind(
    type="aws:ec2/launchTemplate:LaunchTemplate",
    inputs={
        "name": Field(replaces=True),
        **each("description", "defaultVersion", "updateDefaultVersion", *PLAIN),
        "userData": Field(same=same_user_data),
        "vpcSecurityGroupIds": Field(same=same_set),
        "tagSpecifications": Field(inside=inside("resourceType", "tags"), same=same_set),
        "metadataOptions": Field(inside=inside(*_METADATA)),
        "monitoring": Field(inside=inside("enabled")),
        "iamInstanceProfile": Field(inside=inside("arn", "name")),
        "networkInterfaces": Field(inside=inside(*_INTERFACE)),
        "blockDeviceMappings": Field(
            inside=inside("deviceName", "noDevice", "virtualName", ebs=Field(inside=inside(*_EBS)))
        ),
    },
    outputs=("arn", "latestVersion", "defaultVersion"),
    volatile=("latestVersion", "defaultVersion"),
    calls=Calls(
        _create_template, _read_template, _new_version, deleting("ec2", "delete_launch_template", "LaunchTemplateId")
    ),
    retag=retag,
    naming=("name", 128),
)

KINDS = (LAUNCH_TEMPLATE,)
