"""The subnets for load balancers."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import own_balancers, tags_of
from eks_load_balancing.doctor.paths.network import availability, public_subnets
from eks_load_balancing.doctor.registry import Trouble, check
from eks_load_balancing.doctor.remedies import ROLE_TAGS

_DISCOVERY: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/"
_ALB_SUBNETS: Final = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer"
_CLUSTER: Final = "kubernetes.io/cluster/"
FREE_ADDRESSES: Final = 8
"""Free addresses that an ALB needs in each of its subnets."""
SMALLEST: Final = 27
"""The longest prefix of a subnet for an ALB."""


def _has_role(subnet: Object, scheme: str) -> bool:
    return tags_of(subnet).get(ROLE_TAGS[scheme]) in ("", "1")


def _place(subnet: Object) -> str:
    return f"subnet {subnet['SubnetId']} ({subnet['AvailabilityZone']})"


def _tagging(subnet: str, tag: str) -> str:
    return f"`aws ec2 create-tags --resources {subnet} --tags Key={tag},Value=1`"


@check(severity="medium", link=_DISCOVERY)
def subnets_are_tagged_for_load_balancers(facts: Facts) -> Iterator[Trouble]:
    """In zones with nodes, public subnets are tagged for internet-facing load balancers, private for internal.

    Without any tag the controller uses route tables, or finds no subnet; a zone without one gets no load balancer. An
    ALB needs two zones. Pods in a zone without the load balancer are reached from another zone, which costs money, or
    not at all. This ignores a zone without a public (or private) subnet.
    """
    public, zones = public_subnets(facts), availability(facts)
    with_nodes = {zones[i["SubnetId"]] for i in facts.instances if i.get("SubnetId") in zones}
    for scheme, tag in ROLE_TAGS.items():
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
                    f"none of its subnets has the tag {tag}=1, and it has nodes: {scheme} load balancers leave it out",
                    f"{_tagging(fitting[0]['SubnetId'], tag)} (fitting: {ids})",
                )


@check(link=_DISCOVERY)
def subnets_are_not_another_clusters(facts: Facts) -> Iterator[Trouble]:
    """A subnet tagged for load balancers is not tagged for other clusters alone.

    The controller ignores a subnet with only another cluster's tag: "couldn't auto-discover subnets".
    """
    for subnet in facts.subnets:
        clusters = {tag.removeprefix(_CLUSTER) for tag in tags_of(subnet) if tag.startswith(_CLUSTER)}
        if clusters and facts.name not in clusters and any(_has_role(subnet, scheme) for scheme in ROLE_TAGS):
            yield Trouble(
                _place(subnet),
                f"it has the tag {_CLUSTER}{min(clusters)} and not {_CLUSTER}{facts.name}: the controller ignores it",
                f"`aws ec2 create-tags --resources {subnet['SubnetId']} --tags"
                f" Key={_CLUSTER}{facts.name},Value=shared`",
            )


@check(link=_DISCOVERY)
def subnets_match_their_routes(facts: Facts) -> Iterator[Trouble]:
    """Subnets for internet-facing load balancers have a route to an internet gateway, internal ones have not.

    An internet-facing load balancer in a private subnet has a public name, but its addresses cannot be reached.
    """
    public = public_subnets(facts)
    for subnet in facts.subnets:
        identity, is_public = subnet["SubnetId"], subnet["SubnetId"] in public
        if _has_role(subnet, "internet-facing") and not is_public:
            yield Trouble(
                _place(subnet),
                f"it has the tag {ROLE_TAGS['internet-facing']}, and its route table has no internet gateway",
                f"`aws ec2 delete-tags --resources {identity} --tags Key={ROLE_TAGS['internet-facing']}`,"
                " or add the route",
            )
        if _has_role(subnet, "internal") and is_public:
            yield Trouble(
                _place(subnet),
                f"it has the tag {ROLE_TAGS['internal']}, and its route table leads to an internet gateway",
                f"`aws ec2 delete-tags --resources {identity} --tags Key={ROLE_TAGS['internal']}`",
            )
    one_a_zone = {z: s for s, z in availability(facts).items() if s in public}.values()
    for balancer in own_balancers(facts):
        for zone in balancer.get("AvailabilityZones", []):
            if balancer["Scheme"] == "internet-facing" and zone["SubnetId"] in availability(facts).keys() - public:
                yield Trouble(
                    f"load balancer {balancer['LoadBalancerName']}",
                    f"it is internet-facing, and its subnet {zone['SubnetId']} has no route to an internet gateway",
                    f"give it public subnets: `aws elbv2 set-subnets --load-balancer-arn {balancer['LoadBalancerArn']}"
                    f" --subnets {' '.join(one_a_zone) or 'SUBNETS'}`, or the subnets annotation of its object",
                )


@check(
    demand=f"Subnets for load balancers are /{SMALLEST} or larger, and have {FREE_ADDRESSES} addresses free.",
    link=_ALB_SUBNETS,
)
def subnets_have_room(facts: Facts) -> Iterator[Trouble]:
    """Without free addresses an ALB cannot be created or grow; pods use the same addresses."""
    for subnet in facts.subnets:
        if not subnet.get("CidrBlock") or not any(_has_role(subnet, scheme) for scheme in ROLE_TAGS):
            continue
        free, network = subnet["AvailableIpAddressCount"], ipaddress.ip_network(subnet["CidrBlock"])
        if network.prefixlen > SMALLEST:
            what = f"{network} is smaller than /{SMALLEST}"
        elif free < FREE_ADDRESSES:
            what = f"{free} addresses are free in {network}, and an ALB needs {FREE_ADDRESSES}"
        else:
            continue
        yield Trouble(
            _place(subnet),
            what,
            f"tag a larger subnet of {subnet['AvailabilityZone']} in its place, or free addresses",
            see=f"aws ec2 describe-network-interfaces --filters Name=subnet-id,Values={subnet['SubnetId']}",
        )
