"""The table of types: everything that the stand-in knows about a resource is one `Kind` in one of these modules."""

from functools import cache
from importlib import import_module
from typing import Final

from sandbox.providers.aws.kind import Kind
from sandbox.providers.common.server import supported

MODULES: Final = (
    *("ec2.network", "ec2.ipv6", "ec2.routing", "ec2.security", "ec2.instances"),
    *("iam.roles", "iam.policies", "eks.clusters", "eks.nodes", "eks.access"),
    *("elb.target_groups", "elb.load_balancers", "elb.listeners", "elb.trust_stores"),
    *("acm", "other", "route53", "s3"),
)


@cache
def kinds() -> dict[str, Kind]:
    """Every type by its token."""
    modules = [import_module(f"{__name__}.{module}") for module in MODULES]
    return {kind.type: kind for module in modules for kind in module.KINDS}


def kind_of(token: str) -> Kind:
    """The type with a token such as `aws:ec2/vpc:Vpc`; a child's token begins with its parents', each with a `$`.

    Raises:
        ProviderError: The stand-in does not know it.
    """
    return supported(token.rpartition("$")[2], kinds())
