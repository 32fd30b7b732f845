"""Which traffic is allowed: security groups, and NetworkPolicies."""

import json
from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.doctor.lookups import (
    WEBHOOK_PORT,
    flags,
    key,
    own_balancers,
    own_groups,
    pod_at,
    tags_of,
    webhook_addresses,
)
from eks_load_balancing.doctor.paths.network import (
    admitted,
    groups_of,
    interface_of,
    node_interfaces,
    ranges_of,
    where_from,
)
from eks_load_balancing.doctor.paths.workloads import deniers
from eks_load_balancing.doctor.registry import Trouble, check

_TAGS: Final = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/security_groups/"
_CLUSTER_GROUPS: Final = "https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html"


@check(link=_TAGS)
def interfaces_have_one_tagged_security_group(facts: Facts) -> Iterator[Trouble]:
    """A node's interface with several security groups has exactly one that is tagged kubernetes.io/cluster/NAME.

    The controller writes its rules into this group. With none or two it refuses: "expected exactly one securityGroup
    tagged with kubernetes.io/cluster/...".
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
            f"`aws ec2 delete-tags --resources {_spare(facts, both)} --tags Key={tag}` (EKS's own group keeps its tag)"
            if both
            else f"`aws ec2 create-tags --resources {groups[0]} --tags Key={tag},Value=owned`",
        )


@check(link=_CLUSTER_GROUPS)
def webhook_port_is_open_to_the_control_plane(facts: Facts) -> Iterator[Trouble]:
    """The security groups of the controller's pods let the control plane reach its webhooks (TCP 9443).

    Otherwise Services and gated pods are refused: "failed calling webhook ... context deadline exceeded".
    """
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
            f"`aws ec2 authorize-security-group-ingress --group-id {groups[0]} --protocol tcp --port {port}"
            f" --source-group {plane[0] if plane else 'GROUP'}`",
        )


@check(severity="medium", link="https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html")
def network_policies_admit_load_balancers(facts: Facts) -> Iterator[Trouble]:
    """NetworkPolicies that isolate a target's pod admit its load balancer at the target's port.

    A load balancer is not a pod: only an ipBlock (or a rule without `from`) allows it, namespace selectors never do.
    Kubernetes needs a network plugin that enforces policies; in the VPC CNI this is an option.
    """
    balancers = {balancer["LoadBalancerArn"]: balancer for balancer in own_balancers(facts)}
    shut: dict[tuple[str, str, tuple[str, ...], int], dict[str, None]] = {}
    for group in own_groups(facts):
        serving = [balancers[arn] for arn in group.get("LoadBalancerArns", []) if arn in balancers]
        ranges = [s for balancer in serving for s in where_from(facts, balancer) if not s.startswith("sg-")]
        for described in facts.health[group["TargetGroupArn"]] if group["TargetType"] == "ip" and ranges else ():
            port = described["Target"].get("Port", 0)
            pod = pod_at(facts, described["Target"]["Id"], port)
            for policy in deniers(facts, pod, port, ranges) if pod is not None else ():
                shut.setdefault((*key(policy), tuple(ranges), port), {})[key(pod or {})[1]] = None
    for (namespace, name, ranges, port), pods in shut.items():
        rule = {"from": [{"ipBlock": {"cidr": block}} for block in dict.fromkeys(ranges)], "ports": [{"port": port}]}
        patch = json.dumps([{"op": "add", "path": "/spec/ingress/-", "value": rule}])
        empty = not next(p for p in facts.network_policies if key(p) == (namespace, name))["spec"].get("ingress")
        first = json.dumps([{"op": "add", "path": "/spec/ingress", "value": [rule]}])
        yield Trouble(
            f"NetworkPolicy {namespace}/{name}",
            f"it admits nothing from the load balancer's subnets ({', '.join(dict.fromkeys(ranges))}) to port {port} of"
            f" {', '.join(pods)}",
            f"`kubectl patch networkpolicy -n {namespace} {name} --type=json -p '{first if empty else patch}'`",
            namespace,
        )


def _spare(facts: Facts, groups: list[str]) -> str:
    """Return the last of some security groups that is not the cluster's own."""
    own = facts.cluster["resourcesVpcConfig"].get("clusterSecurityGroupId")
    return [group for group in groups if group != own][-1]
