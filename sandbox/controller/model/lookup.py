"""What the model has to know of AWS, asked through one interface: a test gives a fake, the controller gives AWS."""

from dataclasses import dataclass
from typing import Protocol

from sandbox.controller.model.stack import Json


@dataclass(frozen=True)
class Existing:
    """The stack's load balancer as it is now."""

    scheme: str
    subnet_ids: tuple[str, ...]
    has_security_groups: bool


class Lookup(Protocol):
    """AWS facts. Everything is in AWS's shape; what is not there raises ModelError."""

    def subnets(self) -> list[Json]:
        """All subnets of the VPC."""
        ...

    def public_subnets(self) -> frozenset[str]:
        """Ids of those whose route table leads to an internet gateway."""
        ...

    def zone_type(self, zone_id: str) -> str:
        """`availability-zone`, `local-zone` or `wavelength-zone`."""
        ...

    def vpc_cidrs(self, family: str) -> list[str]:
        """The VPC's CIDRs, `family` is ipv4 or ipv6."""
        ...

    def security_groups(self, names_or_ids: list[str]) -> list[str]:
        """Ids of security groups given by id or Name tag."""
        ...

    def certificates(self, hosts: list[str]) -> list[str]:
        """ARNs of the ACM certificates that cover `hosts`, sorted."""
        ...

    def target_group(self, name: str) -> str:
        """ARN of the target group of that name."""
        ...

    def trust_store(self, name: str) -> str:
        """ARN of the trust store of that name."""
        ...

    def web_acl(self, name: str) -> str:
        """ARN of the regional WAFv2 web ACL of that name."""
        ...

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """The data of a Secret."""
        ...
