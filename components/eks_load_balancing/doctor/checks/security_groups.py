"""What may reach what."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.lookups import WEBHOOK_PORT, flags, own_balancers, own_groups, tags_of, webhook_addresses
from eks_load_balancing.doctor.network import (
    admitted,
    groups_of,
    interface_of,
    node_interfaces,
    protocols_of,
    ranges_of,
    where_from,
)
from eks_load_balancing.doctor.registry import Trouble, check

_TAGS: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/security_groups/"
_CLUSTER_GROUPS: Final = "https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html"


@check(
    "interfaces-have-one-tagged-security-group",
    demand="A node's interface with several security groups has exactly one that is tagged kubernetes.io/cluster/NAME.",
    severity="high",
    link=_TAGS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """The controller writes its rules into that one.

    With none or two it refuses: "expected exactly one securityGroup tagged with kubernetes.io/cluster/...".
    """
    tag = f"kubernetes.io/cluster/{facts.name}"
    also = [flags(d).get("service-target-eni-security-group-tags", "") for d in facts.deployments]
    pairs = [pair.partition("=") for text in also for pair in text.split(",") if pair]
    more = {name: value for name, _, value in pairs}
    tagged = {
        group["GroupId"]
        for group in facts.security_groups
        if tag in tags_of(group) and more.items() <= tags_of(group).items()
    }
    alike: dict[tuple[str, ...], list[str]] = {}
    for _, interface in node_interfaces(facts):
        groups = groups_of(interface)
        if len(groups) > 1 and len(tagged.intersection(groups)) != 1:
            alike.setdefault(tuple(groups), []).append(interface["NetworkInterfaceId"])
    for groups, interfaces in alike.items():
        both = [group for group in groups if group in tagged]
        yield Trouble(
            f"{len(interfaces)} node interfaces ({', '.join(interfaces[:3])})",
            f"{len(both)} of their security groups ({', '.join(groups)}) carry {tag}: {' and '.join(both) or 'none'}",
            f"aws ec2 delete-tags --resources {both[-1]} --tags Key={tag} (keep EKS's own)"
            if both
            else f"aws ec2 create-tags --resources {groups[0]} --tags Key={tag},Value=owned",
        )


@check(
    "webhook-port-is-open-to-the-control-plane",
    demand="The security groups of the controller's pods let the control plane reach its webhooks (TCP 9443).",
    severity="high",
    link=_CLUSTER_GROUPS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """Else every Service, Ingress and gated pod is refused: "failed calling webhook ... context deadline exceeded"."""
    if not facts.deployments:
        return
    given = flags(facts.deployments[0])
    port = int(given.get("webhook-bind-port", WEBHOOK_PORT))
    config = facts.cluster["resourcesVpcConfig"]
    plane = [g for g in (config.get("clusterSecurityGroupId"), *config.get("securityGroupIds", [])) if g]
    ranges = [r for s in facts.subnets if s["SubnetId"] in config.get("subnetIds", []) for r in ranges_of(s)]
    interfaces = [interface_of(facts, address) for address in webhook_addresses(facts)]
    shut = {
        tuple(groups_of(interface))
        for interface in interfaces
        if interface is not None and not admitted(facts, groups_of(interface), port, [*plane, *ranges])
    }
    for groups in sorted(shut):
        yield Trouble(
            f"the controller's pods, behind {', '.join(groups)}",
            f"no rule lets the control plane ({', '.join(plane)}) reach TCP {port}",
            f"aws ec2 authorize-security-group-ingress --group-id {groups[0]} --protocol tcp --port {port}"
            f" --source-group {plane[0] if plane else '...'}",
        )


@check(
    "load-balancers-reach-the-pods",
    demand="The security groups of a target's interface admit its load balancer at the target's port.",
    severity="high",
    link=_TAGS,
)
def _(facts: Facts) -> Iterator[Trouble]:
    """Targets that cannot be reached are unhealthy with Target.Timeout.

    The controller makes these rules for what it made. Other bindings get them by `spec.networking` alone.
    """
    balancers = {balancer["LoadBalancerArn"]: balancer for balancer in own_balancers(facts)}
    for group in own_groups(facts):
        serving = [balancers[arn] for arn in group.get("LoadBalancerArns", []) if arn in balancers]
        sources = [source for balancer in serving for source in where_from(facts, balancer)]
        if group["TargetType"] != "ip" or not sources:
            continue
        shut: dict[tuple[tuple[str, ...], int], list[str]] = {}
        for described in facts.health[group["TargetGroupArn"]]:
            target = described["Target"]
            interface = interface_of(facts, target["Id"])
            if interface is None:
                continue
            if not admitted(facts, groups_of(interface), target["Port"], sources, protocols_of(group)):
                shut.setdefault((tuple(groups_of(interface)), target["Port"]), []).append(target["Id"])
        protocol = protocols_of(group)[0]
        for (groups, port), addresses in shut.items():
            yield Trouble(
                f"target group {group['TargetGroupName']}",
                f"no rule of {', '.join(groups)} lets {sources[0]} reach {protocol.upper()} {port} of"
                f" {', '.join(addresses)}",
                f"aws ec2 authorize-security-group-ingress --group-id {groups[0]} --protocol {protocol} --port {port}"
                + (f" --source-group {sources[0]}" if sources[0].startswith("sg-") else f" --cidr {sources[0]}")
                + "; for a binding of yours, set spec.networking",
            )
