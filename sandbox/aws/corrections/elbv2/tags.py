"""Tags of all ELBv2 resources: at most 50, no duplicate keys, none with AWS's prefix.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
"""

from typing import Any

from moto.elbv2.models import ELBv2Backend

from sandbox.aws.corrections.elbv2.limits import check_tags
from sandbox.aws.corrections.elbv2.trust_stores import trust_stores
from sandbox.aws.patching import replace
from sandbox.aws.refusal import Refusal

_MOST = 20
"""Resources of a DescribeTags."""


def install() -> None:
    """Install the corrections."""
    replace(ELBv2Backend, "add_tags", add_tags)
    replace(ELBv2Backend, "describe_tags", describe_tags)
    find = ELBv2Backend._get_resource_by_arn

    def get_resource_by_arn(self: ELBv2Backend, arn: str) -> Any:
        return trust_stores(self).find(arn) if ":truststore/" in arn else find(self, arn)

    replace(ELBv2Backend, "_get_resource_by_arn", get_resource_by_arn)


def add_tags(self: ELBv2Backend, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
    """AddTags: to all resources, or to none."""
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
        check_tags(tags, *self.tagging_service.get_tag_dict_for_resource(arn))
    for arn in resource_arns:
        self.tagging_service.tag_resource(arn, tags)


def describe_tags(self: ELBv2Backend, resource_arns: list[str]) -> dict[str, dict[str, str]]:
    """DescribeTags, only for existing resources, and not for too many."""
    if len(resource_arns) > _MOST:
        raise Refusal("ValidationError", f"Up to '{_MOST}' resource ARNs can be specified")
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
    return {arn: self.tagging_service.get_tag_dict_for_resource(arn) for arn in resource_arns}
