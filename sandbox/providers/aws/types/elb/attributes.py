"""What load balancers, listeners and target groups have in common: attributes, tags. All ids are ARNs."""

from collections.abc import Mapping
from typing import Any

from sandbox.providers.aws.kind import Wanted, retagging, tag_list, tag_map


def attribute_text(value: Any) -> str:
    """A property's value in ELB's attribute format.

    Example:
        >>> attribute_text(True)
        'true'
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def attribute_value(text: str) -> Any:
    """The inverse of `attribute_text`."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.lstrip("-").isdigit() else text


def attributes(names: Mapping[str, str], wanted: Wanted, changed: set[str]) -> list[dict[str, str]]:
    """The changed ones in ELB's form; `names` has the attribute of each property."""
    given = {name: wanted.get(name) for name in names if name in changed and wanted.get(name) is not None}
    return [{"Key": names[name], "Value": attribute_text(value)} for name, value in given.items()]


def read_attributes(names: Mapping[str, str], listed: Any) -> dict[str, Any]:
    """The inverse of `attributes`."""
    found = {each["Key"]: each["Value"] for each in listed}
    return {name: attribute_value(found[key]) for name, key in names.items() if key in found}


def tags_of(elb: Any, arn: str) -> dict[str, str]:
    """The tags of any ELB resource."""
    return tag_map(elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0].get("Tags"))


retag = retagging(
    "elbv2",
    lambda elb, arn, keys: elb.remove_tags(ResourceArns=[arn], TagKeys=keys),
    lambda elb, arn, tags: elb.add_tags(ResourceArns=[arn], Tags=tag_list(tags)),
)
"""Sets and removes tags of any ELB resource."""


def suffix(arn: str) -> str:
    """The part of an ARN that identifies a load balancer or target group in CloudWatch."""
    return arn.split(":", 5)[5].removeprefix("loadbalancer/")
