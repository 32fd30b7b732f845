"""IAM's trust in a cluster's issuer."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.arguments import checked
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.identity.trust import STS_AUDIENCE, without_scheme


class OidcProviderArgs(TypedDict):
    """What an `OidcProvider` takes."""

    issuer_url: Input[str]
    """The issuer of the cluster's service account tokens, with `https://`, as DescribeCluster gives it."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the provider."""


class OidcProvider(pulumi.ComponentResource):
    """The IAM OIDC provider of a cluster's issuer, for one audience: STS.

    An account holds one provider an issuer. Thumbprints are left to IAM, which trusts the public roots that EKS's
    issuers are signed by.
    """

    arn: Output[str]
    """The provider's ARN: the principal in the trust policies of its roles."""
    issuer: Output[str]
    """The issuer without its scheme, as IAM's condition keys spell it."""

    @checked
    def __init__(self, name: str, args: OidcProviderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        issuer_url = args["issuer_url"]
        if isinstance(issuer_url, str) and not issuer_url.startswith("https://"):
            raise InvalidInputError(
                f"issuer URL {issuer_url!r} does not begin with https://: give the one that DescribeCluster shows"
            )
        super().__init__("eks-load-balancing:index:OidcProvider", name, opts=opts)
        provider = aws.iam.OpenIdConnectProvider(
            f"{name}-provider",
            url=issuer_url,
            client_id_lists=[STS_AUDIENCE],
            tags=args.get("tags"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = provider.arn
        self.issuer = provider.url.apply(without_scheme)
        self.register_outputs({"arn": self.arn, "issuer": self.issuer})
