"""A name in DNS for a load balancer."""

from typing import Final, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing import errors
from eks_load_balancing.arguments import checked

KINDS: Final = ("application", "network")


class LoadBalancerRecordArgs(TypedDict):
    """What a `LoadBalancerRecord` takes."""

    host: Input[str]
    """The name that the load balancer gets, such as `shop.example.com`; a zone's own name too."""
    zone_id: Input[str]
    """The Route 53 hosted zone of that name."""
    load_balancer_type: str
    """`application` (an ALB) or `network` (an NLB)."""
    load_balancer_host: Input[str]
    """The load balancer's DNS name: `host_name` of the component that has it."""
    region: Input[str]
    """The load balancer's region."""


class LoadBalancerRecord(pulumi.ComponentResource):
    """An alias record: the name answers with the load balancer's addresses, as long as it is healthy."""

    host: Output[str]
    """The whole name."""

    @checked
    def __init__(self, name: str, args: LoadBalancerRecordArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        kind = errors.one_of(args["load_balancer_type"], KINDS, "load_balancer_type")
        super().__init__("eks-load-balancing:index:LoadBalancerRecord", name, opts=opts)
        zone = aws.lb.get_hosted_zone_id_output(
            region=args["region"], load_balancer_type=kind, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        record = aws.route53.Record(
            f"{name}-record",
            zone_id=args["zone_id"],
            name=args["host"],
            type="A",
            aliases=[{"name": args["load_balancer_host"], "zone_id": zone.id, "evaluate_target_health": True}],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.host = record.fqdn
        self.register_outputs({"host": self.host})
