"""What moto does otherwise than AWS, put right: one subject a module, each with the AWS page that says so."""

from sandbox.aws.corrections import (
    addresses,
    certificates,
    classic_elb,
    dependencies,
    elbv2,
    gateways,
    iam,
    interfaces,
    ipam,
    security_groups,
    services,
)


def install() -> None:
    """Put everything right, once, before the first call."""
    for subject in (
        interfaces,
        addresses,
        gateways,
        dependencies,
        security_groups,
        ipam,
        classic_elb,
        elbv2,
        iam,
        services,
        certificates,
    ):
        subject.install()
