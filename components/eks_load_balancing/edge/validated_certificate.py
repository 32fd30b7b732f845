"""An ACM certificate that proves itself by DNS."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output

from eks_load_balancing.arguments import checked


class ValidatedCertificateArgs(TypedDict):
    """What a `ValidatedCertificate` takes."""

    host: str
    """The host that the certificate is for, such as `shop.example.com` or `*.example.com`."""
    alternative_hosts: NotRequired[Sequence[str]]
    """More hosts that it is for. Default none."""
    zone_id: Input[str]
    """The public Route 53 hosted zone of all these hosts."""
    tags: NotRequired[Input[Mapping[str, Input[str]]]]
    """Tags for the certificate."""


class ValidatedCertificate(pulumi.ComponentResource):
    """An ACM certificate with the DNS records that prove whose its hosts are; ACM renews it while they stand."""

    arn: Output[str]
    """The certificate's ARN, once it is issued."""

    @checked
    def __init__(self, name: str, args: ValidatedCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        hosts = [args["host"], *args.get("alternative_hosts", ())]
        super().__init__("eks-load-balancing:index:ValidatedCertificate", name, opts=opts)
        child = pulumi.ResourceOptions(parent=self)
        certificate = aws.acm.Certificate(
            f"{name}-certificate",
            domain_name=args["host"],
            subject_alternative_names=hosts[1:] or None,
            validation_method="DNS",
            tags=args.get("tags"),
            opts=child,
        )
        records: list[aws.route53.Record] = []
        for host in record_hosts(hosts):
            option = certificate.domain_validation_options.apply(partial(_option, host=host))
            records.append(
                aws.route53.Record(
                    f"{name}-{host}",
                    zone_id=args["zone_id"],
                    name=option.apply(lambda known: known.resource_record_name),
                    type=option.apply(lambda known: known.resource_record_type),
                    records=[option.apply(lambda known: known.resource_record_value)],
                    ttl=300,
                    allow_overwrite=True,  # two certificates of one host are proved by one record
                    opts=child,
                )
            )
        issued = aws.acm.CertificateValidation(
            f"{name}-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn for record in records],
            opts=child,
        )
        self.arn = issued.certificate_arn
        self.register_outputs({"arn": self.arn})


def record_hosts(hosts: Sequence[str]) -> list[str]:
    """Return the hosts that need a record, each once: that of `*.example.com` is that of `example.com`."""
    return list(dict.fromkeys(host.removeprefix("*.") for host in hosts))


def _option(options: Sequence[Any], host: str) -> Any:
    return next(one for one in options if one.domain_name.removeprefix("*.") == host)
