"""What carries the cluster's tag and belongs to no object any more."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.controller_policy import TAG
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import stack_of, stacks, tagged, tags_of
from eks_load_balancing.doctor.registry import Trouble, check

_TAGS: Final = (
    "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#resource-tags"
)
_INTERFACES: Final = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html"
_CNI_TAG: Final = "cluster.k8s.amazonaws.com/name"


def _is_orphan(facts: Facts, tags: dict[str, str]) -> bool:
    """Return whether tags name a stack that no object stands for."""
    stack = stack_of(tags)
    return stack is not None and stack not in stacks(facts)


def _left(facts: Facts, things: tuple[Object, ...], kind: str) -> Iterator[tuple[Object, str]]:
    """Walk over what the controller made for this cluster and nothing stands for, each with its stack."""
    for thing in things:
        tags = tagged(facts, thing[f"{kind}Arn"])
        if tags is not None and thing.get("VpcId") == facts.vpc and _is_orphan(facts, dict(tags)):
            yield thing, stack_of(tags) or ""


def _gone(stack: str, facts: Facts) -> str:
    return f"it was made for {stack} of cluster {facts.name}, and no Service, Ingress or Gateway of that name is there"


@check(
    "no-load-balancer-is-left-over",
    demand="Every load balancer that the controller made belongs to a Service, Ingress or Gateway.",
    severity="medium",
    link=_TAGS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """A controller that was removed first, or a finalizer that was taken away by hand, leaves it.

    It is paid for, and answers.
    """
    for balancer, stack in _left(facts, facts.load_balancers, "LoadBalancer"):
        yield Trouble(
            f"load balancer {balancer['LoadBalancerName']}",
            _gone(stack, facts),
            f"aws elbv2 delete-load-balancer --load-balancer-arn {balancer['LoadBalancerArn']}",
        )


@check(
    "no-target-group-is-left-over",
    demand="Every target group that the controller made belongs to a Service, Ingress or Gateway.",
    severity="low",
    link=_TAGS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """It costs nothing, but an account has a quota of them, and its name is taken."""
    for group, stack in _left(facts, facts.target_groups, "TargetGroup"):
        yield Trouble(
            f"target group {group['TargetGroupName']}",
            _gone(stack, facts),
            f"aws elbv2 delete-target-group --target-group-arn {group['TargetGroupArn']}",
        )


@check(
    "no-security-group-is-left-over",
    demand="Every security group that the controller made belongs to a Service, Ingress or Gateway.",
    severity="low",
    link=_TAGS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """It keeps the VPC from being deleted, together with the rules that name it."""
    for group in facts.security_groups:
        tags = tags_of(group)
        if tags.get(TAG) == facts.name and group.get("VpcId") == facts.vpc and _is_orphan(facts, tags):
            yield Trouble(
                f"security group {group['GroupId']} ({group.get('GroupName', '')})",
                _gone(stack_of(tags) or "", facts),
                f"aws ec2 delete-security-group --group-id {group['GroupId']} (first the rules that name it)",
            )


@check(
    "no-interface-is-left-over",
    demand="No network interface with the cluster's tag is attached to nothing, or of a load balancer that is gone.",
    severity="low",
    link=_INTERFACES,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """It holds an address, its security groups and the subnet; `pulumi destroy` of the network waits for it in vain."""
    balancers = {b["LoadBalancerArn"].partition(":loadbalancer/")[2] for b in facts.load_balancers}
    for interface in facts.network_interfaces:
        tags, description = tags_of(interface), interface.get("Description", "")
        own = facts.name in (tags.get(TAG), tags.get(_CNI_TAG)) or f"kubernetes.io/cluster/{facts.name}" in tags
        balancer = description.removeprefix("ELB ") if description.startswith(("ELB app/", "ELB net/")) else None
        if own and interface.get("Status") == "available":
            what = f"it carries the cluster's tag and is attached to nothing ({description or 'no description'})"
        elif own and balancer is not None and balancer not in balancers:
            what = f"its load balancer {balancer} is not there any more"
        else:
            continue
        yield Trouble(
            f"network interface {interface['NetworkInterfaceId']}",
            what,
            f"aws ec2 delete-network-interface --network-interface-id {interface['NetworkInterfaceId']}",
        )
