"""Names that two clusters must not share."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.lookups import tagged, tags_of
from eks_load_balancing.doctor.registry import Trouble, check

_TAGS: Final = (
    "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#resource-tags"
)


@check(link=_TAGS)
def cluster_name_is_unique(facts: Facts) -> Iterator[Trouble]:
    """Nothing in another VPC of the account and region carries this cluster's name as the controller's tag.

    A controller recognises its resources only by this tag, and deletes those of another cluster with the same name.
    Self-managed clusters count too, and so do resources that an earlier cluster with that name left behind.
    """
    elsewhere: dict[str, list[str]] = {}
    for balancer in facts.load_balancers:
        if tagged(facts, balancer["LoadBalancerArn"]) is not None:
            elsewhere.setdefault(balancer["VpcId"], []).append(f"load balancer {balancer['LoadBalancerName']}")
    for group in facts.target_groups:
        if group.get("VpcId") and tagged(facts, group["TargetGroupArn"]) is not None:
            elsewhere.setdefault(group["VpcId"], []).append(f"target group {group['TargetGroupName']}")
    for group in facts.security_groups:
        if tags_of(group).get(TAG) == facts.name:
            elsewhere.setdefault(group["VpcId"], []).append(f"security group {group['GroupId']}")
    for vpc, things in elsewhere.items():
        if vpc != facts.vpc:
            more = f" and {len(things) - 3} more" if len(things) > 3 else ""  # noqa: PLR2004 - as many as fit in a line
            yield Trouble(
                f"VPC {vpc}",
                f"{', '.join(things[:3])}{more} carry {TAG}={facts.name}, and the cluster is in {facts.vpc}",
                "give one cluster another name (which replaces it), or delete what an old cluster left behind",
            )
