"""Everything that belongs to load balancers in an account, read at once: documents, tags, groups, subnets, web ACLs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.network.elb.model import Document, LoadBalancer, LoadBalancing
from sandbox.network.elb.parsing import parsed
from sandbox.network.elb.reading import Reader, tags


@dataclass(frozen=True)
class Inventory:
    """Load balancers, and the API documents of what belongs to them."""

    balancing: LoadBalancing = field(default_factory=LoadBalancing)
    tags: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """ARN of a load balancer or target group -> its tags."""
    groups: dict[str, Document] = field(default_factory=dict[str, Document])
    """Security groups by id."""
    subnets: dict[str, Document] = field(default_factory=dict[str, Document])
    """By id."""
    web_acls: dict[str, str] = field(default_factory=dict[str, str])
    """Load balancer's ARN -> the web ACL's."""


class Inventories:
    """Reads inventories of one account, again and again."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        """`client` gives boto3's by the name of a service."""
        self._client = client
        self._reader = Reader(client("elbv2"), client("elb"), client("ec2"))

    def read(self, vpc: str) -> Inventory:
        """What there is in a VPC; blocking."""
        elbv2, ec2 = self._client("elbv2"), self._client("ec2")
        balancing = parsed(self._reader.read())
        in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
        arns = [balancer.arn for balancer in balancing.balancers]
        return Inventory(
            balancing=balancing,
            tags=dict(tags(elbv2, [*arns, *balancing.groups])),
            groups={g["GroupId"]: g for g in ec2.describe_security_groups(Filters=in_vpc)["SecurityGroups"]},
            subnets={s["SubnetId"]: s for s in ec2.describe_subnets(Filters=in_vpc)["Subnets"]},
            web_acls=dict(self._web_acls(balancing.balancers)),
        )

    def _web_acls(self, balancers: Iterable[LoadBalancer]) -> Iterator[tuple[str, str]]:
        waf = self._client("wafv2")
        if not waf.list_web_acls(Scope="REGIONAL")["WebACLs"]:
            return
        for balancer in balancers:
            if balancer.kind == "ALB":
                found = waf.get_web_acl_for_resource(ResourceArn=balancer.arn).get("WebACL")
                if found:
                    yield balancer.arn, found["ARN"]
