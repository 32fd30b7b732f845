"""The account that is planned against: a typical one, or what a file says of a real one.

The file is YAML or JSON; `eks_load_balancing.doctor --export` writes it. docs/plan.md shows it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from sandbox.plan.errors import PlanError

CLUSTER: Final = "plan"
REGION: Final = "us-west-2"
ACCOUNT: Final = "123456789012"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_name=True)


class Subnet(_Part):
    """A subnet of the VPC."""

    id: str
    zone: str
    cidr: str
    public: bool = False
    """Whether its route table leads to an internet gateway."""
    tags: dict[str, str] = {}


class Group(_Part):
    """A security group."""

    id: str
    name: str
    tags: dict[str, str] = {}


class Certificate(_Part):
    """A certificate of ACM, with the names that it is for."""

    arn: str
    domains: list[str] = Field(min_length=1)


class Vpc(_Part):
    """The cluster's VPC."""

    id: str
    cidrs: list[str] = Field(min_length=1)


class Account(_Part):
    """What a plan needs to know of an account."""

    region: str
    account: str = ACCOUNT
    cluster: str = CLUSTER
    vpc: Vpc
    subnets: list[Subnet] = Field(min_length=1)
    security_groups: list[Group] = []
    certificates: list[Certificate] = []


def typical(region: str = "", account: str = "") -> Account:
    """A VPC with public and private subnets in three zones, tagged as EKS asks for, with IPv4 and IPv6."""
    region = region or REGION
    subnets = [
        Subnet(
            id=f"subnet-{kind}{zone}",
            zone=f"{region}{zone}",
            cidr=f"10.0.{third}.0/{size}",
            public=kind == "public",
            tags={f"kubernetes.io/role/{role}": "1", "Name": f"{kind}-{zone}"},
        )
        for n, zone in enumerate("abc")
        for kind, role, third, size in (
            ("public", "elb", n, 24),
            ("private", "internal-elb", 32 * (n + 1), 19),
        )
    ]
    return Account(
        region=region, account=account or ACCOUNT, vpc=Vpc(id="vpc-typical", cidrs=["10.0.0.0/16"]), subnets=subnets
    )


def load(file: str) -> Account:
    """The account that a file describes.

    Raises:
        PlanError: it cannot be read, or is no description; the message names the key.
    """
    try:
        document = yaml.safe_load(Path(file).read_text())
        return Account.model_validate(document)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PlanError(f"--account {file} cannot be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise PlanError(
            f"--account {file}: {key}: {first['msg']}; `python -m eks_load_balancing.doctor --export FILE` writes one"
        ) from error


def document(account: Account) -> dict[str, Any]:
    """As the file has it."""
    return account.model_dump(by_alias=True, exclude_defaults=True)


def zones(account: Account) -> Sequence[str]:
    """The zones of its subnets, in order."""
    return sorted({subnet.zone for subnet in account.subnets})
