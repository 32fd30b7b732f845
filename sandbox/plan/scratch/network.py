"""An account's network, groups and certificates, made in the emulator; and who is which.

AWS chooses ids. What the emulator made stands for what the account has: `Names` carries one into the other, so that
manifests go in with the account's ids and results come out with them.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.plan.inputs.account import Account, Subnet

Client = Callable[[str], Any]
"""A boto3 client by the service's name."""
_LIFETIME = dt.timedelta(days=365)
_LONGEST_NAME = 64


@dataclass
class Names:
    """What manifests call a thing, and what the emulator calls it."""

    inside: dict[str, str] = field(default_factory=dict[str, str])
    """The account's id -> the emulator's."""
    shown: dict[str, str] = field(default_factory=dict[str, str])
    """The emulator's id -> what results show in its place."""
    known: set[str] = field(default_factory=set[str])
    """Every id and name that stands for something already."""

    def add(self, own: str, emulated: str) -> None:
        """An id of the account's, and the emulator's in its place."""
        self.known.add(own)
        self.inside[own] = emulated
        self.shown[emulated] = own

    def name(self, own: str, emulated: str = "") -> None:
        """A name, which is the same in the emulator, and the id of what has it."""
        self.known.add(own)
        if emulated:
            self.shown[emulated] = own

    def into(self, document: Any) -> Any:
        """A document with the emulator's ids."""
        return _replaced(document, self.inside)

    def out(self, document: Any) -> Any:
        """A document with the account's ids."""
        return _replaced(document, self.shown)


def _replaced(document: Any, names: dict[str, str]) -> Any:
    text = json.dumps(document)
    # The longest first: a name may be the beginning of another.
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return json.loads(text)


def tags(kind: str, given: dict[str, str]) -> list[dict[str, Any]]:
    """Tags of a new resource, as EC2 takes them: without those that only AWS gives."""
    pairs = [{"Key": key, "Value": value} for key, value in given.items() if not key.startswith("aws:")]
    return [{"ResourceType": kind, "Tags": pairs}] if pairs else []


@dataclass
class Network:
    """The VPC in the emulator."""

    client: Client
    account: Account
    names: Names
    vpc: str = ""
    public_table: str = ""
    ipv6: str = ""
    """The VPC's IPv6 range, a /56."""
    subnets: int = 0

    def build(self) -> None:
        """Make all that the account has."""
        ec2 = self.client("ec2")
        first, *more = self.account.vpc.cidrs
        made = ec2.create_vpc(CidrBlock=first, AmazonProvidedIpv6CidrBlock=True)["Vpc"]
        self.vpc = made["VpcId"]
        self.names.add(self.account.vpc.id, self.vpc)
        for cidr in more:
            ec2.associate_vpc_cidr_block(VpcId=self.vpc, CidrBlock=cidr)
        self.ipv6 = next((a["Ipv6CidrBlock"] for a in made.get("Ipv6CidrBlockAssociationSet") or []), "")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.public_table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=self.public_table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        for subnet in self.account.subnets:
            self.names.add(subnet.id, self.subnet(subnet))
        for group in self.account.security_groups:
            self.names.add(group.id, self.group(group.tags))
        for certificate in self.account.certificates:
            self.certificate(certificate.arn, certificate.domains)

    def subnet(self, wanted: Subnet) -> str:
        """Make a subnet; its id in the emulator."""
        ec2, more = self.client("ec2"), dict[str, Any]()
        if self.ipv6:
            more["Ipv6CidrBlock"] = f"{self.ipv6.removesuffix('00::/56')}{self.subnets:02x}::/64"
        self.subnets += 1
        made: str = ec2.create_subnet(
            VpcId=self.vpc,
            CidrBlock=wanted.cidr,
            AvailabilityZone=wanted.zone,
            TagSpecifications=tags("subnet", wanted.tags),
            **more,
        )["Subnet"]["SubnetId"]
        if wanted.public:
            ec2.associate_route_table(RouteTableId=self.public_table, SubnetId=made)
        return made

    def group(self, given: dict[str, str]) -> str:
        """Make a security group with these tags; its id in the emulator.

        The controller finds groups by id and by the tag `Name`. A group's own name may be one that only AWS gives.
        """
        made: str = self.client("ec2").create_security_group(
            GroupName=f"assumed-{uuid.uuid4()}",
            Description="assumed",
            VpcId=self.vpc,
            TagSpecifications=tags("security-group", given),
        )["GroupId"]
        return made

    def certificate(self, own: str, domains: Sequence[str]) -> None:
        """Import a certificate for these names."""
        certificate, key = self_signed(domains)
        made = self.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
        self.names.add(own, made)


def self_signed(domains: Sequence[str]) -> tuple[bytes, bytes]:
    """A certificate for these names and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domains[0][:_LONGEST_NAME])])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LIFETIME)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain) for domain in domains]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private
