"""The VPC that pods take their addresses from."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.arguments import checked
from eks_load_balancing.errors import one_of
from eks_load_balancing.network.subnets import plan_subnets
from eks_load_balancing.tags import named

NAT_MODES = ("none", "single", "per-zone")


class NetworkArgs(TypedDict):
    """What a `Network` takes."""

    cidr: str
    """The VPC's IPv4 range, between /16 and /23, such as `10.0.0.0/16`."""
    zones: Sequence[str]
    """Two or three availability zones of one region, by name; a third can be added later and nothing moves."""
    nat: NotRequired[str]
    """How private subnets reach the internet: `none`, `single` (one gateway for all zones; the default), `per-zone`."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for every resource made here."""


class Network(pulumi.ComponentResource):
    """A VPC over two or three zones, with a public and a private subnet in each.

    Subnets carry `kubernetes.io/role/elb` (public) or `kubernetes.io/role/internal-elb` (private): where load balancers
    go is said here. Without any role tag the controller guesses by route table. Nodes and pods belong in the private
    subnets; with `nat: none` these reach AWS only through VPC endpoints that you bring.
    """

    vpc_id: Output[str]
    """The VPC."""
    public_subnet_ids: Output[Sequence[str]]
    """Public subnets, in the order of the zones."""
    private_subnet_ids: Output[Sequence[str]]
    """Private subnets, in the order of the zones."""

    @checked
    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._prefix = name
        self._tags = args.get("tags")
        nat = one_of(args.get("nat", "single"), NAT_MODES, "nat")
        plan = plan_subnets(args["cidr"], args["zones"])
        super().__init__("eks-load-balancing:index:Network", name, opts=opts)

        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args["cidr"],
            enable_dns_support=True,
            enable_dns_hostnames=True,  # the private endpoint of the cluster is a name in the VPC
            tags=named(self._tags, name),
            opts=self._child(),
        )
        internet = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=vpc.id, tags=named(self._tags, name), opts=self._child()
        )
        public_routes = self._route_table("public", vpc)
        aws.ec2.Route(
            f"{name}-public-internet",
            route_table_id=public_routes.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=internet.id,
            opts=self._changing(),
        )

        public: list[aws.ec2.Subnet] = []
        private: list[aws.ec2.Subnet] = []
        gateways: list[aws.ec2.NatGateway] = []
        for zone in plan:
            subnet = self._subnet(vpc, zone.zone, zone.public, "public", "kubernetes.io/role/elb")
            self._associate(f"public-{zone.zone}", subnet, public_routes)
            public.append(subnet)
            if nat == "per-zone" or (nat == "single" and not gateways):
                gateways.append(self._nat_gateway(zone.zone, subnet, internet))
        for index, zone in enumerate(plan):
            subnet = self._subnet(vpc, zone.zone, zone.private, "private", "kubernetes.io/role/internal-elb")
            routes = self._route_table(f"private-{zone.zone}", vpc)
            self._associate(f"private-{zone.zone}", subnet, routes)
            private.append(subnet)
            if gateways:
                aws.ec2.Route(
                    f"{name}-private-{zone.zone}-internet",
                    route_table_id=routes.id,
                    destination_cidr_block="0.0.0.0/0",
                    nat_gateway_id=gateways[index % len(gateways)].id,
                    opts=self._changing(),
                )

        self.vpc_id = vpc.id
        self.public_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in public])
        self.private_subnet_ids = pulumi.Output.all(*[subnet.id for subnet in private])
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
            }
        )

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what holds an identity (addresses, ranges): it is protected when the component is."""
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))

    def _changing(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what is meant to change, and can be made again as it was."""
        return pulumi.ResourceOptions(parent=self, depends_on=list(after), protect=False)

    def _subnet(self, vpc: aws.ec2.Vpc, zone: str, cidr: str, kind: str, role: str) -> aws.ec2.Subnet:
        name = f"{self._prefix}-{kind}-{zone}"
        return aws.ec2.Subnet(
            name,
            vpc_id=vpc.id,
            availability_zone=zone,
            cidr_block=cidr,
            map_public_ip_on_launch=False,  # load balancers and NAT gateways bring their own public addresses
            tags=named(self._tags, name, **{role: "1"}),
            opts=self._child(),
        )

    def _route_table(self, kind: str, vpc: aws.ec2.Vpc) -> aws.ec2.RouteTable:
        name = f"{self._prefix}-{kind}"
        return aws.ec2.RouteTable(f"{name}-routes", vpc_id=vpc.id, tags=named(self._tags, name), opts=self._changing())

    def _associate(self, kind: str, subnet: aws.ec2.Subnet, routes: aws.ec2.RouteTable) -> None:
        aws.ec2.RouteTableAssociation(
            f"{self._prefix}-{kind}-routing", subnet_id=subnet.id, route_table_id=routes.id, opts=self._changing()
        )

    def _nat_gateway(self, zone: str, subnet: aws.ec2.Subnet, internet: aws.ec2.InternetGateway) -> aws.ec2.NatGateway:
        name = f"{self._prefix}-nat-{zone}"
        # An address needs the VPC's internet gateway, and must be gone before it:
        # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-igw-internet-access.html
        address = aws.ec2.Eip(f"{name}-address", domain="vpc", tags=named(self._tags, name), opts=self._child(internet))
        return aws.ec2.NatGateway(
            name,
            subnet_id=subnet.id,
            allocation_id=address.id,
            tags=named(self._tags, name),
            opts=self._changing(internet),
        )
