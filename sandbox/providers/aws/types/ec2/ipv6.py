"""IPv6 blocks of VPCs."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, known
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.ec2.common import described
from sandbox.providers.common.fields import Field


def _associate(aws: Aws, wanted: Wanted) -> str:
    # An association has no tags: like the real provider, this cannot find what an interrupted creation made.
    made = aws.client("ec2").associate_vpc_cidr_block(
        VpcId=wanted["vpcId"],
        **known(
            AmazonProvidedIpv6CidrBlock=wanted.get("assignGeneratedIpv6CidrBlock"),
            Ipv6CidrBlock=wanted.get("ipv6CidrBlock"),
        ),
    )
    return made["Ipv6CidrBlockAssociation"]["AssociationId"]


def _found(aws: Aws, association_id: str) -> dict[str, Any] | None:
    """The association, with its VPC."""
    vpcs = described(aws, "describe_vpcs", **{"ipv6-cidr-block-association.association-id": association_id})
    blocks = [{"VpcId": vpc["VpcId"], **block} for vpc in vpcs for block in vpc["Ipv6CidrBlockAssociationSet"]]
    return next((block for block in blocks if block["AssociationId"] == association_id and _is_there(block)), None)


def _is_there(block: dict[str, Any]) -> bool:
    return block["Ipv6CidrBlockState"]["State"] not in ("disassociating", "disassociated")


def _read(aws: Aws, association_id: str, _state: State) -> dict[str, Any] | None:
    found = _found(aws, association_id)
    return found and {
        "vpcId": found["VpcId"],
        "assignGeneratedIpv6CidrBlock": found.get("Ipv6Pool") == "Amazon",
        "ipv6CidrBlock": found["Ipv6CidrBlock"],
    }


def _ready(aws: Aws, association_id: str) -> bool:
    found = _found(aws, association_id)
    return found is not None and found["Ipv6CidrBlockState"]["State"] == "associated"


ASSOCIATION = Kind(
    type="aws:ec2/vpcIpv6CidrBlockAssociation:VpcIpv6CidrBlockAssociation",
    inputs={
        "vpcId": Field(required=True, replaces=True),
        "assignGeneratedIpv6CidrBlock": Field(replaces=True, default=False),
        "ipv6CidrBlock": Field(replaces=True),
    },
    calls=Calls(_associate, _read, None, deleting("ec2", "disassociate_vpc_cidr_block", "AssociationId")),
    ready=_ready,
)

KINDS = (ASSOCIATION,)
