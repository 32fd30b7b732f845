"""Where load balancers can be put."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import own_balancers, tags_of
from eks_load_balancing.doctor.network import availability, public_subnets
from eks_load_balancing.doctor.registry import Trouble, check

_DISCOVERY: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/"
_ALB_SUBNETS: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer"
_ROLES: Final = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
_CLUSTER: Final = "kubernetes.io/cluster/"
FREE_ADDRESSES: Final = 8
"""What an ALB wants free in each of its subnets."""
SMALLEST: Final = 27
"""The longest prefix that an ALB's subnet may have."""


def _has_role(subnet: Object, scheme: str) -> bool:
    return tags_of(subnet).get(_ROLES[scheme]) in ("", "1")


def _place(subnet: Object) -> str:
    return f"subnet {subnet['SubnetId']} ({subnet['AvailabilityZone']})"


def _tagging(subnet: str, tag: str) -> str:
    return f"aws ec2 create-tags --resources {subnet} --tags Key={tag},Value=1"


@check(
    "subnets-are-tagged-for-load-balancers",
    demand="In zones with nodes public subnets are tagged for internet-facing load balancers, private for internal.",
    severity="medium",
    link=_DISCOVERY,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """Without any the controller guesses by route table, or finds none; a zone without one gets no load balancer.

    An ALB wants two zones. Pods in a zone without the load balancer are reached from another, for money, or not at all.
    A zone without a public (or private) subnet is not asked for one.
    """
    public, zones = public_subnets(facts), availability(facts)
    with_nodes = {zones[i["SubnetId"]] for i in facts.instances if i.get("SubnetId") in zones}
    for scheme, tag in _ROLES.items():
        for zone in sorted(with_nodes):
            fitting = [
                s
                for s in facts.subnets
                if s["AvailabilityZone"] == zone and (s["SubnetId"] in public) == (scheme == "internet-facing")
            ]
            if fitting and not any(_has_role(s, scheme) for s in facts.subnets if s["AvailabilityZone"] == zone):
                ids = ", ".join(s["SubnetId"] for s in fitting)
                yield Trouble(
                    f"zone {zone}",
                    f"none of its subnets carries {tag}=1, and it has nodes: {scheme} load balancers leave it out",
                    f"{_tagging(fitting[0]['SubnetId'], tag)} (fitting: {ids})",
                )


@check(
    "subnets-are-not-another-clusters",
    demand="A subnet tagged for load balancers is not tagged for other clusters alone.",
    severity="high",
    link=_DISCOVERY,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A subnet with the tag of some cluster and not of this one is passed over: "couldn't auto-discover subnets"."""
    for subnet in facts.subnets:
        clusters = {tag.removeprefix(_CLUSTER) for tag in tags_of(subnet) if tag.startswith(_CLUSTER)}
        if clusters and facts.name not in clusters and any(_has_role(subnet, scheme) for scheme in _ROLES):
            yield Trouble(
                _place(subnet),
                f"it carries {_CLUSTER}{min(clusters)} and not {_CLUSTER}{facts.name}: the controller passes it over",
                f"aws ec2 create-tags --resources {subnet['SubnetId']} --tags Key={_CLUSTER}{facts.name},Value=shared",
            )


@check(
    "subnets-match-their-routes",
    demand="Subnets tagged for internet-facing load balancers lead to an internet gateway, those for internal not.",
    severity="high",
    link=_DISCOVERY,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """An internet-facing load balancer in a private subnet gets a public name and addresses that nobody reaches."""
    public = public_subnets(facts)
    for subnet in facts.subnets:
        identity, is_public = subnet["SubnetId"], subnet["SubnetId"] in public
        if _has_role(subnet, "internet-facing") and not is_public:
            yield Trouble(
                _place(subnet),
                f"it carries {_ROLES['internet-facing']} and its route table has no internet gateway",
                f"aws ec2 delete-tags --resources {identity} --tags Key={_ROLES['internet-facing']}, or add the route",
            )
        if _has_role(subnet, "internal") and is_public:
            yield Trouble(
                _place(subnet),
                f"it carries {_ROLES['internal']} and its route table leads to an internet gateway",
                f"aws ec2 delete-tags --resources {identity} --tags Key={_ROLES['internal']}",
            )
    for balancer in own_balancers(facts):
        for zone in balancer.get("AvailabilityZones", []):
            if balancer["Scheme"] == "internet-facing" and zone["SubnetId"] in availability(facts).keys() - public:
                yield Trouble(
                    f"load balancer {balancer['LoadBalancerName']}",
                    f"it is internet-facing and lies in {zone['SubnetId']}, which has no route to an internet gateway",
                    f"give it public subnets: aws elbv2 set-subnets --load-balancer-arn {balancer['LoadBalancerArn']}"
                    " --subnets ..., or the annotation for subnets on its object",
                )


@check(
    "subnets-have-room",
    demand=f"Subnets for load balancers are /{SMALLEST} or larger, and have {FREE_ADDRESSES} addresses free.",
    severity="high",
    link=_ALB_SUBNETS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """An ALB is not made where they are not free, and cannot grow where they run out; pods take them, too."""
    for subnet in facts.subnets:
        if not subnet.get("CidrBlock") or not any(_has_role(subnet, scheme) for scheme in _ROLES):
            continue
        free, network = subnet["AvailableIpAddressCount"], ipaddress.ip_network(subnet["CidrBlock"])
        if network.prefixlen > SMALLEST:
            what = f"{network} is smaller than /{SMALLEST}"
        elif free < FREE_ADDRESSES:
            what = f"{free} addresses are free in {network}, an ALB wants {FREE_ADDRESSES}"
        else:
            continue
        yield Trouble(
            _place(subnet),
            what,
            f"tag a larger subnet of {subnet['AvailabilityZone']} in its place, or free addresses: pods and interfaces"
            f" are in `aws ec2 describe-network-interfaces --filters Name=subnet-id,Values={subnet['SubnetId']}`",
        )
