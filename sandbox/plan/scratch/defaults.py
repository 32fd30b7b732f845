"""The attributes that AWS gives load balancers, listeners and target groups: asked of it, not written down."""

from collections.abc import Callable
from typing import Any

from sandbox.network.elb.reading import mapping
from sandbox.plan.scratch.network import Network

_LISTENERS = {"application": ("HTTP", 80, "HTTP"), "network": ("TCP", 80, "TCP")}


def defaults(client: Callable[[str], Any], network: Network) -> dict[str, dict[str, str]]:
    """By `application`, `network`, `HTTP` and `TCP` (target groups) and `listener HTTP`, `listener TCP`.

    It makes one of each and deletes them again.
    """
    elb, found = client("elbv2"), dict[str, dict[str, str]]()
    subnets = [network.names.inside[s.id] for s in {s.zone: s for s in network.account.subnets}.values()]
    for kind, (protocol, port, group_protocol) in _LISTENERS.items():
        made = elb.create_load_balancer(Name=f"defaults-{kind}", Type=kind, Scheme="internal", Subnets=subnets)
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        group = elb.create_target_group(
            Name=f"defaults-{kind}", Protocol=group_protocol, Port=port, VpcId=network.vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        listener = elb.create_listener(
            LoadBalancerArn=arn,
            Protocol=protocol,
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )["Listeners"][0]["ListenerArn"]
        found[kind] = mapping(elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
        found[f"listener {protocol}"] = mapping(elb.describe_listener_attributes(ListenerArn=listener))
        found[group_protocol] = mapping(elb.describe_target_group_attributes(TargetGroupArn=group))
        elb.delete_load_balancer(LoadBalancerArn=arn)
        elb.delete_target_group(TargetGroupArn=group)
    found["HTTPS"], found["listener HTTPS"] = found["HTTP"], found["listener HTTP"]
    return found
