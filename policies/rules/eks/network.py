"""The cluster's subnets, and which nodes are in them."""

from typing import Any

from kinds.aws import CLUSTER, NODE_GROUP, SUBNET
from pack.controls import CONTROLLER_DOCS, cis, guide, hub
from pack.registry import MEDIUM, Messages, Stack, View, number, rule, texts
from pack.values import Unknown, items


@rule(
    on=NODE_GROUP,
    instead="Give the node group's subnetIds private subnets",
    controls=[
        cis("5.4.3"),
        guide("security/hosts", "Deploy workers onto private subnets"),
        guide("networking/subnets", "Deploy Nodes to Private Subnets"),
    ],
    public_tags=texts(["kubernetes.io/role/elb"], "tags that mark a subnet as public"),
)
def nodes_run_in_private_subnets(group: View, stack: Stack, *, public_tags: list[str]) -> Messages:
    """Node groups use private subnets only.

    A node in a public subnet is one setting away from a public address. A subnet counts as public if it gives addresses
    away or is tagged for internet-facing load balancers.
    """
    for subnet in stack.named(group, "subnets", SUBNET, "id"):
        if subnet.public is True or any(_tagged(subnet, tag) for tag in public_tags):
            yield f"the node group is in the public subnet {subnet.name}"


@rule(
    on=CLUSTER,
    instead='Tag public subnets kubernetes.io/role/elb = "1" and private ones kubernetes.io/role/internal-elb = "1"',
    source=f"{CONTROLLER_DOCS}/deploy/subnet_discovery/",
    severity=MEDIUM,
    controls=[guide("networking/subnets", "VPC and Subnet Considerations")],
    role_tags=texts(
        ["kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"], "the tags, of which one must be set"
    ),
)
def subnets_carry_a_load_balancer_role(cluster: View, stack: Stack, *, role_tags: list[str]) -> Messages:
    """Each subnet of a cluster is tagged for public or for internal load balancers.

    Without tags the controller guesses by route table. A subnet with both may get an internet-facing load balancer next
    to the nodes.
    """
    for subnet in stack.named(cluster, "subnets", SUBNET, "id"):
        carried = [tag for tag in role_tags if _tagged(subnet, tag)]
        if len(carried) != 1:
            yield f"the subnet {subnet.name} carries {' and '.join(carried) or 'no load balancer role'}"


def _tagged(subnet: View, tag: str) -> bool:
    """Say whether a tag is set; an unknown value counts as set."""
    tags: Any = subnet.tags or {}
    if isinstance(tags, Unknown):
        return bool(tags)
    return isinstance(tags.get(tag), Unknown) or tags.get(tag) in ("1", "")


@rule(
    on=CLUSTER,
    instead="Give the cluster subnets of different availability zones",
    source="https://docs.aws.amazon.com/eks/latest/best-practices/subnets.html",
    severity=MEDIUM,
    controls=[hub("ELB.13"), guide("networking/subnets", "Consider Multi-AZ Deployment")],
    min_zones=number(2, "how many zones"),
)
def cluster_spans_two_zones(cluster: View, stack: Stack, *, min_zones: float) -> Messages:
    """The cluster's subnets lie in two availability zones or more.

    EKS and ALBs refuse a single zone, and a cluster in one zone fails with it.
    """
    subnets = stack.named(cluster, "subnets", SUBNET, "id")
    places = [subnet.zone if subnet.zone is not None else subnet.zone_id for subnet in subnets]
    listed = 2 if isinstance(cluster.subnets, Unknown) else len(items(cluster.subnets))
    if len(places) < listed:
        return  # other subnets are not this stack's
    zones = {place for place in places if isinstance(place, str)}
    if places and all(isinstance(place, str) for place in places) and len(zones) < min_zones:
        yield f"the cluster's subnets all lie in {', '.join(sorted(zones))}"
