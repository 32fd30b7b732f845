"""Resources with the cluster's tag that no longer belong to an object."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import stack_of, stacks, tagged, tags_of
from eks_load_balancing.doctor.registry import Trouble, check

_TAGS: Final = (
    "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#resource-tags"
)
_INTERFACES: Final = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html"
_CNI_TAG: Final = "cluster.k8s.amazonaws.com/name"


def _is_orphan(facts: Facts, tags: dict[str, str]) -> bool:
    """Return whether tags name a stack that no object has."""
    stack = stack_of(tags)
    return stack is not None and stack not in stacks(facts)


def _left(facts: Facts, things: tuple[Object, ...], kind: str) -> Iterator[Trouble]:
    """Yield what the controller made for this cluster and no object needs: `load balancer`s or `target group`s."""
    key, command = kind.title().replace(" ", ""), kind.replace(" ", "-")
    for thing in things:
        arn = thing[f"{key}Arn"]
        tags = tagged(facts, arn)
        if tags is not None and thing.get("VpcId") == facts.vpc and _is_orphan(facts, dict(tags)):
            yield Trouble(
                f"{kind} {thing[f'{key}Name']}",
                _gone(stack_of(tags) or "", facts),
                f"`aws elbv2 delete-{command} --{command}-arn {arn}`",
            )


def _gone(stack: str, facts: Facts) -> str:
    return f"it was made for {stack} of cluster {facts.name}, and no Service, Ingress or Gateway of that name exists"


@check(severity="medium", link=_TAGS)
def no_load_balancer_is_left_over(facts: Facts) -> Iterator[Trouble]:
    """Every load balancer that the controller made belongs to a Service, Ingress or Gateway.

    It is left behind if the controller or a finalizer was removed first. It costs money, and it still answers.
    """
    return _left(facts, facts.load_balancers, "load balancer")


@check(severity="low", link=_TAGS)
def no_target_group_is_left_over(facts: Facts) -> Iterator[Trouble]:
    """Every target group that the controller made belongs to a Service, Ingress or Gateway.

    It is free, but it counts against the account's quota, and its name is taken.
    """
    return _left(facts, facts.target_groups, "target group")


@check(severity="low", link=_TAGS)
def no_security_group_is_left_over(facts: Facts) -> Iterator[Trouble]:
    """Every security group that the controller made belongs to a Service, Ingress or Gateway.

    The VPC cannot be deleted while it exists, and neither can groups whose rules name it.
    """
    for group in facts.security_groups:
        tags = tags_of(group)
        if tags.get(TAG) == facts.name and group.get("VpcId") == facts.vpc and _is_orphan(facts, tags):
            yield Trouble(
                f"security group {group['GroupId']} ({group.get('GroupName', '')})",
                _gone(stack_of(tags) or "", facts),
                f"`aws ec2 delete-security-group --group-id {group['GroupId']}`, after the rules that name it",
            )


@check(severity="low", link=_INTERFACES)
def no_interface_is_left_over(facts: Facts) -> Iterator[Trouble]:
    """Every network interface with the cluster's tag is in use, and its load balancer exists.

    It occupies an address, and its security groups and subnet cannot be deleted: `pulumi destroy` fails.
    """
    balancers = {b["LoadBalancerArn"].partition(":loadbalancer/")[2] for b in facts.load_balancers}
    for interface in facts.network_interfaces:
        tags, description = tags_of(interface), interface.get("Description", "")
        own = facts.name in (tags.get(TAG), tags.get(_CNI_TAG)) or f"kubernetes.io/cluster/{facts.name}" in tags
        balancer = description.removeprefix("ELB ") if description.startswith(("ELB app/", "ELB net/")) else None
        if own and interface.get("Status") == "available":
            what = f"it has the cluster's tag and is attached to nothing ({description or 'no description'})"
        elif own and balancer is not None and balancer not in balancers:
            what = f"its load balancer {balancer} does not exist any more"
        else:
            continue
        yield Trouble(
            f"network interface {interface['NetworkInterfaceId']}",
            what,
            f"`aws ec2 delete-network-interface --network-interface-id {interface['NetworkInterfaceId']}`",
        )
