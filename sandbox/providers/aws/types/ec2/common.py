"""Shared by all types of EC2: descriptions, tags, and how an interrupted creation finds its result."""

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.providers.aws.kind import Wanted, retagging, tag_list, tag_map
from sandbox.providers.aws.session import CREATION_TAG, Aws

retag = retagging(
    "ec2",
    lambda ec2, resource_id, keys: ec2.delete_tags(Resources=[resource_id], Tags=[{"Key": key} for key in keys]),
    lambda ec2, resource_id, tags: ec2.create_tags(Resources=[resource_id], Tags=tag_list(tags)),
)
"""Sets and removes tags of anything that has an id in EC2."""


def tag_specification(resource_type: str, wanted: Wanted) -> list[dict[str, Any]]:
    """The `TagSpecifications` of a creating call."""
    return [{"ResourceType": resource_type, "Tags": tag_list(wanted.all_tags)}]


def created_before(
    aws: Aws, operation: str, wanted: Wanted, gone: Collection[str] = (), **more: str
) -> dict[str, Any] | None:
    """The result of an interrupted run of this creation, if there is one.

    Args:
        aws: Where to look.
        operation: Of boto3, such as `describe_vpcs`.
        wanted: The resource to create.
        gone: States in which a result does not count.
        more: Further filters by name, `_` for `-`.
    """
    found = described(aws, operation, **{f"tag:{CREATION_TAG}": wanted.creation}, **more)
    ours = (one for one in found if tag_map(one.get("Tags")).get(CREATION_TAG) == wanted.creation)
    return next((one for one in ours if one.get("State") not in gone), None)


def described(aws: Aws, operation: str, **filters: str) -> list[dict[str, Any]]:
    """The results of a describing operation, filtered by single values; `_` in a filter's name means `-`."""
    asked = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    # Nearly all operations use this name for their filters; this one does not.
    keyword = "Filter" if operation == "describe_nat_gateways" else "Filters"
    return _first_list(getattr(aws.client("ec2"), operation)(**{keyword: asked}))


def described_one(aws: Aws, operation: str, **ids: list[str]) -> dict[str, Any] | None:
    """The resource with an id, such as `VpcIds=["vpc-1"]`; AWS raises InvalidVpcID.NotFound if it does not exist."""
    return next(iter(_first_list(getattr(aws.client("ec2"), operation)(**ids))), None)


def _first_list(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return next((value for value in answer.values() if isinstance(value, list)), [])
