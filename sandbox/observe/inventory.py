"""Everything that belongs to load balancers in an account, read at once: documents, tags, groups, subnets, web ACLs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.network.balancers.documents import Document, Documents, Reader

_TAGS_AT_ONCE = 20


@dataclass(frozen=True)
class Inventory:
    """API documents, as boto3 gives them."""

    documents: Documents = field(default_factory=Documents)
    tags: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """ARN of a load balancer or target group -> its tags."""
    groups: dict[str, Document] = field(default_factory=dict[str, Document])
    """Security groups by id."""
    subnets: dict[str, Document] = field(default_factory=dict[str, Document])
    """By id."""
    web_acls: dict[str, str] = field(default_factory=dict[str, str])
    """Load balancer's ARN -> the web ACL's."""


def tags_of(elbv2: Any, arns: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The tags of resources of ELBv2."""
    for start in range(0, len(arns), _TAGS_AT_ONCE):
        for described in elbv2.describe_tags(ResourceArns=arns[start : start + _TAGS_AT_ONCE])["TagDescriptions"]:
            yield described["ResourceArn"], {t["Key"]: t["Value"] for t in described["Tags"]}


class Inventories:
    """Reads inventories of one account, again and again."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """`client` gives boto3's by the name of a service."""
        self._client = client
        self._reader = Reader(client("elbv2"), client("elb"), client("ec2"))

    def read(self, vpc: str) -> Inventory:
        """What there is in a VPC; blocking."""
        elbv2, ec2 = self._client("elbv2"), self._client("ec2")
        documents = self._reader.read()
        in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        arns = [b["LoadBalancerArn"] for b in documents.balancers]
        return Inventory(
            documents=documents,
            tags=dict(tags_of(elbv2, [*arns, *documents.groups])),
            groups={g["GroupId"]: g for g in ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]},
            subnets={s["SubnetId"]: s for s in ec2.describe_subnets(Filters=in_vpc)["Subnets"]},
            web_acls=dict(self._web_acls(documents.balancers)),
        )

    def _web_acls(self, balancers: list[Document]) -> Iterator[tuple[str, str]]:
        waf = self._client("wafv2")
        if not waf.list_web_acls(Scope="REGIONAL")["WebACLs"]:
            return
        for balancer in balancers:
            if balancer["Type"] == "application":
                found = waf.get_web_acl_for_resource(ResourceArn=balancer["LoadBalancerArn"]).get("WebACL")
                if found:
                    yield balancer["LoadBalancerArn"], found["ARN"]
